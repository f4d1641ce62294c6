// The families of OAuth clients: what their tokens say, and how they rotate.

import { decodeJwt } from 'jose'
import t from 'tap'
import type { ClientTokens } from '../../src/features/families/families.js'
import { startApp } from '../support/app.js'
import { caller, CLIENT, createClientCalls, type RefreshedOrRefused } from '../support/client-families.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

const ISSUER = 'http://localhost:3000'
const RESOURCE = 'https://orders.example'

const { app, api, clock, database } = await startApp(t, { settings: { MAX_SESSIONS_PER_USER: '3' } })
const { families } = app.operator
const clients = createClientCalls({ app, clock })

/** The client is not registered here, so it has no epoch of its own. */
const EPOCH = { clientEpoch: 1 }

const claimsOf = (tokens: ClientTokens, narrowed: { scope?: string; audience?: readonly string[] } = {}) =>
  decodeJwt(tokens.issueAccessToken({ ...EPOCH, ...narrowed }).token)

function tokensOf(answer: RefreshedOrRefused): ClientTokens {
  if (!('tokens' in answer)) throw new Error(`The refresh was refused: ${answer.code}`)
  return answer.tokens
}

t.test('a family is opened with the id and the token that were made beforehand', async (t) => {
  const user = await api.signUp()
  const id = crypto.randomUUID()
  const text = families.createToken()
  const token = families.parse(text)
  if (token === null) throw new Error('The token cannot be read.')
  const authenticatedAt = new Date(clock.now().getTime() - 60_000)
  const opened = await clients.open(user, {
    ...{ id, token, jkt: 'key', authentication: { amr: ['pwd', 'otp', 'mfa'], acr: 'aal2', authenticatedAt } },
  })
  t.equal(opened.refreshToken, text)
  const row = await readFamily(database, id)
  t.match(row, {
    ...{ id, userId: user.userId, mode: 'client', clientId: CLIENT, scope: 'openid orders:read', audience: [RESOURCE] },
    ...{ cnfJkt: 'key', rpSid: 'rp-sid', parentId: user.sessionId, grantId: 'grant', generation: 0, remember: true },
    ...{ ip: caller.ip, userAgent: caller.userAgent, deviceName: null, acr: 'aal2', authenticatedAt },
  })
  const identified = await families.identify(token)
  t.match(identified, {
    ended: null,
    family: {
      ...{ id, userId: user.userId, clientId: CLIENT, scope: 'openid orders:read', audience: [RESOURCE], jkt: 'key' },
      ...{ rpSid: 'rp-sid', parentId: user.sessionId, grantId: 'grant', amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' },
      ...{ authenticatedAt, expiresAt: row.expiresAt },
    },
  })
  await t.rejects(clients.open(user, { token: { ...token, generation: 1 } }), /first generation/)
})

t.test('its access token names the client, the scope, the resources and the key', async (t) => {
  const user = await api.signUp()
  const opened = await clients.open(user)
  const claims = claimsOf(opened)
  t.match(claims, {
    ...{ iss: ISSUER, sub: user.userId, sid: opened.family.id, client_id: CLIENT, scope: 'openid orders:read' },
    ...{ aud: [RESOURCE, ISSUER], amr: ['pwd'], acr: 'aal1', roles: [] },
  })
  t.equal(claims.cnf, undefined)
  t.equal((claims.exp ?? 0) - (claims.iat ?? 0), 600)

  const audiences: [scope: string, audience: string[], aud: string | string[]][] = [
    ['orders:read', [RESOURCE], RESOURCE],
    ['orders:read', [RESOURCE, 'https://bills.example'], [RESOURCE, 'https://bills.example']],
    ['openid', [RESOURCE], [RESOURCE, ISSUER]],
    ['openid', [ISSUER], ISSUER],
    ['openid', [], ISSUER],
    ['', [], ISSUER],
    ['not_openid', [RESOURCE], RESOURCE],
  ]
  for (const [scope, audience, aud] of audiences) {
    t.strictSame(claimsOf(await clients.open(user, { scope, audience })).aud, aud, `${scope} ${audience.join(' ')}`)
  }
  t.strictSame(claimsOf(await clients.open(user, { jkt: 'key' })).cnf, { jkt: 'key' })
  const confidential = await clients.open(user, { jkt: null, provenJkt: 'key' })
  t.strictSame(claimsOf(confidential).cnf, { jkt: 'key' }, 'of a client whose refresh tokens are not bound')
  t.equal((await readFamily(database, confidential.family.id)).cnfJkt, null)
})

t.test('a refresh rotates it, and the access token says the same, or less where less is asked for', async (t) => {
  const user = await api.signUp()
  const opened = await clients.open(user)
  clock.advance({ minutes: 5 })
  const first = tokensOf(await clients.refresh(opened.refreshToken))
  t.not(first.refreshToken, opened.refreshToken)
  t.match(await readFamily(database, opened.family.id), { generation: 1, ip: caller.ip })
  const same = ['sub', 'sid', 'client_id', 'scope', 'aud', 'auth_time', 'amr', 'acr', 'epoch']
  const pick = (tokens: ClientTokens) => same.map((name) => claimsOf(tokens)[name])
  t.strictSame(pick(first), pick(opened))
  t.match(claimsOf(first, { scope: 'orders:read', audience: [RESOURCE] }), { scope: 'orders:read', aud: RESOURCE })
  const second = tokensOf(await clients.refresh(first.refreshToken))
  t.strictSame(pick(second), pick(opened), 'the family keeps what was granted')
})

t.test(
  'REF-08: an attempt key gives a lost answer again after a day; without one, within the grace period',
  async (t) => {
    const user = await api.signUp()
    const opened = await clients.open(user, { scope: 'openid offline_access' })
    const attemptKey = 'an-attempt-of-the-client'
    const first = tokensOf(await clients.refresh(opened.refreshToken, { attemptKey }))
    clock.advance({ days: 1 })
    const again = tokensOf(await clients.refresh(opened.refreshToken, { attemptKey }))
    t.equal(again.refreshToken, first.refreshToken)
    t.match(claimsOf(again), { client_id: CLIENT, sid: opened.family.id })

    const second = tokensOf(await clients.refresh(first.refreshToken))
    t.equal(tokensOf(await clients.refresh(first.refreshToken)).refreshToken, second.refreshToken)
    const other = await clients.refresh(first.refreshToken, { attemptKey: 'another-attempt-meanwhile' })
    t.match(other, { code: 'refresh_superseded' })
    t.match(await readFamily(database, opened.family.id), { generation: 2, endedAt: null })

    clock.advance({ seconds: 11 })
    t.match(await clients.refresh(first.refreshToken), { code: 'refresh_token_reused' })
    t.match(await clients.refresh(second.refreshToken), { code: 'session_ended', reason: 'reuse_detected' })
    t.match(await readFamily(database, user.sessionId), { endedAt: null }, 'the browser session goes on')
  },
)

t.test(
  'lost_answer until_used: the same answer after a day, once; a second one in a row is taken for a theft',
  async (t) => {
    const user = await api.signUp()
    const opened = await clients.open(user, { scope: 'openid offline_access' })
    const untilUsed = { lostAnswer: 'until_used' as const }
    const late = async (token: string) => {
      clock.advance({ days: 1 })
      return clients.refresh(token, untilUsed)
    }
    const first = tokensOf(await clients.refresh(opened.refreshToken, untilUsed))
    const retried = [await late(opened.refreshToken), await late(opened.refreshToken)]
    for (const answer of retried) t.equal(tokensOf(answer).refreshToken, first.refreshToken)
    t.match(await readFamily(database, opened.family.id), { generation: 1, lateGeneration: 0 })
    t.strictSame(await readAuditTrail(database, opened.family.id), ['refresh_late_replay', 'refresh_late_replay'])

    const second = tokensOf(await late(first.refreshToken))
    const third = tokensOf(await late(second.refreshToken))
    t.equal(tokensOf(await late(second.refreshToken)).refreshToken, third.refreshToken, 'one answer arrived in between')
    const fourth = tokensOf(await late(third.refreshToken))
    t.match(await late(third.refreshToken), { code: 'refresh_token_reused' })
    t.match(await late(fourth.refreshToken), { code: 'session_ended', reason: 'reuse_detected' })
  },
)

t.test('RFC 9449: a refresh token that is bound to a key is refused without its proof, and nothing ends', async (t) => {
  const user = await api.signUp()
  const opened = await clients.open(user, { jkt: 'key' })
  for (const jkt of [null, 'another']) {
    t.match(await clients.refresh(opened.refreshToken, { jkt }), { code: 'refresh_token_invalid' })
  }
  t.match(await readFamily(database, opened.family.id), { generation: 0, endedAt: null })
  t.strictSame(await readAuditTrail(database, opened.family.id), Array(2).fill('refresh_wrong_key'))
  const first = tokensOf(await clients.refresh(opened.refreshToken, { jkt: 'key' }))
  t.strictSame(claimsOf(first).cnf, { jkt: 'key' })
  t.match(
    await clients.refresh(opened.refreshToken, { jkt: null }),
    { code: 'refresh_token_invalid' },
    'a spent one too',
  )
  t.match(tokensOf(await clients.refresh(first.refreshToken, { jkt: 'key' })).family, { jkt: 'key' })
})

t.test('RFC 6749, 10.4: a refresh token of another client is refused, and nothing ends', async (t) => {
  const user = await api.signUp()
  const opened = await clients.open(user)
  t.match(await clients.refresh(opened.refreshToken, { clientId: 'another' }), { code: 'refresh_token_invalid' })
  t.match(await readFamily(database, opened.family.id), { generation: 0, endedAt: null })
  t.ok('tokens' in (await clients.refresh(opened.refreshToken)))
})

t.test('nothing is opened for a user who is banned or gone, or has changed a credential meanwhile', async (t) => {
  const user = await api.signUp()
  const write = (data: object) =>
    database.query((client) => client.user.update({ where: { id: user.userId }, data, select: { trustEpoch: true } }))
  const { trustEpoch } = await write({})
  t.not(await clients.tryOpen(user, { trustEpoch }), null)
  await write({ bannedAt: clock.now() })
  t.equal(await clients.tryOpen(user), null)
  await write({ bannedAt: null })
  await write({ trustEpoch: { increment: 1 } })
  t.equal(await clients.tryOpen(user, { trustEpoch }), null)
  t.not(await clients.tryOpen(user), null, 'unless that is not asked')
  t.equal(await clients.tryOpen({ userId: crypto.randomUUID() }), null)
})

t.test('nothing is opened under a session that has ended, is idle, is another user’s, or a client’s', async (t) => {
  const [user, other] = [await api.signUp(), await api.signUp()]
  const child = await clients.open(user)
  for (const parentId of [other.sessionId, child.family.id, crypto.randomUUID()]) {
    t.equal(await clients.tryOpen(user, { parentId }), null)
  }
  await api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken })
  for (const scope of ['openid', 'openid offline_access']) {
    t.equal(await clients.tryOpen(user, { scope, parentId: user.sessionId }), null, scope)
  }
  clock.advance({ days: 31 })
  t.equal(await clients.tryOpen(other, { parentId: other.sessionId }), null)
})

t.test('a family ends with its session by time; with offline_access, by its own time', async (t) => {
  const user = await api.signUp()
  const { body } = await api.login({ email: user.email, password: user.password, mode: 'cookie' })
  const session = { ...user, sessionId: body.session.id }
  const online = await clients.open(session)
  const offline = await clients.open(session, { scope: 'offline_access' })
  const { expiresAt } = await readFamily(database, session.sessionId)
  t.strictSame(online.family.expiresAt, expiresAt)
  t.ok(offline.family.expiresAt > expiresAt)

  let [a, b] = [online.refreshToken, offline.refreshToken]
  clock.advance({ days: 6 })
  ;[a, b] = [tokensOf(await clients.refresh(a)).refreshToken, tokensOf(await clients.refresh(b)).refreshToken]
  clock.advance({ days: 2 })
  t.match(await clients.refresh(a), { code: 'session_ended', reason: 'idle' })
  const token = families.parse(a)
  t.match(token && (await families.identify(token)), { ended: { reason: 'idle' } })
  b = tokensOf(await clients.refresh(b)).refreshToken
  clock.advance({ days: 29 })
  t.ok('tokens' in (await clients.refresh(b)))
})

t.test('to open a family is a use of the session', async (t) => {
  const user = await api.signUp()
  clock.advance({ days: 1 })
  await clients.open(user)
  t.match(await readFamily(database, user.sessionId), { lastUsedAt: clock.now(), children: 1 })
})

t.test('MAX_SESSIONS_PER_USER: families with a parent do not count, those without do', async (t) => {
  const user = await api.signUp()
  const children: ClientTokens[] = []
  for (let index = 0; index < 5; index += 1) children.push(await clients.open(user, { scope: 'offline_access' }))
  const again = async () =>
    (await api.login({ email: user.email, password: user.password, mode: 'json' })).body.session.id
  const second = await again()
  for (const { family } of children) t.match(await readFamily(database, family.id), { endedAt: null })
  t.match(await readFamily(database, user.sessionId), { endedAt: null })
  const device = await clients.tryOpen(user)
  t.match(await readFamily(database, user.sessionId), { endedAt: null })
  const third = await again()
  t.match(await readFamily(database, user.sessionId), { endReason: 'limit' })
  await clients.tryOpen(user)
  t.match(await readFamily(database, second), { endReason: 'limit' })
  const stillLive = [...children.map(({ family }) => family.id), device?.family.id ?? '', third]
  for (const id of stillLive) t.match(await readFamily(database, id), { endedAt: null })
})

t.test('of one client, a user has at most a hundred families; the least recently used ends', async (t) => {
  const user = await api.signUp()
  const oldest = await clients.open(user)
  const other = await clients.open(user, { clientId: 'another' })
  for (let index = 1; index < 100; index += 1) {
    clock.advance({ seconds: 1 })
    await clients.open(user)
  }
  t.match(await readFamily(database, oldest.family.id), { endedAt: null })
  await clients.open(user)
  t.match(await readFamily(database, oldest.family.id), { endReason: 'limit' })
  t.match(await readFamily(database, other.family.id), { endedAt: null })
})

t.test('a token for another audience, or bound to a key, is read by the authorization server alone', async (t) => {
  const user = await api.signUp()
  const opened = await clients.open(user, { scope: 'orders:read', jkt: 'key' })
  const { token } = opened.issueAccessToken(EPOCH)
  t.match(await api.whoami(token), { status: 401, body: { code: 'token_invalid' } })
  const toIssuer = (await clients.open(user, { scope: 'openid' })).issueAccessToken(EPOCH).token
  t.match(await api.whoami(toIssuer), { status: 403, body: { code: 'forbidden' } })
})
