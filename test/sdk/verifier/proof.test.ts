// Tokens that are bound to a key, in services: with a proof of it for this request, and otherwise not at all (RFC 9449).

import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import Fastify from 'fastify'
import t from 'tap'
import { sallyport } from '../../../src/sdk/verifier/fastify-plugin.js'
import {
  createVerifier,
  requireAccess,
  VerificationError,
  type VerifiedRequest,
  type Verifier,
  type VerifierOptions,
} from '../../../src/sdk/verifier/verifier.js'
import { startApp, type Test } from '../../support/app.js'
import { issueToken, ownClaims } from '../../support/client-tokens.js'
import { connectTo } from '../../support/client.js'
import { createProofKey, type ProofKey } from '../../support/dpop.js'
import { listen } from '../../support/listen.js'

const PUBLIC = 'https://orders.example.com/v2'

const athOf = (token: string) => createHash('sha256').update(token).digest('base64url')

async function start(t: Test, options: Partial<VerifierOptions> = { dpopUrl: PUBLIC }) {
  const app = await startApp(t)
  const { port } = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, app.app.server)
  const { issuer, audience } = app.config.tokens
  const create = () => {
    const url = `http://127.0.0.1:${port}`
    const verifier = createVerifier({ issuer, audience, url, clock: app.clock, onError: () => undefined, ...options })
    t.teardown(async () => verifier.close())
    return verifier
  }
  const key = await createProofKey()
  const [token, bearer] = [
    await issueToken(app, { ...ownClaims('billing', 0), cnf: { jkt: key.thumbprint } }),
    await issueToken(app, ownClaims('billing', 0)),
  ]
  const services = { fastify: await serveFastify(t, create()), middleware: await serveMiddleware(t, create()) }
  return { ...app, services, create, key, token, bearer }
}

async function serveFastify(t: Test, verifier: Verifier): Promise<string> {
  const app = Fastify()
  await app.register(sallyport, { verifier })
  app.get('/orders', { config: { sallyport: 'offline' } }, ({ claims }) => ({ sub: claims?.sub }))
  t.teardown(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

async function serveMiddleware(t: Test, verifier: Verifier): Promise<string> {
  const guard = requireAccess(verifier, { freshness: 'offline' })
  const server = createServer((request: IncomingMessage & VerifiedRequest, response) => {
    guard(request, response, (error) => {
      if (error) response.writeHead(500).end('{}')
      else response.end(JSON.stringify({ sub: request.claims?.sub }))
    })
  })
  return `http://127.0.0.1:${await listen(t, server)}`
}

interface Shown {
  token: string
  scheme?: string
  proof?: string
}

async function get(service: string, { token, scheme = 'DPoP', proof }: Shown) {
  const headers = { authorization: `${scheme} ${token}`, ...(proof !== undefined && { dpop: proof }) }
  const response = await fetch(`${service}/orders?page=2`, { headers })
  const challenge = response.headers.get('www-authenticate')
  return { status: response.status, body: (await response.json()) as Record<string, unknown>, challenge }
}

t.test('a bound token is accepted with a proof of its key for this request, once', async (t) => {
  const { services, clock, key, token, bearer } = await start(t)
  const iat = () => Math.floor(clock.now().getTime() / 1000)
  const prove = (claims: Record<string, unknown> = {}, by: ProofKey = key) =>
    by.prove('GET', `${PUBLIC}/orders`, { iat: iat(), ath: athOf(token), ...claims })
  const thief = await createProofKey()

  for (const [name, service] of Object.entries(services)) {
    const proof = await prove()
    t.match(await get(service, { token, proof }), { status: 200, body: { sub: 'billing' } }, name)
    t.match(
      await get(service, { token, proof }),
      {
        status: 401,
        body: { code: 'token_invalid' },
        challenge: /^DPoP .*error="invalid_dpop_proof".*algs="ES256 EdDSA"/,
      },
      `${name}: a proof that was shown before`,
    )
    const refused: [string, Shown][] = [
      ['no proof', { token }],
      ['as a bearer token', { token, scheme: 'Bearer' }],
      ['as a bearer token with a proof', { token, scheme: 'Bearer', proof: await prove() }],
      ['another key', { token, proof: await prove({}, thief) }],
      ['another token', { token, proof: await prove({ ath: athOf(bearer) }) }],
      ['no token', { token, proof: await prove({ ath: undefined }) }],
      ['another method', { token, proof: await prove({ htm: 'POST' }) }],
      ['another path', { token, proof: await prove({ htu: `${PUBLIC}/users` }) }],
      ['another host', { token, proof: await prove({ htu: 'https://evil.example.com/v2/orders' }) }],
      ['an old one', { token, proof: await prove({ iat: iat() - 91 }) }],
      ['a future one', { token, proof: await prove({ iat: iat() + 120 }) }],
      ['no id', { token, proof: await prove({ jti: undefined }) }],
      ['no proof at all', { token, proof: 'none' }],
      ['the token as a proof', { token, proof: token }],
      ['a token that is bound to no key', { token: bearer, proof: await prove({ ath: athOf(bearer) }) }],
    ]
    for (const [what, shown] of refused) {
      t.match(await get(service, shown), { status: 401, body: { code: 'token_invalid' } }, `${name}: ${what}`)
    }
    t.match(await get(service, { token: bearer, scheme: 'Bearer' }), { status: 200 }, `${name}: others pass as before`)
    t.match(await get(service, { token, proof: await prove({ htu: `${PUBLIC}/orders?page=2#x` }) }), { status: 200 })
    t.match(await get(service, { token, proof: await prove({ iat: iat() - 89 }) }), { status: 200 }, 'in time')
  }
})

t.test('a proof is remembered for as long as it is recent', async (t) => {
  const { services, clock, key, token } = await start(t)
  const jti = randomUUID()
  const iat = Math.floor(clock.now().getTime() / 1000) + 30
  const proof = await key.prove('GET', `${PUBLIC}/orders`, { iat, ath: athOf(token), jti })
  t.match(await get(services.fastify, { token, proof }), { status: 200 })
  for (let seconds = 0; seconds < 150; seconds += 10) {
    t.match(await get(services.fastify, { token, proof }), { status: 401 }, `after ${seconds} seconds`)
    clock.advance({ seconds: 10 })
  }
})

t.test('without dpopUrl, and without a request, bound tokens are refused', async (t) => {
  const { services, clock, key, token } = await start(t, {})
  for (const service of Object.values(services)) {
    const iat = Math.floor(clock.now().getTime() / 1000)
    const proof = await key.prove('GET', `${PUBLIC}/orders`, { iat, ath: athOf(token) })
    t.match(await get(service, { token, proof }), { status: 401 })
    t.match(await get(service, { token, scheme: 'Bearer' }), { status: 401 })
  }
  const bound = await start(t)
  await t.rejects(bound.create().verify(bound.token), new VerificationError('token_invalid'))
  t.equal((await bound.create().verify(bound.bearer)).sub, 'billing')
})

t.test('dpopUrl is the URL of the service', (t) => {
  const shared = {
    issuer: 'https://auth.example.com',
    audience: 'orders',
    fetch: () => Promise.reject(new Error('none')),
  }
  for (const dpopUrl of ['orders', 'ftp://orders.example.com', 'https://orders.example.com?x', '']) {
    t.throws(() => createVerifier({ ...shared, dpopUrl }), TypeError, dpopUrl)
  }
  t.end()
})
