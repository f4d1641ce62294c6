import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { startApp } from '../support/app.js'
import { openTestDatabase } from '../support/database.js'

const database = await openTestDatabase()
// A migration of a newer version, while this one is still running.
await database.query((client) => client.$executeRaw`ALTER TYPE end_reason ADD VALUE 'from_a_newer_version'`)

t.test('OPS-07: a reason written by a newer version is returned unchanged', async (t) => {
  const { app, api, browser } = await startApp(t)
  const user = await api.signUp()
  const page = browser()
  await page.call('/v1/auth/login', {
    method: 'POST',
    body: { email: user.email, password: user.password, mode: 'session' },
  })
  const stillLive = await api.login({ email: user.email, password: user.password, mode: 'json' })
  await database.query(
    (client) => client.$executeRaw`
      UPDATE refresh_token_family SET ended_at = now(), end_reason = 'from_a_newer_version'
      WHERE id <> ${stillLive.body.session.id}::uuid`,
  )

  const refused = { status: 401, body: { code: 'session_ended', reason: 'from_a_newer_version' } }
  t.match(await api.refresh(user.refreshToken), refused)
  page.cookies.delete('sallyport_at')
  t.match(await page.call('/v1/whoami'), refused, 'a renewal in mode session')
  const live = api.call('/v1/me', { method: 'DELETE', token: user.accessToken, body: { password: user.password } })
  t.match(await live, refused, 'a check by the database')

  const token = stillLive.body.access_token
  const list = await api.call('/v1/sessions?ended=true', { token })
  t.match(list, { status: 200, body: { sessions: [{ reason: 'from_a_newer_version' }] } })
  const printed = await runCommand(app.operator, 'user:sessions', ['--email', user.email, '--ended'])
  t.match(printed[0], 'from_a_newer_version')
  t.match(await api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken }), { status: 204 })
})
