import t from 'tap'
import { createAccessTokens } from '../../../src/features/tokens/access-token.js'
import type { VerificationKey } from '../../../src/features/tokens/signing-keys.js'
import { createTestClock, type TestClock } from '../../support/clock.js'

/** Access tokens without signatures, which count how often one is checked. */
function createCounted(clock = createTestClock(), signingAlgorithm: 'ES256' | 'EdDSA' = 'ES256') {
  const iat = Math.floor(clock.now().getTime() / 1000)
  const checked: string[] = []
  const key: VerificationKey = {
    kid: 'k',
    algorithm: 'EdDSA',
    jwk: { kty: 'OKP', crv: 'Ed25519', x: '' },
    jwt: {
      verify: (token: string) => {
        checked.push(token)
        return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as never
      },
    },
  }
  const published = new Map([[key.kid, key]])
  const reloaded = new Map<string, VerificationKey>()
  const ofResources = { areSigning: false, reloaded: new Map<string, VerificationKey>() }
  const withdrawn = new Set<string>()
  const issued = (sub: string, others: object) => ({
    ...{
      iss: 'https://auth.example.com',
      aud: 'https://api.example.com',
      sub,
      iat,
      nbf: iat,
      exp: iat + 3600,
      epoch: 1,
    },
    ...{ jti: sub, sid: sub, client_id: 'c', roles: ['reader'], scope: '', auth_time: iat, amr: ['pwd'] },
    ...others,
  })
  const accessTokens = createAccessTokens({
    keys: {
      find: (kid) => published.get(kid) ?? null,
      isWithdrawn: (kid) => withdrawn.has(kid),
      findAfterReload: (kid) => Promise.resolve(published.get(kid) ?? reloaded.get(kid) ?? null),
      active: () => ({ kid: key.kid, jwt: { sign: (claims: unknown) => unsigned(claims) } }),
    },
    resourceKeys: {
      get isSigning() {
        return ofResources.areSigning
      },
      find: () => null,
      isWithdrawn: () => false,
      findAfterReload: (kid) => Promise.resolve(ofResources.reloaded.get(kid) ?? null),
      active: () => ({ kid: 'resource', jwt: { sign: (claims) => unsigned(claims, 'resource') } }),
    },
    signingAlgorithm,
    clock,
    issuer: 'https://auth.example.com',
    audience: 'https://api.example.com',
    ttlSeconds: 600,
  })
  return {
    accessTokens,
    checked,
    clock,
    key,
    published,
    reloaded,
    ofResources,
    withdrawn,
    tokenOf: (sub: string, others = {}, kid = key.kid) => unsigned(issued(sub, others), kid),
  }
}

function unsigned(claims: unknown, kid = 'k'): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'EdDSA', kid, typ: 'at+jwt' })}.${encode(claims)}.AAAA`
}

const user = (index: number) => `019a0000-0000-7000-8000-${String(index).padStart(12, '0')}`

t.test('TOK-13: a refused token is not cached', async (t) => {
  const { accessTokens, checked, tokenOf } = createCounted()
  const refused = tokenOf('nobody')
  for (let round = 0; round < 3; round += 1) await t.rejects(accessTokens.verify(refused), { code: 'token_invalid' })
  t.equal(checked.length, 3)
})

t.test('TOK-16: cached claims are immutable, removed with their key, and checked against the time', async (t) => {
  const { accessTokens, clock, published, tokenOf } = createCounted()
  const token = tokenOf(user(1))
  const claims = await accessTokens.verify(token)
  t.throws(() => Object.assign(claims, { sub: user(2) }), TypeError)
  t.throws(() => claims.roles.push('admin'), TypeError)

  clock.advance({ minutes: 61 })
  await t.rejects(accessTokens.verify(token), { code: 'token_expired' })
  t.match(await accessTokens.read(token), { sub: user(1) }, 'an expired one can still be read for a logout')

  published.clear()
  await t.rejects(accessTokens.verify(token), { code: 'token_invalid' })
  t.equal(await accessTokens.read(token), null)
})

t.test('keys of resources are read again for an unknown one, but only where any of them sign', async (t) => {
  const { accessTokens, key, ofResources, tokenOf } = createCounted()
  const token = tokenOf(user(1), {}, 'resource')
  ofResources.reloaded.set('resource', { ...key, kid: 'resource' })
  await t.rejects(accessTokens.verify(token), { code: 'token_invalid' })
  ofResources.areSigning = true
  t.match(await accessTokens.verify(token), { sub: user(1) })
  await t.rejects(accessTokens.verify(tokenOf(user(1), {}, 'unknown')), { code: 'token_invalid' })
})

t.test('the authorization server reads tokens for any audience, and those that are bound to a key', async (t) => {
  const { accessTokens, clock, tokenOf, withdrawn, published } = createCounted()
  const elsewhere = tokenOf(user(1), { aud: ['https://orders.example'] })
  const bound = tokenOf(user(1), { cnf: { jkt: 'key' } })
  for (const token of [elsewhere, bound]) {
    await t.rejects(accessTokens.verify(token), { code: 'token_invalid' })
    t.match(await accessTokens.verifyIssued(token), { sub: user(1) })
  }
  t.strictSame((await accessTokens.verifyIssued(bound)).cnf, { jkt: 'key' })
  t.equal((await accessTokens.verifyIssued(elsewhere)).cnf, undefined)
  const refused = [
    tokenOf(user(1), { iss: 'https://elsewhere.example' }),
    tokenOf(user(1), { cnf: { 'x5t#S256': 'certificate' } }),
    tokenOf(user(1), { cnf: null }),
    tokenOf(user(1), { exp: null }),
    tokenOf('nobody'),
    'nonsense',
  ]
  for (const token of refused) {
    await t.rejects(accessTokens.verifyIssued(token), { code: 'token_invalid' })
    t.equal(await accessTokens.readIssued(token), null)
  }
  clock.advance({ minutes: 61 })
  await t.rejects(accessTokens.verifyIssued(bound), { code: 'token_expired' })
  t.match(await accessTokens.readIssued(bound), { cnf: { jkt: 'key' } })
  published.clear()
  withdrawn.add('k')
  await t.rejects(accessTokens.verifyIssued(bound), { code: 'token_stale' })
})

t.test('TOK-16: unknown claims are immutable too, at any depth', async (t) => {
  const { accessTokens, tokenOf } = createCounted()
  const act = { sub: 'x', chain: [{ act: { sub: 'y' } }] }
  const claims = await accessTokens.verify(tokenOf(user(1), { act, tenant: null }))
  t.match(claims, { act, tenant: null })
  const parts: unknown[] = [claims]
  const isParent = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
  for (const part of parts) {
    t.ok(Object.isFrozen(part), JSON.stringify(part))
    if (isParent(part)) parts.push(...Object.values(part))
  }
  t.ok(parts.includes(act.chain[0]?.act.sub), 'at the deepest level')

  const nested = JSON.parse('['.repeat(2500) + ']'.repeat(2500)) as unknown
  t.match(await accessTokens.verify(tokenOf(user(2), { nested })), { sub: user(2) })
})

/** A clock that does not advance. */
function createStoppedClock(): TestClock & { stopAt(ms: number): void } {
  let nowMs = Date.now()
  return Object.assign(createTestClock(), { now: () => new Date(nowMs), stopAt: (ms: number) => (nowMs = ms) })
}

t.test('TOK-09: a token is expired as soon as its time and the tolerance are over', async (t) => {
  const clock = createStoppedClock()
  const { accessTokens, tokenOf } = createCounted(clock)
  const token = tokenOf(user(1))
  const { exp, nbf } = await accessTokens.verify(token)
  clock.stopAt(exp * 1000 + 4_999)
  t.match(await accessTokens.verify(token), { sub: user(1) })
  clock.stopAt(exp * 1000 + 5_000)
  await t.rejects(accessTokens.verify(token), { code: 'token_expired' })

  clock.stopAt(nbf * 1000 - 5_000)
  t.match(await accessTokens.verify(token), { sub: user(1) }, 'a clock that is ahead by the tolerance')
  clock.stopAt(nbf * 1000 - 5_001)
  await t.rejects(accessTokens.verify(token), { code: 'token_invalid' })
})

t.test('TOK-09: a token that is issued in the last second of its session expires after it was issued', async (t) => {
  const { accessTokens, clock } = createCounted(createStoppedClock())
  const subject = { userId: user(1), sessionId: user(2), epoch: 1, roles: [], amr: ['pwd'], acr: 'aal1' }
  const issuedAt = clock.now()
  const { token, expiresAt, expiresInSeconds } = accessTokens.issue(
    { ...subject, authenticatedAt: issuedAt },
    { issuedAt, notAfter: issuedAt },
  )
  t.equal(expiresInSeconds, 1)
  const claims = await accessTokens.verify(token)
  t.equal(claims.exp, claims.iat + 1)
  t.equal(expiresAt.getTime(), claims.exp * 1000)
})

t.test('TOK-12: a text that is not a token is refused', async (t) => {
  const { accessTokens, checked } = createCounted()
  for (const text of ['', 'text', 'e30.e30.AAAA']) {
    await t.rejects(accessTokens.verify(text), { code: 'token_invalid' })
    t.equal(await accessTokens.read(text), null)
    t.equal(accessTokens.recall(text), null)
  }
  t.strictSame(checked, [], 'no signature is checked')
})

t.test('the token of a withdrawn key is stale', async (t) => {
  const { accessTokens, published, withdrawn, tokenOf } = createCounted()
  withdrawn.add('k')
  published.clear()
  await t.rejects(accessTokens.verify(tokenOf(user(1))), { code: 'token_stale' })
})

t.test('a verified token is cached while it is valid and its key is published', async (t) => {
  const { accessTokens, clock, published, tokenOf } = createCounted()
  const token = tokenOf(user(1))
  t.equal(accessTokens.recall(token), null)
  const claims = await accessTokens.verify(token)
  t.equal(accessTokens.recall(token), claims)
  clock.advance({ minutes: 61 })
  t.throws(() => accessTokens.recall(token), { code: 'token_expired' })
  published.clear()
  t.equal(accessTokens.recall(token), null)
})

t.test('TOK-07, TOK-08: a genuine token with another issuer or audience is refused and not cached', async (t) => {
  const { accessTokens, tokenOf } = createCounted()
  for (const other of [{ iss: 'https://other.example.com' }, { aud: 'https://other.example.com' }]) {
    const token = tokenOf(user(1), other)
    await t.rejects(accessTokens.verify(token), { code: 'token_invalid' })
    t.equal(await accessTokens.read(token), null)
    t.equal(accessTokens.recall(token), null)
  }
})

t.test('KEY-03: a key that another instance has created is found by reading the keys again', async (t) => {
  const { accessTokens, published, reloaded, tokenOf } = createCounted()
  for (const [kid, key] of published) reloaded.set(kid, key)
  published.clear()
  t.match(await accessTokens.verify(tokenOf(user(1))), { sub: user(1) })
})

t.test('TOK-03: a token must name the algorithm of its key', async (t) => {
  const { accessTokens, checked, published, tokenOf } = createCounted()
  for (const [kid, key] of published) published.set(kid, { ...key, algorithm: 'ES256' })
  await t.rejects(accessTokens.verify(tokenOf(user(1))), { code: 'token_invalid' })
  t.strictSame(checked, [], 'no signature is checked')
})

t.test('TOK-10: an access token has the claims of its session, and expires with it at the latest', async (t) => {
  const clock = createStoppedClock()
  const { accessTokens } = createCounted(clock)
  clock.stopAt(1_767_225_600_900)
  const issuedAt = clock.now()
  const subject = {
    ...{ userId: user(1), sessionId: user(2), epoch: 7, roles: ['admin'], amr: ['pwd'], acr: 'aal2' },
    authenticatedAt: new Date(1_767_000_000_900),
  }
  const { token, ...times } = accessTokens.issue(subject, { issuedAt, notAfter: new Date(1_800_000_000_000) })
  t.strictSame(times, { expiresAt: new Date(1_767_226_200_000), expiresInSeconds: 600 })
  const { jti, ...claims } = await accessTokens.verify(token)
  t.match(jti, /^[0-9a-f-]{36}$/)
  t.strictSame(claims, {
    ...{ iss: 'https://auth.example.com', aud: 'https://api.example.com', client_id: 'sallyport' },
    ...{ iat: 1_767_225_600, nbf: 1_767_225_600, exp: 1_767_226_200 },
    ...{
      sub: user(1),
      sid: user(2),
      epoch: 7,
      roles: ['admin'],
      scope: '',
      auth_time: 1_767_000_000,
      amr: ['pwd'],
      acr: 'aal2',
    },
  })
  const { expiresInSeconds } = accessTokens.issue(subject, { issuedAt, notAfter: new Date(1_767_225_700_999) })
  t.equal(expiresInSeconds, 100)
})

t.test('TOK-13: a signature is checked once for each text, and the cache is bounded', async (t) => {
  const { accessTokens, checked, tokenOf } = createCounted()
  for (let round = 0; round < 3; round += 1) t.equal((await accessTokens.verify(tokenOf(user(0)))).sub, user(0))
  t.equal(checked.length, 1)

  for (let index = 1; index <= 25_000; index += 1) await accessTokens.verify(tokenOf(user(index)))
  t.equal(checked.length, 25_001)
  await accessTokens.verify(tokenOf(user(0)))
  t.equal(checked.length, 25_002, 'the oldest was evicted')
  await accessTokens.verify(tokenOf(user(25_000)))
  t.equal(checked.length, 25_002, 'the newest was not')
})

const issuedAt = new Date('2026-06-01T12:00:00.700Z')
const iat = Date.parse('2026-06-01T12:00:00Z') / 1000
const grant = {
  client: { clientId: 'billing', epoch: 1767225600123 },
  ...{ scope: 'orders:read', audience: ['https://orders.example.com'] },
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

t.test("TOK-10: a client's own token has no claim of a user or a session", async (t) => {
  const { accessTokens } = createCounted()
  const { token, expiresInSeconds, expiresAt } = accessTokens.issueToClient(grant, { issuedAt })
  const { jti, aud, ...claims } = claimsOf(token)
  t.strictSame(claims, {
    ...{ iss: 'https://auth.example.com', sub: 'billing', client_id: 'billing', client_epoch: 1767225600123 },
    ...{ iat, nbf: iat, exp: iat + 600, scope: 'orders:read', roles: [] },
  })
  t.type(jti, 'string')
  t.strictSame([aud].flat(), ['https://orders.example.com'])
  t.strictSame([expiresInSeconds, expiresAt.getTime()], [600, (iat + 600) * 1000])
})

t.test(
  'TOK-10: what a client is granted is in its tokens, and the first party has no client to be disabled',
  async (t) => {
    const { accessTokens } = createCounted()
    const given = accessTokens.issueToClient({ ...grant, jkt: 'thumbprint', ttlSeconds: 60 }, { issuedAt })
    t.match(claimsOf(given.token), { exp: iat + 60, cnf: { jkt: 'thumbprint' } })
    const longest = accessTokens.issueToClient({ ...grant, ttlSeconds: 86_400 }, { issuedAt })
    t.equal(longest.expiresInSeconds, 3600, 'no entry of the feed would outlive a longer one')

    const subject = {
      ...{ userId: user(1), sessionId: user(2), epoch: 1, roles: [] },
      ...{ authenticatedAt: issuedAt, amr: ['pwd'], acr: 'aal1' },
    }
    const at = { issuedAt, notAfter: new Date((iat + 300) * 1000) }
    const ofUser = claimsOf(accessTokens.issue(subject, at, grant).token)
    t.match(ofUser, {
      ...{ sub: user(1), sid: user(2), client_id: 'billing', client_epoch: 1767225600123, scope: 'orders:read' },
      exp: iat + 300,
    })
    t.strictSame([ofUser.aud].flat(), ['https://orders.example.com'])
    const ours = claimsOf(accessTokens.issue(subject, at).token)
    t.match(ours, { client_id: 'sallyport', scope: '', aud: 'https://api.example.com' })
    t.notOk('client_epoch' in ours)
  },
)

t.test(
  'RFC 8707: a token is for its resources, and for the issuer where it opens UserInfo or is for no resource',
  async (t) => {
    const { accessTokens } = createCounted()
    const [orders, billing, issuer] = [
      'https://orders.example.com',
      'https://billing.example.com',
      'https://auth.example.com',
    ]
    const table: [string, string[], string | string[]][] = [
      ['orders:read', [orders], orders],
      ['orders:read', [orders, billing], [orders, billing]],
      ['orders:read', [orders, orders], orders],
      ['openid orders:read', [orders], [orders, issuer]],
      ['orders:openid', [orders], orders],
      ['openid', [], issuer],
      ['', [], issuer],
      ['openid', [issuer], issuer],
    ]
    for (const [scope, audience, expected] of table) {
      const { token } = accessTokens.issueToClient({ ...grant, scope, audience }, { issuedAt })
      t.strictSame(claimsOf(token)['aud'], expected, `"${scope}" for ${audience.join(' ')}`)
    }
  },
)

t.test('a token is signed with the key of its algorithm', async (t) => {
  const kidOf = (token: string) =>
    (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid
  for (const [signing, wanted, kid] of [
    ['ES256', undefined, 'k'],
    ['ES256', 'ES256', 'k'],
    ['EdDSA', undefined, 'k'],
    ['EdDSA', 'ES256', 'resource'],
  ] as const) {
    const { accessTokens } = createCounted(createTestClock(), signing)
    const { token } = accessTokens.issueToClient({ ...grant, algorithm: wanted }, { issuedAt })
    t.equal(kidOf(token), kid, `${wanted ?? 'the default'} where ${signing} is the default`)
  }
})
