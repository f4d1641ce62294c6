import { Agent, createServer, type IncomingMessage } from 'node:http'
import Fastify from 'fastify'
import t from 'tap'
import { sallyport, type SallyportAccess } from '../../../src/sdk/verifier/fastify-plugin.js'
import {
  createVerifier,
  requireAccess,
  type AccessTokenClaims,
  type VerifiedRequest,
  type Verifier,
  type VerifierOptions,
} from '../../../src/sdk/verifier/verifier.js'
import {
  createApiOver,
  PASSWORD,
  type Api,
  type Call,
  type ProblemBody,
  type SignedUp,
  type TokenBody,
} from '../../support/api.js'
import { startApp, type Test, type TestApp } from '../../support/app.js'
import { signUpAs } from '../../support/authenticated.js'
import { createBrowser, type Browser } from '../../support/browser.js'
import { parseChallenge } from '../../support/challenge.js'
import { connectTo, send } from '../../support/client.js'
import { listen } from '../../support/listen.js'

interface Service {
  api: Api
  verifier: Verifier
}

interface Started extends TestApp {
  /** The same small service with each adapter. */
  services: Record<string, Service>
}

const strong = { acr: 'aal2', maxAge: 300 } as const

const at = 'sallyport_at'
const rt = 'sallyport_rt'

/** Sallyport, and services that serve `/` to those whose token holds. */
async function start(
  t: Test,
  options: Partial<VerifierOptions> = {},
  settings: Record<string, string> = {},
): Promise<Started> {
  const app = await startApp(t, { settings })
  const { port } = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, app.app.server)
  const { issuer, audience } = app.config.tokens
  const create = () => {
    const url = `http://127.0.0.1:${port}`
    const verifier = createVerifier({ issuer, audience, url, clock: app.clock, onError: () => undefined, ...options })
    t.teardown(async () => verifier.close())
    return verifier
  }
  const services = { fastify: await serveFastify(t, create()), middleware: await serveMiddleware(t, create()) }
  return { ...app, services }
}

async function serveFastify(t: Test, verifier: Verifier): Promise<Service> {
  const app = Fastify()
  await app.register(sallyport, { verifier })
  app.get('/', { config: { sallyport: 'offline' } }, ({ claims }) => ({ sub: claims?.sub }))
  app.get('/public', { config: { sallyport: 'public' } }, ({ claims }) => ({ claims }))
  app.get('/feed', { config: { sallyport: 'feed' } }, () => ({}))
  app.get('/strong', { config: { sallyport: { freshness: 'offline', ...strong } } }, () => ({}))
  app.get('/recent', { config: { sallyport: { freshness: 'offline', maxAge: 300 } } }, () => ({}))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  return { api: reach(t, Number(new URL(url).port)), verifier }
}

async function serveMiddleware(t: Test, verifier: Verifier): Promise<Service> {
  const guards = {
    offline: requireAccess(verifier, { freshness: 'offline' }),
    feed: requireAccess(verifier, { freshness: 'feed' }),
    strong: requireAccess(verifier, { freshness: 'offline', ...strong }),
    recent: requireAccess(verifier, { freshness: 'offline', maxAge: 300 }),
  }
  const server = createServer((request: IncomingMessage & VerifiedRequest, response) => {
    response.setHeader('content-type', 'application/json')
    const name = request.url?.slice(1) ?? ''
    const guard = name in guards ? guards[name as keyof typeof guards] : guards.offline
    guard(request, response, (error) => {
      if (error) response.writeHead(500).end('{}')
      else response.end(JSON.stringify({ sub: request.claims?.sub }))
    })
  })
  return { api: reach(t, await listen(t, server)), verifier }
}

function reach(t: Test, port: number): Api {
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => agent.destroy())
  return createApiOver((request) => send(port, agent, request))
}

async function signIn(page: Browser): Promise<{ userId: string; sid: string }> {
  const body = { email: `${crypto.randomUUID()}@example.com`, password: PASSWORD, mode: 'session' }
  const { body: reply } = await page.call<TokenBody>('/v1/auth/register', { method: 'POST', body })
  return { userId: reply.user.id, sid: reply.session.id }
}

t.test('a valid token is accepted, and others get the same problem as from the server', async (t) => {
  const { api, clock, services, config } = await start(t)
  const { accessToken, userId } = await api.signUp()
  for (const [name, service] of Object.entries(services)) {
    const ask = (call: Call) => service.api.call<ProblemBody>('/', call)
    t.match(await ask({ token: accessToken }), { status: 200, body: { sub: userId } }, name)
    const missing = await ask({})
    t.match(missing, { status: 401, body: { code: 'token_missing', status: 401 } }, name)
    t.equal(missing.headers['www-authenticate'], 'Bearer realm="sallyport"')
    t.match(missing.headers, {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
    })
    for (const authorization of ['Basic abc', accessToken, '']) {
      const other = await ask({ headers: { authorization } })
      t.match(other, { status: 401, body: { code: 'token_missing' } }, `${name}: ${authorization}`)
    }
    for (const authorization of ['Bearer', 'Bearer a b', `Bearer ${accessToken}x`, 'Bearer: x']) {
      const invalid = await ask({ headers: { authorization } })
      t.match(invalid, { status: 401, body: { code: 'token_invalid' } }, `${name}: ${authorization}`)
      t.match(invalid.headers, { 'www-authenticate': 'Bearer realm="sallyport", error="invalid_token"' })
      t.match(invalid.body, { type: `${config.tokens.issuer}/problems/token_invalid` })
    }
    t.equal((await ask({ cookies: { [at]: accessToken } })).status, 401, 'cookies are read only if enabled')
    t.equal(
      (await service.api.call('/feed', { token: accessToken })).status,
      500,
      'a configuration error is not a refusal',
    )
  }
  clock.advance({ minutes: 11 })
  for (const service of Object.values(services)) {
    t.match(await service.api.call('/', { token: accessToken }), { status: 401, body: { code: 'token_expired' } })
  }
})

t.test('Fastify: a route without declared access prevents the start, and is never served', async (t) => {
  const verifier = createVerifier({ issuer: 'http://127.0.0.1:9', audience: 'a', onError: () => undefined })
  t.teardown(() => verifier.close())
  const app = Fastify()
  await app.register(sallyport, { verifier })
  t.throws(() => app.get('/', () => ({})), { message: /declares no access/ })
  app.register((scope, _options, done) => {
    t.throws(() => scope.get('/in-a-plugin', () => ({})), { message: /declares no access/ })
    done()
  })
  app.get('/public', { config: { sallyport: 'public' } }, ({ claims }) => ({ claims }))
  t.equal((await app.inject('/nowhere')).statusCode, 404)
  t.match((await app.inject('/public')).json(), { claims: null })

  const early = Fastify()
  early.get('/early', () => ({}))
  await early.register(sallyport, { verifier })
  t.equal((await early.inject('/early')).statusCode, 500)
})

t.test('Fastify: the declared access is one of four values', async (t) => {
  const ways = ['public', 'offline', 'feed', 'live'] as const satisfies SallyportAccess[]
  const asked: unknown[] = []
  const app = Fastify()
  await app.register(sallyport, {
    verifier: {
      issuer: '',
      authenticate: (_shown, options) => {
        asked.push(options?.freshness)
        return Promise.reject(new Error('It is only asked.'))
      },
    },
  })
  for (const way of ways) app.get(`/${way}`, { config: { sallyport: way } }, () => ({}))
  for (const way of ways) t.equal((await app.inject(`/${way}`)).statusCode, way === 'public' ? 200 : 500)
  t.strictSame(asked, ['offline', 'feed', 'live'])
})

t.test('TOK-17: a route that requires a recent and strong authentication', async (t) => {
  const app = await start(t)
  const twoFactors = { amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' as const }
  const weak = await signUpAs(app)
  const old = await signUpAs(app, { ...twoFactors, agoSeconds: 331 })
  const fresh = await signUpAs(app, { ...twoFactors, agoSeconds: 100 })
  for (const [name, { api }] of Object.entries(app.services)) {
    const ask = (path: string, { accessToken: token }: SignedUp) => api.call<object>(path, { token })
    t.match(await ask('/strong', fresh), { status: 200 }, name)
    t.match(await ask('/recent', weak), { status: 200 }, name)
    for (const user of [weak, old]) {
      const refused = await ask('/strong', user)
      t.match(refused, {
        status: 401,
        body: { code: 'insufficient_user_authentication', acr_values: ['aal2'], max_age: 300 },
      })
      const { scheme, parameters } = parseChallenge(refused.headers['www-authenticate'])
      t.equal(scheme, 'Bearer')
      t.strictSame(Object.fromEntries(parameters), {
        ...{ realm: 'sallyport', error: 'insufficient_user_authentication', acr_values: 'aal2', max_age: '300' },
      })
    }
    const late = await ask('/recent', old)
    t.match(late, { status: 401, body: { max_age: 300 } })
    t.notOk('acr_values' in late.body)
    t.notOk(parseChallenge(late.headers['www-authenticate']).parameters.has('acr_values'))
    t.match(await api.call('/strong'), { status: 401, body: { code: 'token_missing' } })
  }
})

t.test('TOK-17: a cookie that is too weak is refused, and not renewed: that would not help', async (t) => {
  const app = await start(t, { cookies: true })
  for (const [name, { api }] of Object.entries(app.services)) {
    const page = app.browser()
    await signIn(page)
    const refused = await api.call('/strong', { cookies: Object.fromEntries(page.cookies) })
    t.match(refused, { status: 401, setCookies: [], body: { code: 'insufficient_user_authentication' } }, name)
    t.match(await api.call('/recent', { cookies: Object.fromEntries(page.cookies) }), { status: 200 }, name)
  }
})

t.test('a requirement that would not be enforced prevents the start', async (t) => {
  const verifier = createVerifier({ issuer: 'http://127.0.0.1:9', audience: 'a', onError: () => undefined })
  t.teardown(() => verifier.close())
  const app = Fastify()
  await app.register(sallyport, { verifier })
  const senseless: object[] = [{ acr: 'aal3' }, { maxAge: 0 }, { maxAge: '300' }, { max_age: 300 }, { acr: ['aal2'] }]
  for (const requirement of senseless) {
    const access = { freshness: 'offline', ...requirement } as SallyportAccess
    t.throws(() => app.get('/', { config: { sallyport: access } }, () => ({})), TypeError, JSON.stringify(requirement))
    t.throws(() => requireAccess(verifier, requirement), TypeError)
  }
  const client = { sub: 'reports', client_id: 'reports' } as AccessTokenClaims
  t.throws(() => verifier.require(client, { acr: 'aal1' }), { code: 'forbidden', status: 403 }, 'it has no user')
  t.doesNotThrow(() => verifier.require(client, {}))
})

t.test('pages in mode session: the access cookie is accepted, and renewed with the refresh cookie', async (t) => {
  const app = await start(t, { cookies: true })
  for (const [name, { api }] of Object.entries(app.services)) {
    const page = app.browser()
    const { userId } = await signIn(page)
    const here = createBrowser(api, { origin: 'http://localhost' })
    for (const [cookie, value] of page.cookies) here.cookies.set(cookie, value)
    const before = await here.call('/')
    t.match(before, { status: 200, body: { sub: userId } }, name)
    t.strictSame(before.setCookies, [], 'a valid cookie is not renewed')

    app.clock.advance({ minutes: 11 })
    const renewed = await here.call('/')
    t.match(renewed, { status: 200, body: { sub: userId }, headers: { 'cache-control': 'no-store' } })
    t.match(renewed.setCookies, [/^sallyport_at=.*HttpOnly/])
    t.equal(renewed.setCookies.length, 1)
    t.strictSame((await here.call('/')).setCookies, [], 'the new one is accepted')

    const refresh = here.cookies.get(rt) ?? ''
    for (const cookies of [{ [rt]: refresh }, { [at]: 'garbage', [rt]: refresh }, { other: 'x', [rt]: refresh }]) {
      t.match(await api.call('/', { cookies }), { status: 200, body: { sub: userId } })
    }
    t.match(
      await api.call('/', { token: 'garbage', cookies: { [rt]: refresh } }),
      { status: 401 },
      'the header takes precedence',
    )
    t.match(await api.call('/', { cookies: { [at]: 'garbage' } }), { status: 401, body: { code: 'token_invalid' } })
    t.match(await api.call('/', { cookies: { [at]: 'x', [rt]: 'x' } }), {
      status: 401,
      body: { code: 'token_invalid' },
    })
    t.match(await api.call('/', { cookies: { other: 'x' } }), { status: 401, body: { code: 'token_missing' } })
  }
})

t.test('pages in mode session: behind a proxy that asks for a password, the cookie counts', async (t) => {
  const app = await start(t, { cookies: true, cookiePrefix: 'shop' }, { COOKIE_PREFIX: 'shop' })
  for (const [name, { api }] of Object.entries(app.services)) {
    const page = app.browser()
    const { userId } = await signIn(page)
    t.ok(page.cookies.has('shop_at'))
    const headers = { authorization: 'Basic dXNlcjpwYXNz' }
    const call = { cookies: Object.fromEntries(page.cookies), headers }
    t.match(await api.call('/', call), { status: 200, body: { sub: userId } }, name)
    const renewed = await api.call('/', { headers, cookies: { shop_rt: page.cookies.get('shop_rt') ?? '' } })
    t.match(renewed, { status: 200, body: { sub: userId }, setCookies: [/^shop_at=/] }, name)
  }
})

t.test('pages in mode session: an ended session is told, and cookies of two sessions are nobody', async (t) => {
  const app = await start(t, { cookies: true })
  for (const [name, { api }] of Object.entries(app.services)) {
    const [page, other] = [app.browser(), app.browser()]
    await signIn(page)
    await signIn(other)
    const cookies = (...pages: Browser[]) => ({
      headers: { cookie: pages.map(({ cookies }) => `${at}=${cookies.get(at) ?? ''}`).join('; ') },
    })
    t.match(await api.call('/', cookies(page)), { status: 200 }, name)
    t.match(await api.call('/', cookies(page, other)), { status: 400, body: { code: 'ambiguous_credentials' } })

    const kept = Object.fromEntries(page.cookies)
    await page.call('/v1/auth/logout', { method: 'POST' })
    app.clock.advance({ minutes: 11 })
    t.match(await api.call('/', { cookies: kept }), { status: 401, body: { code: /^(session_ended|token_expired)$/ } })
  }
})
