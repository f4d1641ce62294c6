import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import type { AuditEventName } from '../../src/features/audit/audit.js'
import { PASSWORD } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'

const NEW_PASSWORD = 'seven other hills under a lantern'
const headers = { 'user-agent': 'curl/8.5.0' }
const operator = { ip: null, userAgent: null, requestId: null }

/** The events written since it was last asked. */
function createReader({ database }: TestApp) {
  let seen = 0
  return async () => {
    const events = await database.query((client) => client.auditEvent.findMany({ orderBy: { id: 'asc' } }))
    return events.slice(seen, (seen = events.length))
  }
}

t.test('OPS-01: everything that happens to an account and its sessions is on record', async (t) => {
  const app = await startApp(t)
  const { api, clock } = app
  const read = createReader(app)
  const body = { email: 'ada@example.com', password: PASSWORD, mode: 'json' }

  const registered = await api.register(body, { headers })
  const userId = registered.body.user.id
  const sessionId = registered.body.session.id
  const from = { ip: '127.0.0.1', userAgent: 'curl/8.5.0' }
  const [first, ...others] = await read()
  t.same(others, [])
  const requestId = registered.headers['x-request-id']
  t.match(first, { event: 'user_registered', userId, sessionId, requestId, detail: { mode: 'json' }, ...from })
  t.ok(Math.abs((first?.at.getTime() ?? 0) - clock.now().getTime()) < 60_000)

  /** What one call writes, each with who called, and from where. */
  const expectEvents = async (name: string, call: Promise<{ headers: object }>, ...events: object[]) => {
    const id = Object.entries((await call).headers).find(([name]) => name === 'x-request-id')?.[1] as string
    const written = await read()
    t.match(
      written,
      events.map((event) => ({ userId, requestId: id, ...from, ...event })),
      name,
    )
    t.equal(written.length, events.length, name)
  }
  const wrong = { ...body, password: 'not the password at all' }
  await expectEvents('a wrong password', api.login(wrong, { headers }), { event: 'login_failed', sessionId: null })
  const nobody = api.login({ ...wrong, email: 'nobody@example.com' }, { headers })
  await expectEvents('an unknown address', nobody, { event: 'login_failed', userId: null, sessionId: null })
  const taken = api.register(body, { headers })
  await expectEvents('an address that is taken', taken, { event: 'registration_refused_taken', sessionId: null })

  const login = await api.login(body, { headers })
  const second = login.body.session.id
  await expectEvents('a login', Promise.resolve(login), { event: 'login_succeeded', sessionId: second })
  const token = login.body.access_token
  await expectEvents('a verified request', api.call('/v1/me', { token, headers }))
  await expectEvents('a rename', api.call('/v1/me', { method: 'PATCH', token, headers, body: { name: 'Ada' } }))
  const refreshed = await api.refresh(login.body.refresh_token, { key: 'a'.repeat(16) })
  await expectEvents('a refresh', Promise.resolve(refreshed))

  const proof = { current_password: 'wrong', new_password: NEW_PASSWORD }
  const change = (body: object) => api.call('/v1/me/password', { method: 'PUT', token, headers, body })
  await expectEvents('a wrong proof', change(proof), { event: 'password_check_failed', sessionId: second })
  await expectEvents(
    'a new password',
    change({ ...proof, current_password: PASSWORD }),
    { event: 'session_ended', sessionId, detail: { reason: 'password_changed' } },
    { event: 'password_changed', sessionId: second },
  )

  const again = { ...body, password: NEW_PASSWORD }
  const third = await api.login(again, { headers })
  await read()
  const logout = api.call('/v1/auth/logout', { method: 'POST', token: third.body.access_token, headers })
  const ofThird = { sessionId: third.body.session.id }
  await expectEvents('a logout', logout, { event: 'session_ended', ...ofThird, detail: { reason: 'logout' } })
  const repeated = api.call('/v1/auth/logout', { method: 'POST', token: third.body.access_token, headers })
  await expectEvents('a repeated logout', repeated)

  const last = await api.login(again, { headers })
  await read()
  const remove = { method: 'DELETE' as const, token: last.body.access_token, headers, body: { password: NEW_PASSWORD } }
  t.equal((await api.call('/v1/me', remove)).status, 204)
  const names = (await read()).map(({ event }) => event)
  t.same(names, ['session_ended', 'session_ended', 'user_deleted'])
})

t.test('OPS-01: what is refused at refresh is on record', async (t) => {
  const app = await startApp(t)
  const { api, clock, database } = app
  const read = createReader(app)
  const user = await api.signUp()
  const cookie = { cookies: { sallyport_rt: user.refreshToken }, headers: { ...headers, 'x-sallyport-csrf': '1' } }
  await read()

  const expectEvents = async (...events: { event: AuditEventName; detail?: object }[]) => {
    const written = await read()
    t.match(
      written,
      events.map((event) => ({ userId: user.userId, sessionId: user.sessionId, ip: '127.0.0.1', ...event })),
    )
    t.equal(written.length, events.length)
  }
  await api.refresh(`${user.refreshToken.slice(0, -1)}x`)
  await expectEvents()
  await api.call('/v1/auth/refresh', { method: 'POST', ...cookie })
  await expectEvents({ event: 'refresh_wrong_mode' })
  const second = await api.refresh(user.refreshToken, { key: 'a'.repeat(16) })
  await api.refresh(user.refreshToken, { key: 'b'.repeat(16) })
  await expectEvents({ event: 'refresh_superseded' })

  await database.query((client) =>
    client.refreshTokenFamily.update({ where: { id: user.sessionId }, data: { generation: 0, attemptHash: null } }),
  )
  const third = await api.refresh(second.body.refresh_token)
  t.equal(third.status, 200)
  await expectEvents({ event: 'refresh_ahead', detail: { generation: 1, current: 0 } })
  clock.advance({ minutes: 1 })
  await api.refresh(user.refreshToken)
  await expectEvents({ event: 'refresh_reused', detail: { generation: 0, current: 2 } })
  await api.refresh(third.body.refresh_token)
  await expectEvents({ event: 'refresh_refused' })
})

t.test('OPS-01: refused bans and what operators do are on record', async (t) => {
  const app = await startApp(t)
  const { api, database } = app
  const read = createReader(app)
  const run = (name: string, ...args: string[]) => runCommand(app.app.operator, name, args)

  await run('user:create', '--email', 'root@example.com', '--password', PASSWORD, '--role', 'admin')
  const [created] = await read()
  t.match(created, { event: 'user_created', userId: /./, sessionId: null, ...operator })
  await database.query((client) => client.user.updateMany({ data: { bannedAt: new Date('2026-01-01') } }))
  await api.login({ email: 'root@example.com', password: PASSWORD })
  t.match(await read(), [{ event: 'login_refused_banned', userId: created?.userId, ip: '127.0.0.1' }])

  await run('keys:rotate', '--force')
  const { kid } = decodeProtectedHeader((await api.signUp()).accessToken)
  t.match(await read(), [{ event: 'key_rotated', detail: { kid }, ...operator }, { event: 'user_registered' }])
  await run('secrets:rotate')
  t.match(await read(), [{ event: 'keys_resealed', detail: { keys: 3 }, ...operator }])
  await t.rejects(run('user:create', '--email', 'root@example.com', '--password', PASSWORD))
  t.same(await read(), [], 'what failed has left nothing')
})
