import t from 'tap'
import { createAccessTokens } from '../../../src/features/tokens/access-token.js'
import type { VerificationKey } from '../../../src/features/tokens/signing-keys.js'
import { createTestClock } from '../../support/clock.js'

/** Access tokens whose signatures are not looked at but counted. */
function createCounted() {
  const clock = createTestClock()
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
      isWithdrawn: () => false,
      findAfterReload: (kid) => Promise.resolve(published.get(kid) ?? null),
      active: () => {
        throw new Error('Nothing is signed here.')
      },
    },
    clock,
    issuer: 'https://auth.example.com',
    audience: 'https://api.example.com',
    ttlSeconds: 600,
  })
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = encode({ alg: 'EdDSA', kid: 'k', typ: 'at+jwt' })
  const tokenOf = (sub: string, others = {}) => `${header}.${encode(issued(sub, others))}.AAAA`
  return { accessTokens, checked, clock, published, tokenOf }
}

const user = (index: number) => `019a0000-0000-7000-8000-${String(index).padStart(12, '0')}`

t.test('TOK-13: a signature is checked once for each text, and the memory of that is bounded', async (t) => {
  const { accessTokens, checked, tokenOf } = createCounted()
  for (let round = 0; round < 3; round += 1) t.equal((await accessTokens.verify(tokenOf(user(0)))).sub, user(0))
  t.equal(checked.length, 1)

  for (let index = 1; index <= 25_000; index += 1) await accessTokens.verify(tokenOf(user(index)))
  t.equal(checked.length, 25_001)
  await accessTokens.verify(tokenOf(user(0)))
  t.equal(checked.length, 25_002, 'the oldest was forgotten')
  await accessTokens.verify(tokenOf(user(25_000)))
  t.equal(checked.length, 25_002, 'the newest was not')
})

t.test('TOK-13: a token that was refused is not remembered', async (t) => {
  const { accessTokens, checked, tokenOf } = createCounted()
  const refused = tokenOf('nobody')
  for (let round = 0; round < 3; round += 1) await t.rejects(accessTokens.verify(refused), { code: 'token_invalid' })
  t.equal(checked.length, 3)
})

t.test(
  'TOK-16: what is remembered cannot be changed, goes with its key, and is checked against the time',
  async (t) => {
    const { accessTokens, clock, published, tokenOf } = createCounted()
    const token = tokenOf(user(1))
    const claims = await accessTokens.verify(token)
    t.throws(() => Object.assign(claims, { sub: user(2) }), TypeError)
    t.throws(() => claims.roles.push('admin'), TypeError)

    clock.advance({ minutes: 61 })
    await t.rejects(accessTokens.verify(token), { code: 'token_expired' })
    t.match(await accessTokens.read(token), { sub: user(1) }, 'an expired one can still be read, to log out')

    published.clear()
    await t.rejects(accessTokens.verify(token), { code: 'token_invalid' })
    t.equal(await accessTokens.read(token), null)
  },
)

t.test('TOK-16: nor can claims be changed that are not known, however deep they are', async (t) => {
  const { accessTokens, tokenOf } = createCounted()
  const act = { sub: 'x', chain: [{ act: { sub: 'y' } }] }
  const claims = await accessTokens.verify(tokenOf(user(1), { act, tenant: null }))
  t.match(claims, { act, tenant: null })
  const parts: object[] = [claims]
  for (const part of parts) {
    t.ok(Object.isFrozen(part), JSON.stringify(part))
    parts.push(...Object.values<unknown>(part).filter((value) => value instanceof Object))
  }
  t.ok(parts.length >= 7, 'down to the last')

  const nested = JSON.parse('['.repeat(2500) + ']'.repeat(2500)) as unknown
  t.match(await accessTokens.verify(tokenOf(user(2), { nested })), { sub: user(2) })
})
