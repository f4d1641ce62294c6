// What an operator does to an account, and its effect for the user.

import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD, type SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'
import { readFamily } from '../support/rows.js'

const NEW_PASSWORD = 'seven other hills under a lantern'
const OPERATOR = { ip: null, userAgent: null, requestId: null }
const STALE = { status: 401, body: { code: 'token_stale' } }

const app = await startApp(t, { estimatesStrength: true })
const { api, clock, database } = app
const other = await startApp(t, { join: true, clock })

const run = (name: string, { email }: { email: string }, ...args: string[]) =>
  runCommand(app.app.operator, name, ['--email', email, ...args])
const login = ({ email }: SignedUp, password = PASSWORD) => api.login({ email, password, mode: 'json' })
const endedBecause = (reason: string) => ({ status: 401, body: { code: 'session_ended', reason } })

const readUser = ({ userId }: SignedUp) =>
  database.query((client) => client.user.findUniqueOrThrow({ where: { id: userId } }))
const readEvents = ({ userId }: SignedUp, event: string) =>
  database.query((client) =>
    client.auditEvent.findMany({ where: { userId, event }, orderBy: [{ at: 'asc' }, { id: 'asc' }] }),
  )

/** The first session of a new user, and a second one. */
async function signUpTwice(): Promise<[SignedUp, SignedUp]> {
  const user = await api.signUp()
  const { body } = await login(user)
  const second = { accessToken: body.access_token ?? '', refreshToken: body.refresh_token ?? '' }
  return [user, { ...user, ...second, sessionId: body.session.id }]
}

t.test('new roles make access tokens stale, and one refresh applies them', async (t) => {
  const [user, second] = await signUpTwice()
  t.match(await run('user:roles', user, '--set', 'admin, auditor,admin'), [/now has the roles admin, auditor/, /./])
  for (const { accessToken, refreshToken } of [user, second]) {
    t.match(await api.whoami(accessToken), STALE)
    const refreshed = await api.refresh(refreshToken)
    t.match(refreshed, { status: 200, body: { user: { roles: ['admin', 'auditor'] } } })
    t.match(await api.whoami(refreshed.body.access_token), { status: 200, body: { roles: ['admin', 'auditor'] } })
  }
  t.match((await login(user)).body, { user: { roles: ['admin', 'auditor'] } })

  await run('user:roles', user, '--set', '')
  t.same((await login(user)).body.user.roles, [])
  const changes = [
    { before: '', after: 'admin,auditor' },
    { before: 'admin,auditor', after: '' },
  ]
  const events = await readEvents(user, 'roles_changed')
  t.match(
    events,
    changes.map((detail) => ({ detail, ...OPERATOR })),
  )
  t.equal(events.length, 2)
})

t.test('the roles of one user do not affect another, and every instance applies the new ones', async (t) => {
  const [user, stranger] = [await api.signUp(), await api.signUp()]
  t.match(await other.api.whoami(user.accessToken), { status: 200 })
  await run('user:roles', user, '--set', 'admin')
  await other.app.revocations.poll()
  for (const instance of [api, other.api]) {
    t.match(await instance.whoami(user.accessToken), STALE)
    t.match(await instance.whoami(stranger.accessToken), { status: 200, body: { roles: { length: 0 } } })
  }
})

t.test('roles that the user already has change nothing, in any order', async (t) => {
  const user = await api.signUp()
  t.match(await run('user:roles', user, '--set', ''), [/already has no roles/])
  await run('user:roles', user, '--set', 'admin,auditor')
  const { body } = await api.refresh(user.refreshToken)
  const { epoch } = await readUser(user)
  t.match(await run('user:roles', user, '--set', 'auditor,admin'), [/already/])
  t.equal((await readUser(user)).epoch, epoch)
  t.match(await api.whoami(body.access_token), { status: 200 })
  t.equal((await readEvents(user, 'roles_changed')).length, 1)
  await run('user:roles', user, '--set', 'auditor,owner')
  t.match(await api.whoami(body.access_token), STALE)
})

t.test('REF-14: a password set by the operator ends all sessions, and only the new one signs in', async (t) => {
  const [user, second] = await signUpTwice()
  t.match(await run('user:password', user, `--password=${NEW_PASSWORD}`), [/^The password of /])
  for (const { accessToken, refreshToken, sessionId } of [user, second]) {
    t.match(await api.whoami(accessToken), { status: 401, body: { code: 'session_ended' } })
    t.match(await api.refresh(refreshToken), endedBecause('password_reset'))
    t.match(await readFamily(database, sessionId), { endedBy: null, endedIp: null, endedUserAgent: null })
  }
  t.match(await login(user), { status: 401, body: { code: 'invalid_credentials' } })
  const fresh = await login(user, NEW_PASSWORD)
  t.match(fresh, { status: 200 })
  t.match(await api.whoami(fresh.body.access_token), { status: 200 })
  t.match(await readEvents(user, 'password_reset'), [{ sessionId: null, ...OPERATOR }])
})

t.test('a password set by the operator is validated as at registration; a weak one changes nothing', async (t) => {
  const user = await api.signUp()
  for (const weak of ['short', 'passwordpassword', user.email]) {
    await t.rejects(run('user:password', user, `--password=${weak}`), { name: 'CommandError' }, weak)
  }
  t.match(await api.whoami(user.accessToken), { status: 200 })
  t.match(await login(user), { status: 200 })
  t.same(await readEvents(user, 'password_reset'), [])
})

t.test('a user without a password gets one', async (t) => {
  const user = await api.signUp()
  await database.query((client) => client.user.update({ where: { id: user.userId }, data: { passwordHash: null } }))
  await run('user:password', user, `--password=${NEW_PASSWORD}`)
  t.match(await login(user, NEW_PASSWORD), { status: 200 })
})

t.test('REF-16: an operator ends all sessions of one user, who may sign in again', async (t) => {
  const [user, second] = await signUpTwice()
  const stranger = await api.signUp()
  t.match(await run('user:logout', user), [/^All sessions of /])
  for (const { accessToken, refreshToken, sessionId } of [user, second]) {
    t.match(await api.whoami(accessToken), { status: 401, body: { code: 'session_ended' } })
    t.match(await api.refresh(refreshToken), endedBecause('revoked_by_admin'))
    t.match(
      await readEvents(user, 'session_ended'),
      [{}, {}].fill({ detail: { reason: 'revoked_by_admin' }, ...OPERATOR }),
    )
    t.match(await readFamily(database, sessionId), { endedBy: null, endedIp: null })
  }
  t.match(await api.whoami(stranger.accessToken), { status: 200 })
  t.match(await login(user), { status: 200 })
  t.match(await run('user:logout', await api.signUp()), [/./])
})

t.test('user:sessions lists the active sessions and, on request, ended ones with the reason', async (t) => {
  const [user, second] = await signUpTwice()
  t.match(await run('user:sessions', user, '--ended'), [/has no ended sessions/])
  await api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken })
  const patch = { method: 'PATCH' as const, token: second.accessToken, body: { device_name: 'Work laptop' } }
  await api.call(`/v1/sessions/${second.sessionId}`, patch)

  const time = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`
  const live = await run('user:sessions', user)
  t.match(live, [new RegExp(`^${second.sessionId}  json  "Work laptop"  last used ${time} from 127\\.0\\.0\\.1$`)])
  t.equal(live.length, 1)
  const ended = await run('user:sessions', user, '--ended')
  t.match(ended, [new RegExp(`^${user.sessionId}  json  .+ from 127\\.0\\.0\\.1  ended ${time}: logout$`)])
  t.equal(ended.length, 1)
})
