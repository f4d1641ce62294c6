import cookie from '@fastify/cookie'
import Fastify, { type FastifyError, type FastifyRequest, type RouteOptions } from 'fastify'
import t from 'tap'
import { createSessionCookies } from '../../../src/features/browser/credentials.js'
import { createFlowCookie } from '../../../src/features/browser/flow-cookie.js'
import { guardAgainstCrossSite, isSameSite } from '../../../src/features/browser/cross-site.js'
import { documentedProblems } from '../../../src/platform/http/problem-responses.js'
import type { Problem } from '../../../src/platform/problem.js'

const origins = new Set(['https://auth.example', 'https://app.example'])

const methods = {
  safe: ['GET', 'HEAD', 'OPTIONS'],
  unsafe: ['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'TRACE'],
}
const originHeaders: Record<'listed' | 'foreign' | 'absent', (string | undefined)[]> = {
  listed: ['https://auth.example', 'https://app.example'],
  foreign: [
    'https://evil.example',
    'https://app.example.evil.example',
    'https://app.example:8443',
    'https://app.example/',
    'https://APP.example',
    'https://app.example, https://app.example',
    'http://app.example',
    'null',
    '*',
    '',
  ],
  absent: [undefined],
}
const fetchSites: Record<'own' | 'other' | 'absent', (string | undefined)[]> = {
  own: ['same-origin', 'none'],
  other: ['same-site', 'cross-site', 'Same-Origin', 'same-origin, cross-site', ''],
  absent: [undefined],
}
const csrfHeaders: Record<'given' | 'wrong', (string | undefined)[]> = {
  given: ['1'],
  wrong: ['0', 'true', '1, 1', '', undefined],
}
const cookies = { carried: [true], none: [false] }

type Column<Kinds> = keyof Kinds | 'any'
type Rule = [
  method: Column<typeof methods>,
  origin: Column<typeof originHeaders>,
  fetchSite: Column<typeof fetchSites>,
  csrfHeader: Column<typeof csrfHeaders>,
  cookie: Column<typeof cookies>,
  outcome: 'passes' | 'refused',
]

/** Each combination matches exactly one of these rules. */
const rules: Rule[] = [
  // method   Origin     Sec-Fetch-Site  X-Sallyport-CSRF  cookie
  ['safe', 'any', 'any', 'any', 'any', 'passes'],
  // By a development proxy, the page has another origin than the API.
  ['unsafe', 'any', 'own', 'any', 'any', 'passes'],
  ['unsafe', 'listed', 'other', 'any', 'any', 'passes'],
  ['unsafe', 'listed', 'absent', 'any', 'any', 'passes'],
  ['unsafe', 'foreign', 'other', 'any', 'any', 'refused'],
  ['unsafe', 'foreign', 'absent', 'any', 'any', 'refused'],
  ['unsafe', 'absent', 'other', 'any', 'any', 'refused'],
  ['unsafe', 'absent', 'absent', 'given', 'any', 'passes'],
  ['unsafe', 'absent', 'absent', 'wrong', 'none', 'passes'],
  ['unsafe', 'absent', 'absent', 'wrong', 'carried', 'refused'],
]

t.test('WEB-04: when cookies are accepted, for every combination of headers that a browser sends', async (t) => {
  let judged = 0
  for (const [methodKind, method] of pairsOf(methods)) {
    for (const [originKind, origin] of pairsOf(originHeaders)) {
      for (const [siteKind, secFetchSite] of pairsOf(fetchSites)) {
        for (const [csrfKind, csrfHeader] of pairsOf(csrfHeaders)) {
          for (const [cookieKind, hasCookie] of pairsOf(cookies)) {
            const kinds = [methodKind, originKind, siteKind, csrfKind, cookieKind]
            const matching = rules.filter((rule) => kinds.every((kind, at) => rule[at] === 'any' || rule[at] === kind))
            const outcome = isSameSite({ method, origin, secFetchSite, csrfHeader }, { origins, hasCookie })
            judged += 1
            const expected = matching.map((rule) => rule[5])
            if (expected.length === 1 && (expected[0] === 'passes') === outcome) continue
            t.fail(JSON.stringify({ method, origin, secFetchSite, csrfHeader, hasCookie, outcome, expected }))
          }
        }
      }
    }
  }
  t.equal(judged, 9 * 13 * 8 * 6 * 2, 'every combination matched one rule')
})

function pairsOf<Value>(kinds: Record<string, Value[]>): [string, Value][] {
  return Object.entries(kinds).flatMap(([kind, values]) => values.map((value): [string, Value] => [kind, value]))
}

const evil = { origin: 'https://evil.example' }
const carried = { cookie: 'sallyport_rt=1' }
const owned = { access: { token: 'feed' as const } }
const allowed = { ...owned, crossSite: { allowedBecause: 'its state is checked' } }

/**
 * An app with the guard, whose `/sign-in` calls it. Its responses are the refresh cookies that count, or the
 * problem's code and options.
 */
async function createGuarded(sameSite: 'lax' | 'none' | null = null, publicUrl = 'http://localhost:3000') {
  const app = Fastify()
  await app.register(cookie, { hook: false })
  // The schemas of descriptions are zod's.
  app.setSerializerCompiler(() => JSON.stringify)
  const cookies = createSessionCookies({ publicUrl, sameSite })
  const flowCookie = createFlowCookie({ publicUrl, sameSite })
  const options = { cookies, flowCookie, publicUrl: `${publicUrl}/`, corsOrigins: ['https://app.example'] }
  const guard = guardAgainstCrossSite(app, options)
  const described = new Map<string, string[]>()
  app.addHook('onRoute', (route) => {
    described.set(`${String(route.method)} ${route.url}`, documentedProblems(route))
  })
  app.setErrorHandler<FastifyError | Problem>(({ code, ...error }, _request, reply) =>
    reply.code(403).send({ code, ...('options' in error && { options: error.options }) }),
  )
  const schema = { operationId: 'any' } as RouteOptions['schema'] & object
  const read = (request: FastifyRequest) => cookies.readRefreshTokens(request).join()
  app.get('/own', { schema, config: owned }, read)
  app.post('/own', { schema, config: owned }, read)
  app.post<{ Body: { refresh_token?: string } | null }>(
    '/refresh',
    { schema, config: { access: 'refresh' } },
    (request) => {
      if (request.cookieRefusal && !request.body?.refresh_token) throw request.cookieRefusal
      return read(request)
    },
  )
  app.post('/logout', { schema, config: { access: 'credential' } }, (request, reply) => {
    cookies.clear(request, reply)
    return `${request.cookieRefusal?.code ?? ''}${read(request)}`
  })
  app.post('/public', { schema, config: { access: 'public' } }, read)
  app.post('/shared', { schema, config: allowed }, read)
  app.post('/undeclared', read)
  app.post('/sign-in', { schema, config: { access: 'public' } }, (request) => {
    guard.requireSignInAllowed(request)
    return 'done'
  })
  await app.ready()
  return {
    described,
    async send(
      method: 'GET' | 'POST',
      url: string,
      headers: Record<string, string | string[]>,
      payload?: object,
    ): Promise<unknown> {
      const sent = { method, url, headers: headers as Record<string, string>, ...(payload && { payload }) }
      const { statusCode, body, cookies } = await app.inject(sent)
      if (statusCode === 403) return JSON.parse(body) as unknown
      if (statusCode !== 200) return statusCode
      return [body, ...cookies.map(({ name }) => `clears ${name}`)].join(' ')
    },
  }
}

const refused = { code: 'cross_site_request' }

t.test('WEB-04: cookies of a cross-site request do not count, unless its route allows it', async (t) => {
  const { send, described } = await createGuarded()
  for (const url of ['/own', '/refresh']) {
    t.match(await send('POST', url, { ...carried, ...evil }), refused)
    t.match(await send('POST', url, { cookie: 'sallyport_at=1', ...evil }), refused)
    t.match(await send('POST', url, { ...carried, 'sec-fetch-site': 'cross-site' }), refused)
    t.match(await send('POST', url, carried), refused)
    t.match(await send('POST', url, { ...carried, ...evil, authorization: 'Basic dTpw' }), refused)
    t.match(await send('POST', url, { ...carried, authorization: 'Negotiate YII=' }), refused)
    t.equal(await send('POST', url, evil), '', 'without a cookie')
  }
  t.equal(await send('GET', '/own', { ...carried, ...evil }), '1', 'that changes nothing')
  t.equal(await send('POST', '/shared', { ...carried, ...evil }), '1', 'to a route that allows it')
  t.equal(await send('POST', '/own', { ...carried, origin: 'http://localhost:3000' }), '1', 'from home')
  t.equal(await send('POST', '/own', { ...carried, origin: 'https://app.example' }), '1', 'from a listed origin')
  t.equal(await send('POST', '/own', { ...carried, 'sec-fetch-site': 'same-origin' }), '1')
  const proxied = { origin: 'http://localhost:5173', 'sec-fetch-site': 'same-origin' }
  t.equal(await send('POST', '/own', { ...carried, ...proxied }), '1', 'by a development proxy')
  t.equal(await send('POST', '/own', { ...carried, 'x-sallyport-csrf': '1' }), '1', 'by no browser')
  t.equal(await send('POST', '/elsewhere', { ...carried, ...evil }), 404, 'to no route')
  t.equal(await send('POST', '/undeclared', { ...carried, ...evil }), '', 'to one that declares nothing')

  for (const url of ['/own', '/refresh', '/logout', '/sign-in']) {
    t.strictSame(described.get(`POST ${url}`), url === '/sign-in' ? [] : ['cross_site_request'], url)
  }
  for (const route of ['GET /own', 'POST /shared', 'POST /public', 'POST /undeclared'])
    t.strictSame(described.get(route), [], route)
})

t.test('WEB-04: the credential that is shown counts, and cookies beside it do not', async (t) => {
  const { send } = await createGuarded()
  const bearer = { ...carried, authorization: 'Bearer x' }
  const body = { refresh_token: 'x' }
  const home = { origin: 'http://localhost:3000' }
  for (const from of [{}, evil, { 'sec-fetch-site': 'cross-site' }]) {
    t.equal(await send('POST', '/own', { ...bearer, ...from }), '')
    t.equal(await send('POST', '/own', { ...bearer, ...from, authorization: 'bearer' }), '', 'however malformed')
    t.equal(await send('POST', '/refresh', { ...carried, ...from }, body), '')
    t.match(await send('POST', '/refresh', { ...bearer, ...from }), refused, 'an access token refreshes nothing')
    t.match(await send('POST', '/refresh', { ...carried, ...from }, {}), refused)
    t.equal(await send('POST', '/logout', { ...carried, ...from }), 'cross_site_request', 'and none is cleared')
    t.equal(await send('POST', '/public', { ...carried, ...from }), '', 'nor where no credential is needed')
  }
  t.equal(await send('POST', '/own', { ...bearer, ...home }), '1', 'from home, the cookies are there too')
  const cleared = '1 clears sallyport_at clears sallyport_rt'
  t.equal(await send('POST', '/logout', { ...bearer, ...home }), cleared)
})

t.test('WEB-04: a trial over http is its own origin at each address that it is reached at', async (t) => {
  const { send } = await createGuarded()
  const host = '192.168.1.20:3000'
  for (const url of ['/own', '/sign-in']) {
    t.equal(typeof (await send('POST', url, { ...carried, host, origin: `http://${host}` })), 'string', url)
    for (const origin of [`https://${host}`, 'http://192.168.1.20', 'http://192.168.1.21:3000', 'null']) {
      t.match(await send('POST', url, { ...carried, host, origin }), refused, `${url}: ${origin}`)
    }
  }
  const secure = await createGuarded(null, 'https://auth.example')
  const secureCookie = { cookie: '__Host-Http-sallyport_rt=1' }
  t.match(await secure.send('POST', '/own', { ...secureCookie, host, origin: `http://${host}` }), refused)
})

t.test('WEB-04: the refusal names the origin that was seen and the settings', async (t) => {
  const { send } = await createGuarded()
  const lan = { ...carried, origin: 'http://192.168.1.20:3000' }
  const detail = /^The origin "http:\/\/192\.168\.1\.20:3000" .* PUBLIC_URL .* CORS_ORIGINS .* that may call\.$/
  t.match(await send('POST', '/own', lan), { ...refused, options: { detail } })
  t.match(await send('POST', '/sign-in', lan), { ...refused, options: { detail } })
  const long = await send('POST', '/own', { ...carried, origin: `https://${'a'.repeat(5000)}` })
  t.ok(JSON.stringify(long).length < 1000)
  t.match(await send('POST', '/own', carried), { ...refused, options: { detail: undefined } })
})

t.test('WEB-05: a sign-in that sets cookies must be same-origin, or the browser must keep its cookies', async (t) => {
  const { send } = await createGuarded()
  t.equal(await send('POST', '/sign-in', {}), 'done', 'by no browser')
  t.match(await send('POST', '/sign-in', carried), refused, 'by no browser, with a cookie')
  t.match(await send('POST', '/sign-in', evil), refused)
  t.match(await send('POST', '/sign-in', { 'sec-fetch-site': 'cross-site' }), refused)
  t.equal(await send('POST', '/sign-in', { origin: 'https://app.example', 'sec-fetch-site': 'same-site' }), 'done')

  const fromListed = { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }
  t.match(await send('POST', '/sign-in', fromListed), {
    code: 'validation_failed',
    options: {
      detail: /cookies of this cross-site sign-in\. .* set COOKIE_SAMESITE=none, or sign in with mode "json"\.$/,
      errors: [{ path: '/mode', code: 'cross_site_cookies', message: /cookies/ }],
    },
  })
  const anywhere = await createGuarded('none')
  t.equal(await anywhere.send('POST', '/sign-in', fromListed), 'done', 'where cookies travel to other sites')
  t.match(await anywhere.send('POST', '/sign-in', evil), refused)
})

t.test('a route that other sites may call declares a reason, or the app does not start', async (t) => {
  const app = Fastify()
  const place = { publicUrl: 'http://localhost:3000', sameSite: null }
  const [cookies, flowCookie] = [createSessionCookies(place), createFlowCookie(place)]
  guardAgainstCrossSite(app, { cookies, flowCookie, ...place, corsOrigins: [] })
  t.throws(() => app.get('/', { config: { crossSite: { allowedBecause: '' } } }, () => 'done'), /allowedBecause/)
})
