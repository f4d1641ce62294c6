// A service that describes itself to clients (RFC 9728), with both adapters over real HTTP.

import { createServer } from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { sallyport } from '../../../src/sdk/verifier/fastify-plugin.js'
import {
  createVerifier,
  requireAccess,
  serveResourceMetadata,
  type ResourceOptions,
  type Verifier,
} from '../../../src/sdk/verifier/verifier.js'
import type { Test } from '../../support/app.js'
import { parseChallenge } from '../../support/challenge.js'
import { listen } from '../../support/listen.js'
import { AUDIENCE, startStandIn } from '../../support/stand-in.js'

const identifier = 'https://notes.example.com/mcp'
const metadataUrl = 'https://notes.example.com/.well-known/oauth-protected-resource/mcp'
const scopes = ['notes:read', 'notes:write']

async function serveFastify(t: Test, verifier: Verifier): Promise<string> {
  const app = Fastify()
  await app.register(sallyport, { verifier })
  app.get('/', { config: { sallyport: 'offline' } }, () => ({}))
  app.get('/writing', { config: { sallyport: { freshness: 'offline', scopes } } }, () => ({}))
  t.teardown(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

async function serveMiddleware(t: Test, verifier: Verifier): Promise<string> {
  const serveMetadata = serveResourceMetadata(verifier)
  const guard = requireAccess(verifier)
  const guardWriting = requireAccess(verifier, { scopes })
  const server = createServer((request, response) => {
    serveMetadata(request, response, () =>
      (request.url === '/writing' ? guardWriting : guard)(request, response, () => response.end('{}')),
    )
  })
  return `http://127.0.0.1:${await listen(t, server)}`
}

async function start(t: Test, resource?: ResourceOptions) {
  const standIn = await startStandIn(t)
  const verifier = createVerifier({ issuer: standIn.url, audience: AUDIENCE, ...(resource && { resource }) })
  t.teardown(async () => verifier.close())
  return { standIn, verifier }
}

const adapters = { fastify: serveFastify, middleware: serveMiddleware }

for (const [name, serve] of Object.entries(adapters)) {
  t.test(`${name}: the metadata is served, and challenges refer to it`, async (t) => {
    const documentation = 'https://notes.example.com/docs'
    const { standIn, verifier } = await start(t, { identifier, scopes, name: 'Notes', documentation })
    const url = await serve(t, verifier)

    const path = '/.well-known/oauth-protected-resource/mcp'
    const reply = await fetch(`${url}${path}?v=1`, { headers: { origin: 'https://agent.example.com' } })
    t.equal(reply.status, 200)
    t.match(Object.fromEntries(reply.headers), {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'public, max-age=300',
      'access-control-allow-origin': '*',
    })
    t.strictSame(await reply.json(), {
      resource: identifier,
      authorization_servers: [standIn.url],
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
      resource_name: 'Notes',
      resource_documentation: documentation,
    })
    const head = await fetch(`${url}${path}`, { method: 'HEAD' })
    t.match([head.status, await head.text()], [200, ''])
    t.not((await fetch(`${url}${path}`, { method: 'POST' })).status, 200)
    t.not(
      (await fetch(`${url}/.well-known/oauth-protected-resource`)).status,
      200,
      'a resource with a path has one place',
    )

    const ask = async (path: string, token?: string) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      const { status, headers: answered } = await fetch(`${url}${path}`, { headers })
      return { status, challenge: answered.get('www-authenticate') }
    }
    const parametersOf = ({ challenge }: { challenge: string | null }) =>
      Object.fromEntries(parseChallenge(challenge).parameters)
    const missing = await ask('/')
    t.equal(missing.status, 401)
    t.strictSame(parametersOf(missing), { realm: 'sallyport', resource_metadata: metadataUrl })
    t.strictSame(parametersOf(await ask('/', 'garbage')), {
      ...{ realm: 'sallyport', error: 'invalid_token', resource_metadata: metadataUrl },
    })

    const read = standIn.issue({ claims: { scope: 'notes:read notes:writer' } })
    t.equal((await ask('/', read)).status, 200)
    const lacking = await ask('/writing', read)
    t.equal(lacking.status, 403)
    t.strictSame(parametersOf(lacking), {
      ...{ realm: 'sallyport', error: 'insufficient_scope', scope: 'notes:read notes:write' },
      resource_metadata: metadataUrl,
    })
    const both = standIn.issue({ claims: { scope: 'openid notes:write notes:read' } })
    t.equal((await ask('/writing', both)).status, 200)
  })

  t.test(`${name}: a service that accepts bound tokens says which proofs it verifies`, async (t) => {
    const standIn = await startStandIn(t)
    const verifier = createVerifier({
      ...{ issuer: standIn.url, audience: AUDIENCE, dpopUrl: 'https://notes.example.com' },
      resource: { identifier },
    })
    t.teardown(async () => verifier.close())
    const url = await serve(t, verifier)
    const reply = await fetch(`${url}/.well-known/oauth-protected-resource/mcp`)
    const described = (await reply.json()) as Record<string, unknown>
    t.strictSame(described['dpop_signing_alg_values_supported'], ['ES256', 'EdDSA', 'Ed25519'])
    t.notOk('dpop_bound_access_tokens_required' in described, 'bearer tokens are accepted as well')
  })

  t.test(`${name}: the audience is the identifier by default`, async (t) => {
    const { standIn, verifier } = await start(t, {})
    const reply = await fetch(`${await serve(t, verifier)}/.well-known/oauth-protected-resource`)
    t.strictSame(await reply.json(), {
      ...{ resource: AUDIENCE, authorization_servers: [standIn.url], bearer_methods_supported: ['header'] },
    })
  })
}

t.test('without the option, nothing is served', async (t) => {
  const { verifier } = await start(t)
  const url = await serveFastify(t, verifier)
  t.equal((await fetch(`${url}/.well-known/oauth-protected-resource`)).status, 404)
  t.equal((await fetch(`${url}/`)).headers.get('www-authenticate'), 'Bearer realm="sallyport"')
  t.throws(() => serveResourceMetadata(verifier), { name: 'TypeError', message: /"resource"/ })
})

t.test('Fastify: the metadata has its place at the root', async (t) => {
  const { verifier } = await start(t, { identifier })
  const app = Fastify()
  const register = async (scope: FastifyInstance) => {
    await scope.register(sallyport, { verifier })
  }
  app.register(register, { prefix: '/api' })
  const ready = async () => {
    await app.ready()
  }
  await t.rejects(ready, { message: /on the root/ })
})

t.test('what cannot stand in the metadata is refused when the verifier is created', async (t) => {
  const wrong: [ResourceOptions, RegExp][] = [
    ...[
      ...['http://notes.example.com/mcp', 'notes', 'ftp://notes.example.com', 'https://notes.example.com/mcp?a=b'],
      ...['https://notes.example.com/mcp#top', 'https://notes.example.com/:id', 'https://notes.example.com/*'],
      ...['https://notes.example.com/a/../b', 'https://user@notes.example.com/', 'https://NOTES.example.com/mcp'],
      ...['https://notes.example.com/"', 'https://notes.example.com:443/mcp', ''],
    ].map((identifier): [ResourceOptions, RegExp] => [{ identifier }, /resource\.identifier/]),
    [{ scopes: ['notes read'] }, /scopes/],
    [{ scopes: ['"'] }, /scopes/],
    [{ scopes: [] }, /scopes/],
    [{ name: '' }, /name/],
    [{ documentation: 'docs' }, /documentation/],
    [{ title: 'Notes' } as ResourceOptions, /title/],
  ]
  const create = (resource: ResourceOptions, issuer = 'https://auth.example.com', audience = identifier) =>
    createVerifier({ issuer, audience, resource, url: 'http://127.0.0.1:9', onError: () => undefined }).close()
  for (const [resource, message] of wrong) {
    t.throws(() => create(resource), { name: 'TypeError', message }, JSON.stringify(resource))
  }
  t.throws(() => create({}, 'sallyport'), { name: 'TypeError', message: /"issuer"/ })
  t.throws(() => create({}, undefined, 'orders'), { name: 'TypeError', message: /"audience"/ })
  for (const identifier of ['http://localhost:4000/mcp', 'http://[::1]:4000', 'https://notes.example.com/']) {
    t.doesNotThrow(() => create({ identifier }), identifier)
  }
})

t.test('scopes of a route that no token could have prevent the start', async (t) => {
  const { verifier } = await start(t)
  for (const scopes of [[], ['a b'], [''], 'a']) {
    t.throws(() => requireAccess(verifier, { scopes: scopes as string[] }), TypeError, JSON.stringify(scopes))
  }
})
