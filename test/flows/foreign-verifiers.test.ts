// Libraries of others verify our tokens as docs/verifiers.md configures them.

import { fastify } from 'fastify'
import { expressjwt } from 'express-jwt'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import jsonwebtoken, { type VerifyOptions } from 'jsonwebtoken'
import { expressJwtSecret, JwksClient } from 'jwks-rsa'
import t from 'tap'
import { createVerifier } from '../../src/sdk/verifier/verifier.js'
import { startApp, type Test, type TestApp } from '../support/app.js'

interface Listening extends TestApp {
  keySet: string
  expected: { issuer: string; audience: string }
}

async function startListening(t: Test, settings: Record<string, string> = {}): Promise<Listening> {
  const app = await startApp(t, { settings: { AUDIENCE: 'https://api.example.com', ...settings } })
  const address = await app.app.server.listen({ host: '127.0.0.1', port: 0 })
  const { issuer, audience } = app.config.tokens
  return { ...app, keySet: new URL('/.well-known/jwks.json', address).href, expected: { issuer, audience } }
}

/** jsonwebtoken with the keys of jwks-rsa. It does not look at `typ`. */
async function verifyByJsonwebtoken(token: string, { keySet, ...options }: VerifyOptions & { keySet: string }) {
  const keys = new JwksClient({ jwksUri: keySet, cacheMaxAge: 300_000 })
  const header = jsonwebtoken.decode(token, { complete: true })?.header
  if (header?.typ !== 'at+jwt') throw new Error('This is no access token.')
  const key = await keys.getSigningKey(header.kid)
  return jsonwebtoken.verify(token, key.getPublicKey(), options)
}

t.test('jose verifies our tokens, found by OpenID Connect discovery', async (t) => {
  const { api, expected, keySet } = await startListening(t)
  const { accessToken, userId } = await api.signUp()
  const { body } = await api.call<{ issuer: string; jwks_uri: string }>('/.well-known/openid-configuration')
  t.equal(body.issuer, expected.issuer)
  t.equal(new URL(body.jwks_uri).pathname, new URL(keySet).pathname)
  const { payload } = await jwtVerify(accessToken, createRemoteJWKSet(new URL(keySet)), {
    ...{ issuer: body.issuer, audience: expected.audience, typ: 'at+jwt', algorithms: ['ES256'] },
  })
  t.equal(payload.sub, userId)
})

t.test('jsonwebtoken with jwks-rsa verifies our tokens, and has no EdDSA', async (t) => {
  const { api, expected, keySet } = await startListening(t)
  const { accessToken, userId } = await api.signUp()
  const options: VerifyOptions & { keySet: string } = { keySet, ...expected, algorithms: ['ES256'] }
  t.match(await verifyByJsonwebtoken(accessToken, options), { sub: userId })
  await t.rejects(verifyByJsonwebtoken(accessToken, { ...options, audience: 'https://other.example.com' }))
  await t.rejects(verifyByJsonwebtoken(accessToken, { ...options, issuer: 'https://other.example.com' }))

  const edDsa = await startListening(t, { SIGNING_ALGORITHM: 'EdDSA' })
  const { accessToken: other } = await edDsa.api.signUp()
  const { keySet: itsKeySet } = edDsa
  await t.rejects(
    verifyByJsonwebtoken(other, { ...edDsa.expected, keySet: itsKeySet, algorithms: ['EdDSA' as 'ES256'] }),
  )
})

t.test('express-jwt with jwks-rsa verifies our tokens', async (t) => {
  const { api, expected, keySet } = await startListening(t)
  const { accessToken, userId } = await api.signUp()
  const secret = expressJwtSecret({ jwksUri: keySet, cache: true, cacheMaxAge: 300_000 })
  // Its types want the whole request of Express, of which it reads only the headers.
  const middleware: unknown = expressjwt({ secret, ...expected, algorithms: ['ES256'] })
  if (typeof middleware !== 'function') throw new Error('express-jwt has made no middleware.')
  const pass = async (authorization: string) => {
    const request: { method: string; headers: object; auth?: object } = { method: 'GET', headers: { authorization } }
    await new Promise<void>((resolve, reject) => {
      const next = (error?: unknown) => {
        if (error instanceof Error) reject(error)
        else resolve()
      }
      Reflect.apply(middleware, undefined, [request, undefined, next])
    })
    return request.auth
  }
  t.match(await pass(`Bearer ${accessToken}`), { sub: userId })
  await t.rejects(pass(`Bearer ${accessToken}x`))
})

t.test('@fastify/jwt verifies our tokens with a key of the key set', async (t) => {
  const { api, expected, keySet } = await startListening(t)
  const { accessToken, userId } = await api.signUp()
  const keys = new JwksClient({ jwksUri: keySet })
  const host = fastify()
  t.teardown(() => host.close())
  const { default: jwt } = await import('@fastify/jwt')
  await host.register(jwt, {
    decode: { complete: true },
    secret: async (_request: unknown, token: unknown) => (await keys.getSigningKey(kidOf(token))).getPublicKey(),
    verify: { algorithms: ['ES256'], allowedIss: expected.issuer, allowedAud: expected.audience },
  })
  host.get('/', async (request) => request.jwtVerify())
  const answer = await host.inject({ url: '/', headers: { authorization: `Bearer ${accessToken}` } })
  t.match(answer.json(), { sub: userId })
})

function kidOf(token: unknown): string {
  const { header } = token as { header: { kid: string } }
  return header.kid
}

t.test('a verifier whose clock is 3 s behind takes a new token once it has leeway, as the SDK does', async (t) => {
  const { api, app, clock, expected, keySet } = await startListening(t)
  const { accessToken, userId } = await api.signUp()
  const behind = new Date(clock.now().getTime() - 3000)
  const options: VerifyOptions & { keySet: string } = {
    ...{ keySet, ...expected, algorithms: ['ES256'], clockTimestamp: Math.floor(behind.getTime() / 1000) },
  }
  await t.rejects(verifyByJsonwebtoken(accessToken, options), { name: 'NotBeforeError' })
  t.match(await verifyByJsonwebtoken(accessToken, { ...options, clockTolerance: 30 }), { sub: userId })

  const keys = createRemoteJWKSet(new URL(keySet))
  await t.rejects(jwtVerify(accessToken, keys, { ...expected, currentDate: behind }), {
    name: 'JWTClaimValidationFailed',
  })
  await jwtVerify(accessToken, keys, { ...expected, currentDate: behind, clockTolerance: 30 })

  const verifier = createVerifier({
    ...{ ...expected, url: new URL(keySet).origin, clock: { now: () => behind, elapsedMs: () => 0 } },
    fetch: async () => {
      const { payload } = await app.server.inject('/.well-known/jwks.json')
      return new Response(payload, { headers: { 'content-type': 'application/json' } })
    },
  })
  t.teardown(() => verifier.close())
  t.match(await verifier.verify(accessToken), { sub: userId })
  t.match(await api.whoami(accessToken), { status: 200 })
})
