// The applications that act for a user: in the API, in the client, and on the account page.

import t from 'tap'
import { createOwnApps } from '../../src/features/account/account.js'
import { operator } from '../../src/features/audit/audit.js'
import { startApp } from '../support/app.js'
import { caller, CLIENT, createClientCalls } from '../support/client-families.js'
import { createVisitor } from '../support/page-visitor.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

interface AppList {
  apps: { client_id: string; name: string; scopes: string[]; first_used_at: string; last_used_at: string }[]
}

const { app, api, browser, clock, config, database } = await startApp(t)
const { families, revocations } = app.operator
const clients = createClientCalls({ app, clock })

const list = async (token: string) => (await api.call<AppList>('/v1/me/apps', { token })).body.apps
const end = (token: string, clientId: string) =>
  api.call(`/v1/me/apps/${encodeURIComponent(clientId)}`, { method: 'DELETE', token })

t.test('a user sees the applications with active sessions, and since when each has been used', async (t) => {
  const [user, other] = [await api.signUp(), await api.signUp()]
  t.strictSame(await list(user.accessToken), [])
  const first = await clients.open(user, { scope: 'orders:read openid' })
  await clients.open(other, { clientId: 'of-another-user' })
  clock.advance({ minutes: 1 })
  await clients.open(user, { scope: 'offline_access openid' })
  const second = await clients.open(user, { clientId: 'https://client.example/metadata.json', scope: '' })
  clock.advance({ minutes: 1 })
  await clients.refresh(first.refreshToken)
  const { createdAt, lastUsedAt } = await readFamily(database, first.family.id)
  t.ok(lastUsedAt.getTime() - createdAt.getTime() >= 120_000)
  const secondUsedAt = second.family.createdAt.toISOString()
  t.strictSame(await list(user.accessToken), [
    {
      ...{ client_id: CLIENT, name: CLIENT, scopes: ['offline_access', 'openid', 'orders:read'] },
      ...{ first_used_at: createdAt.toISOString(), last_used_at: lastUsedAt.toISOString() },
    },
    {
      ...{ client_id: 'https://client.example/metadata.json', name: 'https://client.example/metadata.json' },
      ...{ scopes: [], first_used_at: secondUsedAt, last_used_at: secondUsedAt },
    },
  ])
  const { body } = await api.call<{ sessions: { id: string }[] }>('/v1/sessions', { token: user.accessToken })
  t.strictSame(
    body.sessions.map(({ id }) => id),
    [user.sessionId],
    'they are no sessions of their own',
  )
})

t.test('a user ends an application: its sessions end, and those of no other', async (t) => {
  const [user, other] = [await api.signUp(), await api.signUp()]
  const online = await clients.open(user)
  const offline = await clients.open(user, { scope: 'offline_access' })
  const kept = await clients.open(user, { clientId: 'another' })
  const theirs = await clients.open(other)
  t.match(await end(user.accessToken, CLIENT), { status: 204 })
  for (const { family, refreshToken } of [online, offline]) {
    t.match(await readFamily(database, family.id), { endReason: 'revoked_by_user', endedBy: user.userId })
    t.match(await clients.refresh(refreshToken), { code: 'session_ended', reason: 'revoked_by_user' })
    t.strictSame(await readAuditTrail(database, family.id), ['session_ended', 'refresh_refused'])
  }
  for (const { family } of [kept, theirs]) t.match(await readFamily(database, family.id), { endedAt: null })
  t.match(await readFamily(database, user.sessionId), { endedAt: null })
  t.strictSame(
    (await list(user.accessToken)).map(({ client_id }) => client_id),
    ['another'],
  )
})

t.test('HTTP-14: an application that does not act for the user is not found', async (t) => {
  const [user, other] = [await api.signUp(), await api.signUp()]
  await clients.open(other)
  const mine = await clients.open(user, { clientId: 'https://client.example/a?b=c#d' })
  for (const clientId of [CLIENT, 'sallyport', 'x'.repeat(2000), "'--", '%00', '\0', 'é', '../me']) {
    t.match(await end(user.accessToken, clientId), { status: 404, body: { code: 'not_found' } }, clientId)
  }
  t.match(await end(user.accessToken, mine.family.clientId), { status: 204 })
  t.match(await end(user.accessToken, mine.family.clientId), { status: 404 })
  t.match(await api.whoami(user.accessToken), { status: 200 })
})

t.test('a client’s session is none in the list of sessions: it is neither named nor ended there', async (t) => {
  const user = await api.signUp()
  const { family } = await clients.open(user)
  const { accessToken: token } = user
  for (const call of [{ method: 'DELETE' as const }, { method: 'PATCH' as const, body: { device_name: 'Mine' } }]) {
    t.match(await api.call(`/v1/sessions/${family.id}`, { token, ...call }), { status: 404 })
  }
  await families.logout({ refreshTokens: [], sessionIds: [family.id], clientId: null }, caller, operator)
  const { body } = await api.call<{ sessions: object[] }>('/v1/sessions?ended=true', { token })
  t.strictSame(body.sessions, [])
})

t.test(
  'names are those of the clients, and what the user agreed to is forgotten in the same transaction',
  async (t) => {
    const user = await api.signUp()
    const { family } = await clients.open(user)
    const forgotten: object[] = []
    const ownApps = createOwnApps({
      ...{ revocations, families },
      known: {
        namesOf: (ids) => Promise.resolve(new Map(ids.map((id) => [id, `The ${id}`]))),
        forgetConsent: (_tx, which) => {
          forgotten.push(which)
          return Promise.reject(new Error('the database is gone'))
        },
      },
    })
    t.match(await ownApps.list(user.userId), [{ clientId: CLIENT, name: `The ${CLIENT}` }])
    await t.rejects(ownApps.end(user.userId, 'another', caller), { code: 'not_found' })
    t.strictSame(forgotten, [])
    await t.rejects(ownApps.end(user.userId, CLIENT, caller), /the database is gone/)
    t.strictSame(forgotten[0], { userId: user.userId, clientId: CLIENT })
    t.match(await readFamily(database, family.id), { endedAt: null })
  },
)

t.test('the account page lists them, and ends one', async (t) => {
  const visitor = createVisitor({ browser, config })
  const email = `${crypto.randomUUID()}@example.com`
  await visitor.register(email)
  t.notMatch((await visitor.open('/account')).body, 'id="apps"')
  const { sessionId, userId } = await database.query(async (client) => {
    const { id, families } = await client.user.findUniqueOrThrow({ where: { email }, include: { families: true } })
    return { userId: id, sessionId: families[0]?.id ?? '' }
  })
  const { family } = await clients.open({ userId, sessionId }, { clientId: 'https://client.example/<b>' })
  const { body } = await visitor.open('/account')
  t.match(body, 'https://client.example/&lt;b>')
  t.match(body, 'recognize you when you sign in, orders:read')
  const [, action = ''] = /action="(\/account\/apps\/[^"]+)"/.exec(body) ?? []
  t.match(await visitor.send(action), { status: 303, headers: { location: '/account?done=app' } })
  t.match(await readFamily(database, family.id), { endReason: 'revoked_by_user' })
  t.match((await visitor.open('/account?done=app')).body, 'The access of the application is ended.')
  t.match(await visitor.send(action), { status: 404 })
})
