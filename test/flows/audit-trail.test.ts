import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import type { TokenReply } from '../../src/wire/token-reply.js'
import { PASSWORD } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import { readFamily } from '../support/rows.js'

const NEW_PASSWORD = 'seven other hills under a lantern'
const headers = { 'user-agent': 'curl/8.5.0' }
const operator = { actorKind: 'operator', actorId: null, ip: null, userAgent: null, requestId: null }
const system = { actorKind: 'system', actorId: null }
const stranger = { actorKind: 'user', actorId: null }

/** The events since the last call. */
function createReader({ database }: TestApp) {
  let seen = 0
  return async () => {
    const events = await database.query((client) =>
      client.auditEvent.findMany({ orderBy: [{ at: 'asc' }, { id: 'asc' }] }),
    )
    return events.slice(seen, (seen = events.length))
  }
}

t.test('OPS-01: everything that happens to an account and its sessions is audited, with the actor', async (t) => {
  const app = await startApp(t)
  const { api, clock } = app
  const read = createReader(app)
  const body = { email: 'ada@example.com', password: PASSWORD, mode: 'json' }

  const registered = await api.register(body, { headers })
  const userId = registered.body.user.id
  const sessionId = registered.body.session.id
  const from = { ip: '127.0.0.1', userAgent: 'curl/8.5.0' }
  const byUser = { actorKind: 'user', actorId: userId }
  const [first, ...others] = await read()
  t.same(others, [])
  const requestId = registered.headers['x-request-id']
  t.match(first, {
    event: 'user_registered',
    ...byUser,
    userId,
    sessionId,
    requestId,
    detail: { mode: 'json' },
    ...from,
  })
  t.ok(Math.abs((first?.at.getTime() ?? 0) - clock.now().getTime()) < 60_000)

  /** The events of one call, with the actor and the address. */
  const expectEvents = async (name: string, call: Promise<{ headers: object }>, ...events: object[]) => {
    const id = Object.entries((await call).headers).find(([name]) => name === 'x-request-id')?.[1] as string
    const written = await read()
    t.match(
      written,
      events.map((event) => ({ ...byUser, userId, requestId: id, ...from, ...event })),
      name,
    )
    t.equal(written.length, events.length, name)
  }
  const wrong = { ...body, password: 'not the password at all' }
  await expectEvents('a wrong password', api.login(wrong, { headers }), {
    event: 'login_failed',
    ...stranger,
    sessionId: null,
  })
  const unknownAddress = api.login({ ...wrong, email: 'nobody@example.com' }, { headers })
  await expectEvents('an unknown address', unknownAddress, {
    event: 'login_failed',
    ...stranger,
    userId: null,
    sessionId: null,
  })
  const taken = api.register(body, { headers })
  await expectEvents('an address that is taken', taken, {
    event: 'registration_refused_taken',
    ...stranger,
    sessionId: null,
  })

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
  const deletion = await read()
  t.match(deletion, [
    { event: 'session_ended', ...byUser },
    { event: 'session_ended' },
    { event: 'user_deleted', ...byUser },
  ])
  t.equal(deletion.length, 3)
})

t.test('OPS-01: refused refreshes are audited', async (t) => {
  const app = await startApp(t)
  const { api, clock, database } = app
  const read = createReader(app)
  const user = await api.signUp()
  const cookie = { cookies: { sallyport_rt: user.refreshToken }, headers: { ...headers, 'x-sallyport-csrf': '1' } }
  await read()

  const byUser = { actorKind: 'user', actorId: user.userId }
  const expectEvents = async (...events: { event: string; detail?: object; actorKind?: string }[]) => {
    const written = await read()
    t.match(
      written,
      events.map((event) => ({ ...byUser, userId: user.userId, sessionId: user.sessionId, ip: '127.0.0.1', ...event })),
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
  await expectEvents(
    { event: 'refresh_reused', ...system, detail: { generation: 0, current: 2 } },
    { event: 'session_ended', ...system, detail: { reason: 'reuse_detected' } },
  )
  await api.refresh(third.body.refresh_token)
  await expectEvents({ event: 'refresh_refused' })
})

t.test('OPS-01: refused logins of banned users and actions of operators are audited', async (t) => {
  const app = await startApp(t)
  const { api, database } = app
  const read = createReader(app)
  const run = (name: string, ...args: string[]) => runCommand(app.app.operator, name, args)

  await run('user:create', '--email', 'root@example.com', '--password', PASSWORD, '--role', 'admin')
  const [created] = await read()
  t.match(created, { event: 'user_created', userId: /./, sessionId: null, ...operator })
  await database.query((client) => client.user.updateMany({ data: { bannedAt: new Date('2026-01-01') } }))
  await api.login({ email: 'root@example.com', password: PASSWORD })
  t.match(await read(), [
    {
      event: 'login_refused_banned',
      actorKind: 'user',
      actorId: created?.userId,
      userId: created?.userId,
      ip: '127.0.0.1',
    },
  ])

  await run('keys:rotate', '--force')
  const { kid } = decodeProtectedHeader((await api.signUp()).accessToken)
  t.match(await read(), [{ event: 'key_rotated', detail: { kid }, ...operator }, { event: 'user_registered' }])
  await run('secrets:rotate')
  t.match(await read(), [{ event: 'keys_resealed', detail: { keys: 3 }, ...operator }])
  await t.rejects(run('user:create', '--email', 'root@example.com', '--password', PASSWORD))
  t.same(await read(), [], 'a failed action leaves no event')
})

t.test('OPS-01: actions of Sallyport itself and of verifiers are distinguished from those of users', async (t) => {
  const { credential, sha256 } = createVerifierCredential()
  const settings = { MAX_SESSIONS_PER_USER: '1', VERIFIER_KEYS: `orders:${sha256}` }
  const app = await startApp(t, { settings })
  const read = createReader(app)
  const { email, userId, sessionId } = await app.api.signUp()
  const second = await app.api.login({ email, password: PASSWORD, mode: 'json' })
  await read()
  const third = await app.api.login({ email, password: PASSWORD, mode: 'json' })
  t.match(await read(), [
    { event: 'login_succeeded', actorKind: 'user', actorId: userId },
    { event: 'session_ended', ...system, userId, sessionId: second.body.session.id, detail: { reason: 'limit' } },
  ])
  t.match(await readFamily(app.database, sessionId), { endReason: 'limit', endedBy: null })

  const revoked = await app.api.call('/oauth/revoke', {
    method: 'POST',
    text: `token=${third.body.access_token ?? ''}`,
    headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/x-www-form-urlencoded' },
  })
  t.equal(revoked.status, 200)
  const ended = { userId, sessionId: third.body.session.id, detail: { reason: 'logout' } }
  t.match(await read(), [{ event: 'session_ended', actorKind: 'client', actorId: 'orders', ...ended }])
  t.match(await readFamily(app.database, third.body.session.id), { endedBy: null })

  app.clock.advance({ days: 400 })
  await app.app.operator.keys.maintain()
  t.match((await read()).slice(0, 1), [{ event: 'key_rotated', ...system, requestId: null }])
})

t.test('OPS-01: a refused renewal is audited and counted like a refresh', async (t) => {
  const app = await startApp(t)
  const { api, clock } = app
  const read = createReader(app)
  const { email, userId } = await api.signUp()
  const page = app.browser()
  const login = { method: 'POST' as const, body: { email, password: PASSWORD, mode: 'session' } }
  const sessionId = (await page.call<TokenReply>('/v1/auth/login', login)).body.session.id
  await read()
  const first = page.cookies.get('sallyport_rt') ?? ''
  const renewWith = (token: string) => api.call('/v1/whoami', { cookies: { sallyport_rt: token } })

  t.equal((await renewWith(first)).status, 200)
  await page.call('/v1/auth/refresh', { method: 'POST' })
  t.same(await read(), [], 'successful ones are not')
  clock.advance({ minutes: 1 })
  await renewWith(first)
  const ofSession = { userId, sessionId }
  const detail = { generation: 0, current: 1 }
  t.match(await read(), [
    { event: 'refresh_reused', ...system, ...ofSession, detail },
    { event: 'session_ended', ...system, ...ofSession, detail: { reason: 'reuse_detected' } },
  ])
  await renewWith(first)
  t.match(await read(), [{ event: 'refresh_refused', actorKind: 'user', actorId: userId, ...ofSession, detail }])
})
