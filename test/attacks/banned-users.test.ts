// A banned user tries everything that worked before.

import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD, type Answer } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'

const WRONG = 'a password of no account at all'
const ended = { status: 401, body: { code: 'session_ended', reason: 'banned' } }

const ban = ({ app }: TestApp, email: string) => runCommand(app.operator, 'user:ban', ['--email', email])

t.test('REF-13: a ban, the end of every family, their revocations and audit events are one transaction', async (t) => {
  const instance = await startApp(t)
  const { api, database } = instance
  const { email, userId } = await api.signUp()
  const { body } = await api.login({ email, password: PASSWORD, mode: 'cookie' })
  await ban(instance, email)

  // The id of the transaction that last wrote a row, which Postgres stores with it.
  const writers = await database.query(
    (client) => client.$queryRaw<{ what: string; writer: string }[]>`
      SELECT 'user' AS what, xmin::text AS writer FROM "user" WHERE banned_at IS NOT NULL
      UNION ALL SELECT 'family', xmin::text FROM refresh_token_family WHERE end_reason = 'banned'
      UNION ALL SELECT 'revoked ' || kind::text, xmin::text FROM revocation WHERE subject IN
        (SELECT id::text FROM refresh_token_family UNION SELECT ${userId})
      UNION ALL SELECT event, xmin::text FROM audit_event WHERE event IN ('user_banned', 'session_ended')
      ORDER BY what`,
  )
  t.same(
    writers.map(({ what }) => what),
    [
      'family',
      'family',
      'revoked session',
      'revoked session',
      'revoked user',
      'session_ended',
      'session_ended',
      'user',
      'user_banned',
    ],
  )
  t.equal(new Set(writers.map(({ writer }) => writer)).size, 1)
  t.match(await api.whoami(body.access_token), { status: 401 })
})

t.test('REF-13: no token of a banned user is accepted, on any instance or after a restart', async (t) => {
  const here = await startApp(t)
  const there = await startApp(t, { join: true, clock: here.clock })
  const stranger = await here.api.signUp()
  const user = await here.api.signUp()
  const { email, password, accessToken, refreshToken } = user
  const successor = await there.api.refresh(refreshToken, { key: 'a'.repeat(16) })
  const page = here.browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  for (const { api } of [here, there]) t.match(await api.whoami(accessToken), { status: 200 })

  await ban(here, email)
  await there.app.revocations.poll()
  const restarted = await startApp(t, { join: true, clock: here.clock })
  const tokens = [accessToken, successor.body.access_token]
  for (const { api } of [here, there, restarted]) {
    for (const token of tokens) {
      t.match(await api.whoami(token), { status: 401, body: { code: 'session_ended' } })
      t.match(await api.call('/v1/me', { token }), { status: 401 })
      t.match(await api.call('/v1/me', { method: 'DELETE', token, body: { password } }), { status: 401 })
    }
    t.match(await api.refresh(successor.body.refresh_token), ended)
    t.match(await api.refresh(refreshToken, { key: 'a'.repeat(16) }), ended, 'a lost response is not repeated')
    t.match(await api.login({ email, password }), { status: 403, body: { code: 'account_banned' } })
    t.match(await api.register({ email, password }), { status: 409, body: { code: 'email_taken' } })
    t.match(await api.whoami(stranger.accessToken), { status: 200 })
  }
  t.match(await page.call('/v1/whoami'), ended)
  page.cookies.delete('sallyport_at')
  t.match(await page.call('/v1/whoami'), ended)
  t.match(await page.call('/v1/auth/refresh', { method: 'POST' }), ended)
})

t.test('PWD-09: without the password, a banned user cannot be distinguished from any other', async (t) => {
  const instance = await startApp(t)
  const [ordinary, banned] = [await instance.api.signUp(), await instance.api.signUp()]
  await ban(instance, banned.email)
  const seen = ({ status, headers, body, setCookies }: Answer<object>) => ({
    status,
    headers: { ...headers, date: '', 'x-request-id': '', ratelimit: '' },
    body: { ...body, request_id: '' },
    setCookies,
  })
  const [expected, answer] = [
    await instance.api.login({ email: ordinary.email, password: WRONG }),
    await instance.api.login({ email: banned.email, password: WRONG }),
  ]
  t.match(expected, { status: 401, body: { code: 'invalid_credentials' } })
  t.same(seen(answer), seen(expected))
})
