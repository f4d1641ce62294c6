import t from 'tap'
import type { Call } from '../support/api.js'
import { startApp } from '../support/app.js'

const NEW_PASSWORD = 'seven other hills under a lantern'

/** The actions that require the password, with a given password. */
const sensitive = (token: string, password: string): [string, Call][] => [
  ['/v1/me/password', { method: 'PUT', token, body: { current_password: password, new_password: NEW_PASSWORD } }],
  ['/v1/me', { method: 'DELETE', token, body: { password } }],
]

t.test('PWD-15: a session without the password cannot take over or delete the account', async (t) => {
  const { api, database } = await startApp(t)
  const { accessToken, email, password, userId } = await api.signUp()
  for (const guess of ['not the password at all', NEW_PASSWORD, `${password} `, password.toUpperCase()]) {
    for (const [path, call] of sensitive(accessToken, guess)) {
      t.match(await api.call(path, call), { status: 401, body: { code: 'invalid_credentials' } }, path)
    }
  }
  const withoutProof = { method: 'PUT' as const, token: accessToken, body: { new_password: NEW_PASSWORD } }
  t.match(await api.call('/v1/me/password', withoutProof), { status: 422 })
  t.match(await api.call('/v1/me', { method: 'DELETE', token: accessToken }), { status: 422 })
  t.match(await api.call('/v1/me', { method: 'DELETE', token: accessToken, body: {} }), { status: 422 })

  t.match(await api.login({ email, password }), { status: 200 })
  t.match(await api.whoami(accessToken), { status: 200 }, 'a wrong password makes no token stale')
  const where = { event: 'password_check_failed', userId }
  const events = await database.query((client) => client.auditEvent.findMany({ where }))
  t.equal(
    events.reduce((sum, { times }) => sum + times, 0),
    8,
    'and every attempt is in the audit trail',
  )
})

t.test('PWD-15: no password is accepted for an account without one', async (t) => {
  const { api, database } = await startApp(t)
  const { accessToken, password, userId } = await api.signUp()
  await database.query((client) => client.user.update({ where: { id: userId }, data: { passwordHash: null } }))
  for (const [path, call] of sensitive(accessToken, password)) {
    t.match(await api.call(path, call), { status: 401, body: { code: 'invalid_credentials' } }, path)
  }
})

t.test(
  'PWD-15: sensitive routes query the database, so a logout on another instance takes effect immediately',
  async (t) => {
    const here = await startApp(t)
    const there = await startApp(t, { join: true, clock: here.clock })
    const user = await here.api.signUp()
    const banned = await here.api.signUp()
    await here.api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken })
    await here.database.query((client) =>
      client.user.update({ where: { id: banned.userId }, data: { bannedAt: new Date('2026-01-01') } }),
    )
    for (const [{ accessToken, password }, reason] of [
      [user, 'logout'],
      [banned, 'banned'],
    ] as const) {
      for (const [path, call] of sensitive(accessToken, password)) {
        const refused = { status: 401, body: { code: 'session_ended', reason } }
        t.match(await there.api.call(path, call), refused, `${path}: ${reason}`)
      }
    }
  },
)

t.test(
  'PWD-15: a token issued before a change of the claims is stale on sensitive routes of every instance',
  async (t) => {
    const here = await startApp(t)
    const there = await startApp(t, { join: true, clock: here.clock })
    const { accessToken, password } = await here.api.signUp()
    const [[path, change] = ['', {}]] = sensitive(accessToken, password)
    t.match(await here.api.call(path, change), { status: 204 })
    for (const [path, call] of sensitive(accessToken, NEW_PASSWORD)) {
      t.match(await there.api.call(path, call), { status: 401, body: { code: 'token_stale' } }, path)
    }
  },
)
