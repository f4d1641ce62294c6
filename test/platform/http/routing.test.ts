import t from 'tap'
import { z } from 'zod'
import { createHttpServer } from '../../../src/platform/http/server.js'
import { guardRoutes } from '../../../src/platform/http/access.js'
import { startSmallApp, thingId } from './small-app.js'

t.test('a known path refuses other methods with 405 and lists the allowed ones', async (t) => {
  const app = await startSmallApp(t)
  const table: [string, string, string][] = [
    ['GET', '/v1/things', 'POST, OPTIONS'],
    ['PUT', '/v1/things?a=b', 'POST, OPTIONS'],
    ['POST', '/v1/search', 'GET, HEAD, OPTIONS'],
    ['PATCH', `/v1/things/${thingId}`, 'GET, HEAD, DELETE, OPTIONS'],
    ['PROPFIND', '/v1/things', 'POST, OPTIONS'],
    ['TRACE', '/v1/things', 'POST, OPTIONS'],
    ['POST', '/openapi.json', 'GET, HEAD, OPTIONS'],
    ['POST', '/problems', 'GET, HEAD, OPTIONS'],
    ['HEAD', '/v1/things', 'POST, OPTIONS'],
  ]
  for (const [method, url, allow] of table) {
    // The body is invalid, but not read.
    const headers = { 'content-type': 'application/json' }
    const answer = await app.inject({ method: anyMethod(method), url, headers, payload: '{' })
    t.equal(answer.statusCode, 405, `${method} ${url}`)
    t.equal(answer.headers.allow, allow)
    t.match(answer.headers['content-type'], 'application/problem+json')
    if (method !== 'HEAD') t.match(answer.json(), { code: 'method_not_allowed' })
  }
})

t.test('routes with and without parameters do not shadow each other', async (t) => {
  const app = await startSmallApp(t)
  t.equal((await app.inject('/v1/things/first')).statusCode, 200)
  t.equal((await app.inject({ method: 'DELETE', url: '/v1/things/first' })).statusCode, 404, 'the parameter matches')
  const refused = await app.inject({ method: 'POST', url: '/v1/things/first' })
  t.equal(refused.headers.allow, 'GET, HEAD, DELETE, OPTIONS')
})

t.test('OPTIONS lists the allowed methods of a path', async (t) => {
  const app = await startSmallApp(t)
  for (const headers of [{}, { origin: 'https://evil.example', 'access-control-request-method': 'POST' }]) {
    const known = await app.inject({ method: 'OPTIONS', url: '/v1/things', headers })
    t.equal(known.statusCode, 204)
    t.equal(known.headers.allow, 'POST, OPTIONS')
    const unknown = await app.inject({ method: 'OPTIONS', url: '/v1/nothing', headers })
    t.equal(unknown.statusCode, 404)
  }
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/v1/things',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  })
  t.equal(preflight.headers['access-control-allow-origin'], 'https://app.example')
})

t.test('an unknown path is 404, with any method and body', async (t) => {
  const app = await startSmallApp(t)
  for (const method of ['GET', 'POST', 'DELETE', 'PROPFIND'] as const) {
    for (const url of ['/', '/v1', '/v1/nothing', '/favicon.ico', '//', '/v1/things/a/b', '/docs/static/none.js']) {
      const headers = { 'content-type': 'text/plain' }
      const answer = await app.inject({ method, url, headers, payload: 'text' })
      const expected = url === '/docs/static/none.js' && method !== 'GET' ? 405 : 404
      t.equal(answer.statusCode, expected, `${method} ${url}`)
      t.match(answer.headers['content-type'], 'application/problem+json')
    }
  }
})

t.test('HTTP-13: no other spelling of a path bypasses the authorization', async (t) => {
  const app = await startSmallApp(t)
  t.equal((await app.inject('/v1/guarded')).statusCode, 401)
  const variants = [
    '/v1/guarded/',
    '//v1/guarded',
    '/v1//guarded',
    '/V1/guarded',
    '/v1/GUARDED',
    '/v1/%67uarded',
    '/v1%2Fguarded',
    '/v1%2fguarded',
    '/v1/./guarded',
    '/v1/x/../guarded',
    '/v1/%2e/guarded',
    '/v1/guarded;x=y',
    '/v1/guarded%20',
    '/v1/guarded%00',
    '/v1/guarded?',
    '/v1/guarded#',
    '/v1/guarded.json',
    '\\v1\\guarded',
    '/v1/guarded%3Fx',
    'http://localhost/v1/guarded',
  ]
  for (const method of ['GET', 'HEAD'] as const) {
    for (const url of variants) {
      const answer = await app.inject({ method, url })
      t.ok([400, 401, 404].includes(answer.statusCode), `${method} ${url}: ${answer.statusCode}`)
    }
  }
})

t.test('a route without declared access prevents the start; the routes of this layer declare theirs', async (t) => {
  const app = await createHttpServer({
    publicUrl: 'http://localhost:3000',
    corsOrigins: [],
    trustProxy: [],
    logger: false,
    cookieNames: { access: 'at', refresh: 'rt' },
  })
  t.teardown(() => app.close())
  const unasked = () => {
    throw new Error('No credential should have been required.')
  }
  guardRoutes(app, { authenticate: unasked, requireVerifier: unasked })
  t.throws(() => app.get('/v1/open', () => ({})), /declares no access/)
  const senseless = [
    'feed',
    'operator',
    null,
    {},
    { roles: ['admin'] },
    { token: 'cached' },
    { token: 'live', role: ['admin'] },
    { token: 'live', roles: [] },
    { token: 'live', roles: [''] },
    { token: 'live', roles: 'admin' },
    { token: 'feed', scopes: [] },
    { token: 'feed', scopes: ['orders:read orders:write'] },
    { token: 'feed', scopes: ['a"b'] },
    { token: 'feed', maxAuthAgeSeconds: 0 },
    { token: 'feed', maxAuthAgeSeconds: 1.5 },
    { token: 'feed', acr: 'aal3' },
    { token: 'feed', stepUp: {} },
    { token: 'feed', acceptsStale: true },
    { token: 'live', stepUp: { spares: 'everyone' } },
    { token: 'live', stepUp: {}, acr: 'aal2' },
  ]
  for (const access of senseless) {
    const config = { access } as { access: 'public' }
    t.throws(() => app.get('/v1/open', { config }, () => ({})), /invalid access/, JSON.stringify(access))
  }
  const undeclared: string[] = []
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.access !== 'public') undeclared.push(request.url)
    done()
  })
  await app.ready()
  for (const url of ['/docs', '/docs/', '/docs/json', '/docs/static/swagger-ui.css', '/openapi.json', '/problems']) {
    t.equal((await app.inject(url)).statusCode, 200, url)
  }
  t.strictSame(undeclared, [])
})

/** inject has types for the usual methods only, but sends any. */
function anyMethod(name: string): 'GET' {
  return z.custom<'GET'>().parse(name)
}
