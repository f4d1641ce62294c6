// Libraries of others verify our tokens as docs/verifiers.md configures them.

import { fileURLToPath } from 'node:url'
import { fastify } from 'fastify'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { installPackages } from '../../scripts/install-packages.js'
import { createVerifier } from '../../src/sdk/verifier/verifier.js'
import { startApp, type Test, type TestApp } from '../support/app.js'

interface Options {
  keySet: string
  issuer: string
  audience: string
  algorithms: string[]
  clockTimestamp?: number
  clockTolerance?: number
}

interface Libraries {
  verifyByJsonwebtoken(token: string, options: Options): Promise<object>
  verifyByExpressJwt(authorization: string, options: Options): Promise<object>
  findKey(keySet: string, kid: string): Promise<string>
}

const folder = new URL('foreign-verifiers/', import.meta.url)
installPackages(fileURLToPath(folder))
const libraries = (await import(new URL('verify.js', folder).href)) as Libraries
const { verifyByJsonwebtoken, verifyByExpressJwt, findKey } = libraries

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
  const options = { keySet, ...expected, algorithms: ['ES256'] }
  t.match(await verifyByJsonwebtoken(accessToken, options), { sub: userId })
  await t.rejects(verifyByJsonwebtoken(accessToken, { ...options, audience: 'https://other.example.com' }))
  await t.rejects(verifyByJsonwebtoken(accessToken, { ...options, issuer: 'https://other.example.com' }))

  const edDsa = await startListening(t, { SIGNING_ALGORITHM: 'EdDSA' })
  const { accessToken: other } = await edDsa.api.signUp()
  const { keySet: itsKeySet } = edDsa
  await t.rejects(verifyByJsonwebtoken(other, { ...edDsa.expected, keySet: itsKeySet, algorithms: ['EdDSA'] }))
})

t.test('express-jwt with jwks-rsa verifies our tokens', async (t) => {
  const { api, expected, keySet } = await startListening(t)
  const { accessToken, userId } = await api.signUp()
  const pass = (authorization: string) =>
    verifyByExpressJwt(authorization, { keySet, ...expected, algorithms: ['ES256'] })
  t.match(await pass(`Bearer ${accessToken}`), { sub: userId })
  await t.rejects(pass(`Bearer ${accessToken}x`))
})

t.test('@fastify/jwt verifies our tokens with a key of the key set', async (t) => {
  const { api, expected, keySet } = await startListening(t)
  const { accessToken, userId } = await api.signUp()
  const host = fastify()
  t.teardown(() => host.close())
  const { default: jwt } = await import('@fastify/jwt')
  await host.register(jwt, {
    decode: { complete: true },
    secret: (_request: unknown, token: unknown) => findKey(keySet, kidOf(token)),
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
  const options = {
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
