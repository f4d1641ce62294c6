// The end of a browser's session, whatever brings it about, is the end of what OAuth clients got in it.

import t from 'tap'
import { Prisma } from '../../src/generated/prisma/client.js'
import * as endingStore from '../../src/features/families/ending-store.js'
import { operator } from '../../src/features/audit/audit.js'
import { PASSWORD, type SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'
import { CLIENT, caller, createClientCalls } from '../support/client-families.js'
import { needsPostgres, openTestDatabase } from '../support/database.js'
import { readAuditTrail, readFamily } from '../support/rows.js'
import { watchStatements } from '../support/statements.js'

const MAX_SESSIONS = 3
const NEW_PASSWORD = 'seven lanterns drift over copper hills'

const database = watchStatements(await openTestDatabase())
const { app, api, clock, browser } = await startApp(t, {
  database,
  settings: { MAX_SESSIONS_PER_USER: String(MAX_SESSIONS), RATE_LIMIT: 'off' },
})
const { families, administration, revocations } = app.operator
const clients = createClientCalls({ app, clock })

const loginAgain = async ({ email }: Pick<SignedUp, 'email'>) =>
  (await api.login({ email, password: PASSWORD, mode: 'json' })).body

const post = (path: string, { accessToken: token }: Pick<SignedUp, 'accessToken'>) =>
  api.call(path, { method: 'POST', token })

const changePassword = (token: string | undefined) =>
  api.call('/v1/me/password', {
    method: 'PUT',
    token,
    body: { current_password: PASSWORD, new_password: NEW_PASSWORD },
  })

interface End {
  how: string
  reason: string
  bringAbout(user: SignedUp): Promise<unknown>
  /** What else ends: all of the user's families, but where it says `session` only those of the session. */
  ends: 'session' | 'all'
}

const ends: End[] = [
  {
    how: 'a logout with the refresh token',
    reason: 'logout',
    ends: 'session',
    bringAbout: ({ refreshToken }) =>
      api.call('/v1/auth/logout', { method: 'POST', body: { refresh_token: refreshToken } }),
  },
  {
    how: 'a logout with the access token',
    reason: 'logout',
    ends: 'session',
    bringAbout: (user) => post('/v1/auth/logout', user),
  },
  {
    how: 'the user, in the list',
    reason: 'revoked_by_user',
    ends: 'session',
    bringAbout: async (user) =>
      api.call(`/v1/sessions/${user.sessionId}`, { method: 'DELETE', token: (await loginAgain(user)).access_token }),
  },
  {
    how: 'a token used twice',
    reason: 'reuse_detected',
    ends: 'session',
    async bringAbout({ refreshToken }) {
      await api.refresh(refreshToken)
      clock.advance({ seconds: 11 })
      await api.refresh(refreshToken)
    },
  },
  {
    how: 'a login beyond the maximum number of sessions',
    reason: 'limit',
    ends: 'session',
    async bringAbout(user) {
      for (let logins = 0; logins < MAX_SESSIONS; logins += 1) await loginAgain(user)
    },
  },
  {
    how: 'a verifier that revokes it',
    reason: 'logout',
    ends: 'session',
    bringAbout: ({ sessionId }) =>
      families.logout({ refreshTokens: [], sessionIds: [sessionId], clientId: null }, caller, {
        kind: 'client',
        id: 'verifier',
      }),
  },
  {
    how: 'one end in a transaction, such as "this was not me"',
    reason: 'not_me',
    ends: 'session',
    bringAbout: ({ sessionId }) =>
      revocations.transaction((tx, revoke) =>
        families.endOne(tx, revoke, sessionId, { reason: 'not_me', by: { actor: operator, caller } }),
      ),
  },
  {
    how: 'a logout everywhere',
    reason: 'logout_all',
    ends: 'all',
    bringAbout: (user) => post('/v1/auth/logout-all', user),
  },
  {
    how: 'the user, who ends all other sessions',
    reason: 'revoked_by_user',
    ends: 'all',
    bringAbout: async (user) =>
      api.call('/v1/sessions', { method: 'DELETE', token: (await loginAgain(user)).access_token }),
  },
  {
    how: 'a new password',
    reason: 'password_changed',
    ends: 'all',
    bringAbout: async (user) => changePassword((await loginAgain(user)).access_token),
  },
  {
    how: 'a ban',
    reason: 'banned',
    ends: 'all',
    bringAbout: ({ email }) => administration.ban(email, { until: null, reason: null }),
  },
  {
    how: 'an operator, who ends all sessions',
    reason: 'revoked_by_admin',
    ends: 'all',
    bringAbout: ({ email }) => administration.endSessions(email),
  },
  {
    how: 'a password that an operator sets',
    reason: 'password_reset',
    ends: 'all',
    bringAbout: ({ email }) => administration.setPassword(email, NEW_PASSWORD),
  },
]

/** Two families of clients in the user's session, of which one has `offline_access`, and one of another session. */
async function openAll(user: SignedUp) {
  const online = await clients.open(user, { rpSid: 'online' })
  const offline = await clients.open(user, { scope: 'openid offline_access', rpSid: 'offline' })
  return { online, offline }
}

type Opened = Awaited<ReturnType<typeof openAll>>['online']

function isRevoked({ family: { id: sid, userId: sub } }: Opened): boolean {
  const claims = { sid, sub: sub ?? '', epoch: Number.MAX_SAFE_INTEGER }
  return revocations.judge({ ...claims } as Parameters<typeof revocations.judge>[0]) === 'session_ended'
}

for (const { how, reason, ends: which, bringAbout } of ends) {
  t.test(`${how} ends the families of clients in the session: ${reason}`, async (t) => {
    const user = await api.signUp()
    const { online, offline } = await openAll(user)
    const bystander = await api.signUp()
    const { online: anothers } = await openAll(bystander)
    await bringAbout(user)

    t.match(await readFamily(database, user.sessionId), { endReason: reason })
    const row = await readFamily(database, online.family.id)
    const { endedAt, endedBy, endedIp } = await readFamily(database, user.sessionId)
    t.match(row, { endReason: reason, endedAt, endedBy, endedIp }, 'by the same party, at the same time')
    t.ok(isRevoked(online))
    t.strictSame(await readAuditTrail(database, online.family.id), ['session_ended'])
    t.match(await clients.refresh(online.refreshToken), { code: 'session_ended', reason })
    t.match(await api.refresh(user.refreshToken), { status: 401, body: { reason } })

    const goesOn = which === 'session'
    t.match(await readFamily(database, offline.family.id), { endReason: goesOn ? null : reason })
    t.equal(isRevoked(offline), !goesOn)
    t.equal('tokens' in (await clients.refresh(offline.refreshToken)), goesOn)
    t.match(await readFamily(database, anothers.family.id), { endedAt: null })
    t.notOk(isRevoked(anothers))
  })
}

t.test('a deletion ends them too, and they keep nothing of the user', async (t) => {
  const user = await api.signUp()
  const { online, offline } = await openAll(user)
  await api.call('/v1/me', { method: 'DELETE', token: user.accessToken, body: { password: PASSWORD } })
  for (const { family, refreshToken } of [online, offline]) {
    t.match(await readFamily(database, family.id), { endReason: 'deleted', userId: null, ip: null, userAgent: null })
    t.match(await clients.refresh(refreshToken), { code: 'session_ended', reason: 'deleted' })
  }
})

t.test('a login that replaces the browser’s cookies ends the families of the session before', async (t) => {
  const { email } = await api.signUp()
  const page = browser()
  const login = () =>
    page.call<{ session: { id: string }; user: { id: string } }>('/v1/auth/login', {
      method: 'POST',
      body: { email, password: PASSWORD, mode: 'session' },
    })
  const { body } = await login()
  const online = await clients.open({ userId: body.user.id, sessionId: body.session.id })
  await login()
  t.match(await readFamily(database, online.family.id), { endReason: 'logout' })
  t.ok(isRevoked(online))
})

t.test('who ends all other sessions keeps this one, with the clients that end with it', async (t) => {
  const user = await api.signUp()
  const { online, offline } = await openAll(user)
  await api.call('/v1/sessions', { method: 'DELETE', token: user.accessToken })
  t.match(await readFamily(database, online.family.id), { endedAt: null })
  t.notOk(isRevoked(online))
  t.match(await readFamily(database, offline.family.id), { endReason: 'revoked_by_user' })
})

t.test(
  'a new password keeps this session, and no client’s: a copy of its cookie may have authorized one',
  async (t) => {
    const user = await api.signUp()
    const { online, offline } = await openAll(user)
    t.match(await changePassword(user.accessToken), { status: 204 })
    t.match(await readFamily(database, user.sessionId), { endedAt: null })
    for (const { family } of [online, offline]) {
      t.match(await readFamily(database, family.id), { endReason: 'password_changed' })
    }
  },
)

t.test('the end of a client’s family ends neither its session nor those of other clients', async (t) => {
  const user = await api.signUp()
  const { online, offline } = await openAll(user)
  const other = await clients.open(user, { clientId: 'another' })
  const shown = { refreshTokens: [], sessionIds: [online.family.id, other.family.id], clientId: CLIENT }
  await families.logout(shown, caller, { kind: 'client', id: CLIENT })
  t.match(await readFamily(database, online.family.id), { endReason: 'logout' })
  for (const id of [user.sessionId, offline.family.id, other.family.id]) {
    t.match(await readFamily(database, id), { endedAt: null })
  }
  t.match(await api.whoami(user.accessToken), { status: 200 })
})

t.test('a grant and a client end with all their families', async (t) => {
  const user = await api.signUp()
  const [first, second] = [await clients.open(user, { grantId: 'one' }), await clients.open(user, { grantId: 'two' })]
  const ending = { reason: 'revoked_by_user' as const, by: { actor: operator, caller } }
  await revocations.transaction((tx, revoke) => families.endGrant(tx, revoke, 'one', ending))
  t.match(await readFamily(database, first.family.id), { endReason: 'revoked_by_user' })
  t.match(await readFamily(database, second.family.id), { endedAt: null })

  const mine = await clients.open(user, { clientId: 'to-disable' })
  await families.endClient('to-disable', { ...ending, reason: 'revoked_by_admin' })
  t.match(await readFamily(database, mine.family.id), { endReason: 'revoked_by_admin' })
  t.match(await readFamily(database, second.family.id), { endedAt: null })
  await families.endClient('sallyport', ending)
  t.match(await readFamily(database, user.sessionId), { endedAt: null }, 'first-party sessions are no client’s')
})

t.test('an instance of an earlier version ends the session alone: the client is refused nevertheless', async (t) => {
  const user = await api.signUp()
  const { online, offline } = await openAll(user)
  await database.query(
    (client) => client.$executeRaw`
      UPDATE refresh_token_family SET ended_at = now(), end_reason = 'logout' WHERE id = ${user.sessionId}::uuid`,
  )
  t.match(await clients.refresh(online.refreshToken), { code: 'session_ended', reason: 'logout' })
  t.ok('tokens' in (await clients.refresh(offline.refreshToken)))
})

t.test('a logout is one statement, with and without clients', async (t) => {
  for (const count of [0, 2]) {
    const user = await api.signUp()
    for (let index = 0; index < count; index += 1) await clients.open(user)
    database.take()
    t.match(await post('/v1/auth/logout', user), { status: 204 })
    t.equal(database.take().length, 1)
  }
})

t.test('what is told of ends is told in the same statement, of clients that go on too', async (t) => {
  const user = await api.signUp()
  const { online, offline } = await openAll(user)
  await clients.open(user, { rpSid: null })
  const told = await database.transaction(async (tx) => {
    await endingStore.endFamilies(
      tx,
      { ids: [user.sessionId] },
      {
        ...{ reason: 'logout', by: null, ip: null, userAgent: null, shiftMs: clock.shiftMs },
        toldWhenEnded: (left) => [
          Prisma.sql`told AS (
            INSERT INTO audit_event (id, at, event, user_id, session_id, actor_kind, actor_id)
            SELECT gen_random_uuid(), now(), 'told', user_id, id, client_id, rp_sid FROM ${left})`,
        ],
        together: () => [],
      },
    )
    return tx.auditEvent.findMany({ where: { event: 'told' } })
  })
  t.match(
    told.sort((a, b) => (a.actorId ?? '').localeCompare(b.actorId ?? '')),
    [
      { sessionId: offline.family.id, userId: user.userId, actorKind: CLIENT, actorId: 'offline' },
      { sessionId: online.family.id, userId: user.userId, actorKind: CLIENT, actorId: 'online' },
    ],
  )
  t.equal(told.length, 2)
})

t.test(
  'a family that is opened while its session ends ends too, or is not opened',
  { skip: needsPostgres },
  async (t) => {
    const user = await api.signUp()
    let logout: Promise<unknown> = Promise.resolve()
    const online = await revocations.transaction(async (tx, revoke) => {
      const opened = await families.openForClient(tx, revoke, {
        ...{ userId: user.userId, clientId: CLIENT, scope: 'openid', audience: [], jkt: null, rpSid: null },
        ...{ parentId: user.sessionId, grantId: null, caller },
        authentication: { amr: ['pwd'], acr: 'aal1', authenticatedAt: clock.now() },
      })
      logout = post('/v1/auth/logout', user)
      // The statement of the logout has begun, and waits for the row of the session.
      for (let waiting = 0; waiting === 0;) {
        const [row] = await tx.$queryRaw<[{ waiting: number }]>`
          SELECT count(*)::int AS waiting FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`
        waiting = row.waiting
      }
      return opened
    })
    t.match(await logout, { status: 204 })
    if (online === null) return t.fail('nothing was opened')
    t.match(await readFamily(database, online.family.id), { endReason: 'logout' })
    t.ok(isRevoked(online))
    t.strictSame(await readAuditTrail(database, online.family.id), ['session_ended'])

    const late = await api.signUp()
    const racing = await Promise.all([
      post('/v1/auth/logout', late),
      clients.tryOpen(late, { parentId: late.sessionId }),
    ])
    const [, opened] = racing
    if (opened !== null) t.match(await readFamily(database, opened.family.id), { endReason: 'logout' })
  },
)
