import helmet from '@fastify/helmet'
import { fastify } from 'fastify'
import t from 'tap'
import { securityHeaders } from '../../../src/platform/http/security-headers.js'
import { listen, sendRaw, startSmallApp } from './small-app.js'

const everyKind = [
  ...['/v1/address', '/v1/nothing', '/v1/boom', '/v1/refuse/token_missing', '/problems', '/%zz', '/docs'],
  `/v1/address?${'a'.repeat(2048)}`,
]
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

t.test('WEB-09: every response has the security headers', async (t) => {
  const app = await startSmallApp(t)
  for (const url of everyKind) {
    const { headers } = await app.inject(url)
    t.match(headers['content-security-policy'], "default-src 'none';", url)
    t.match(headers['content-security-policy'], "frame-ancestors 'none'", url)
    t.match(headers['content-security-policy'], "base-uri 'none'", url)
    t.match(headers, {
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'x-request-id': uuid,
      vary: 'Origin',
    })
    t.equal(headers['x-powered-by'], undefined)
    t.equal(headers.server, undefined)
  }
})

t.test('WEB-09: the headers are those of helmet', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"] },
    },
    frameguard: { action: 'deny' },
    strictTransportSecurity: { maxAge: 365 * 24 * 60 * 60 },
  })
  app.get('/', (_request, reply) => reply.code(204).send())
  const expected = Object.entries((await app.inject('/')).headers)
    .filter(([name]) => !['date', 'connection'].includes(name))
    .map(([name, value]) => [name, String(value).replaceAll(';', '; ').replaceAll(';  ', '; ')])
  t.strictSame(securityHeaders('https://auth.example'), Object.fromEntries(expected))
})

t.test('WEB-08: HSTS is sent with https only', async (t) => {
  const secure = await startSmallApp(t, { publicUrl: 'https://auth.example' })
  for (const url of everyKind) {
    const { headers } = await secure.inject(url)
    t.equal(headers['strict-transport-security'], 'max-age=31536000; includeSubDomains', url)
  }
  const plain = await startSmallApp(t)
  t.equal((await plain.inject('/v1/address')).headers['strict-transport-security'], undefined)
})

t.test('WEB-10: responses are not cacheable unless the route declares it', async (t) => {
  const app = await startSmallApp(t)
  for (const url of ['/v1/address', '/v1/nothing', '/v1/boom', '/%zz', '/openapi.json']) {
    t.equal((await app.inject(url)).headers['cache-control'], 'no-store', url)
  }
  t.equal((await app.inject('/v1/cacheable')).headers['cache-control'], 'public, max-age=60')
})

t.test('request ids are generated, whatever the client sends', async (t) => {
  const app = await startSmallApp(t)
  const headers = { 'x-request-id': 'mine', 'request-id': 'mine' }
  const first = await app.inject({ url: '/v1/address', headers })
  const second = await app.inject({ url: '/v1/address', headers })
  t.match(first.headers['x-request-id'], uuid)
  t.not(first.headers['x-request-id'], second.headers['x-request-id'])
})

t.test('WEB-07: listed origins may read responses, with credentials', async (t) => {
  const app = await startSmallApp(t)
  const origin = 'https://app.example'
  for (const url of ['/v1/address', '/v1/nothing', '/v1/refuse/token_expired', '/v1/boom']) {
    const { headers } = await app.inject({ url, headers: { origin } })
    t.match(headers, {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id',
      vary: 'Origin',
    })
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const ask = { origin, 'access-control-request-method': method, 'access-control-request-headers': 'content-type' }
    const preflight = await app.inject({ method: 'OPTIONS', url: '/v1/things', headers: ask })
    t.equal(preflight.statusCode, 204)
    t.equal(preflight.headers['access-control-allow-origin'], origin)
    t.match(preflight.headers['access-control-allow-methods'], method)
    t.match(
      preflight.headers['access-control-allow-headers'],
      /^content-type, authorization, idempotency-key, x-sallyport-csrf, traceparent, /,
    )
    t.equal(preflight.headers['access-control-max-age'], '600')
  }
})

t.test('WEB-07: pages with tracing may call', async (t) => {
  const app = await startSmallApp(t)
  for (const name of ['traceparent', 'tracestate', 'baggage', 'sentry-trace', 'b3', 'newrelic', 'x-requested-with']) {
    const ask = { 'access-control-request-method': 'POST', 'access-control-request-headers': name }
    const preflight = (origin: string) =>
      app.inject({ method: 'OPTIONS', url: '/v1/things', headers: { origin, ...ask } })
    const { statusCode, headers } = await preflight('https://app.example')
    t.equal(statusCode, 204)
    t.ok(String(headers['access-control-allow-headers']).split(', ').includes(name), name)
    t.equal((await preflight('https://evil.example')).headers['access-control-allow-headers'], undefined)
  }
})

t.test('WEB-07: an installed app may call from the origin of its own scheme', async (t) => {
  const origins = ['capacitor://localhost', 'ionic://localhost', 'tauri://localhost', 'chrome-extension://aapbdbdo']
  const app = await startSmallApp(t, { corsOrigins: origins })
  for (const origin of origins) {
    const { headers } = await app.inject({ url: '/v1/address', headers: { origin } })
    t.match(headers, { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' })
  }
  const stranger = await app.inject({ url: '/v1/address', headers: { origin: 'capacitor://evil' } })
  t.equal(stranger.headers['access-control-allow-origin'], undefined)
})

t.test(
  'WEB-07: a page of a listed origin can read every refusal, those included that no route has a part in',
  async (t) => {
    const port = await listen(await startSmallApp(t))
    const refused: Record<string, string[]> = {
      'headers beyond 16 KiB': ['GET /v1/address HTTP/1.1', `Cookie: ${'x'.repeat(17_000)}`],
      'headers beyond what the parser takes': ['GET /v1/address HTTP/1.1', `Cookie: ${'x'.repeat(70_000)}`],
      'a URL beyond 2 KiB': [`GET /v1/${'x'.repeat(3000)} HTTP/1.1`],
      'a URL that cannot be decoded': ['GET /%zz HTTP/1.1'],
      'bad framing': ['POST /v1/things HTTP/1.1', 'Content-Length: 2', 'Transfer-Encoding: chunked'],
      'two Hosts': ['GET /v1/address HTTP/1.1', 'Host: evil.example'],
    }
    for (const [name, [line = '', ...headers]] of Object.entries(refused)) {
      const ask = (origin: string) =>
        sendRaw(port, [line, 'Host: localhost', ...headers, `Origin: ${origin}`, '', ''].join('\r\n'))
      const answer = await ask('https://app.example')
      t.equal(answer.status, 400, name)
      t.match(answer.text, /access-control-allow-origin: https:\/\/app\.example\r\n/i, name)
      t.match(answer.text, /access-control-allow-credentials: true/i, name)
      t.match(answer.text, /vary: Origin/i, name)
      t.match(answer.text, /content-type: application\/problem\+json[^]*"code":"invalid_request"/i, name)
      for (const origin of ['https://evil.example', 'null']) {
        t.notMatch((await ask(origin)).text, /access-control-allow/i, `${name}: ${origin}`)
      }
    }
  },
)

t.test('WEB-07: no other origin gets a header of CORS, and caches are told', async (t) => {
  const listed = await startSmallApp(t)
  const none = await startSmallApp(t, { corsOrigins: [] })
  const strangers = [
    'null',
    '*',
    'https://evil.example',
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.example',
    'https://xapp.example',
    'https://app.example/',
    'HTTPS://APP.EXAMPLE',
    'https://app.example, https://evil.example',
  ]
  for (const app of [listed, none]) {
    for (const origin of strangers) {
      const plain = await app.inject({ url: '/v1/address', headers: { origin } })
      const ask = { origin, 'access-control-request-method': 'POST' }
      const preflight = await app.inject({ method: 'OPTIONS', url: '/v1/things', headers: ask })
      for (const { headers } of [plain, preflight]) {
        const names = Object.keys(headers).filter((name) => name.startsWith('access-control-'))
        t.strictSame(names, [], origin)
        t.equal(headers.vary, 'Origin')
      }
    }
    t.equal((await app.inject('/v1/address')).headers.vary, 'Origin', 'also without an origin')
  }
})

t.test('WEB-07: a list with an invalid origin is refused at the start', async (t) => {
  for (const origin of ['*', 'null', 'https://app.example/', 'app.example', 'https://*.example/x', '']) {
    await t.rejects(startSmallApp(t, { corsOrigins: [origin] }), origin)
  }
})

t.test('HTTP-12: forwarding headers are trusted only from a listed proxy', async (t) => {
  const headers = { 'x-forwarded-for': '203.0.113.7' }
  const ipSeenBy = async (trustProxy: string[]) => {
    const app = await startSmallApp(t, { trustProxy })
    return (await app.inject({ url: '/v1/address', headers })).json<{ ip: string }>().ip
  }
  t.equal(await ipSeenBy([]), '127.0.0.1')
  t.equal(await ipSeenBy(['10.0.0.0/8']), '127.0.0.1')
  t.equal(await ipSeenBy(['127.0.0.1']), '203.0.113.7')
  t.equal(await ipSeenBy(['10.0.0.0/8', '127.0.0.0/8']), '203.0.113.7')
  for (const entry of ['everyone', 'proxy.example', 'true']) {
    await t.rejects(startSmallApp(t, { trustProxy: [entry] }), entry)
  }
})
