import Fastify, { type FastifyError, type RouteOptions } from 'fastify'
import t from 'tap'
import { createSessionCookies } from '../../../src/features/browser/credentials.js'
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
  ['unsafe', 'listed', 'any', 'any', 'any', 'passes'],
  ['unsafe', 'foreign', 'any', 'any', 'any', 'refused'],
  ['unsafe', 'absent', 'own', 'any', 'any', 'passes'],
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
const allowed = { crossSite: { allowedBecause: 'its state is checked' } }

/** An app with the guard, whose `/sign-in` calls it; it responds with 200, or with the problem's code and options. */
async function createGuarded(sameSite: 'lax' | 'none' | null = null) {
  const app = Fastify()
  // The schemas in descriptions are those of zod.
  app.setSerializerCompiler(() => JSON.stringify)
  const cookies = createSessionCookies({ publicUrl: 'http://localhost:3000', sameSite })
  const options = { cookies, publicUrl: 'http://localhost:3000/', corsOrigins: ['https://app.example'] }
  const guard = guardAgainstCrossSite(app, options)
  const described = new Map<string, string[]>()
  app.addHook('onRoute', (route) => {
    described.set(`${String(route.method)} ${route.url}`, documentedProblems(route))
  })
  app.setErrorHandler<FastifyError | Problem>(({ code, ...error }, _request, reply) =>
    reply.code(403).send({ code, ...('options' in error && { options: error.options }) }),
  )
  const schema = { operationId: 'any' } as RouteOptions['schema'] & object
  app.get('/own', { schema }, () => 'done')
  app.post('/own', { schema }, () => 'done')
  app.post('/shared', { schema, config: allowed }, () => 'done')
  app.post('/sign-in', { schema, config: allowed }, (request) => {
    guard.requireSignInAllowed(request)
    return 'done'
  })
  await app.ready()
  return {
    described,
    async send(method: 'GET' | 'POST', url: string, headers: Record<string, string | string[]>): Promise<unknown> {
      const { statusCode, body } = await app.inject({ method, url, headers: headers as Record<string, string> })
      return statusCode === 403 ? (JSON.parse(body) as unknown) : statusCode
    },
  }
}

const refused = { code: 'cross_site_request' }

t.test('WEB-04: a cross-site request with a cookie of Sallyport is refused, unless its route allows it', async (t) => {
  const { send, described } = await createGuarded()
  t.match(await send('POST', '/own', { ...carried, ...evil }), refused)
  t.match(await send('POST', '/own', { cookie: 'sallyport_at=1', ...evil }), refused)
  t.match(await send('POST', '/own', { ...carried, 'sec-fetch-site': 'cross-site' }), refused)
  t.match(await send('POST', '/own', carried), refused)
  t.equal(await send('POST', '/own', evil), 200, 'without a cookie')
  t.equal(await send('GET', '/own', { ...carried, ...evil }), 200, 'that changes nothing')
  t.equal(await send('POST', '/shared', { ...carried, ...evil }), 200, 'to a route that allows it')
  t.equal(await send('POST', '/own', { ...carried, origin: 'http://localhost:3000' }), 200, 'same-origin')
  t.equal(await send('POST', '/own', { ...carried, origin: 'https://app.example' }), 200, 'from a listed origin')
  t.equal(await send('POST', '/own', { ...carried, 'sec-fetch-site': 'same-origin' }), 200)
  t.equal(await send('POST', '/own', { ...carried, 'x-sallyport-csrf': '1' }), 200, 'from another client')
  t.equal(await send('POST', '/elsewhere', { ...carried, ...evil }), 404, 'to no route')

  t.strictSame(described.get('POST /own'), ['cross_site_request'])
  t.strictSame(described.get('GET /own'), [])
  t.strictSame(described.get('POST /shared'), [])
})

t.test('WEB-05: a sign-in that sets cookies must be same-origin, or the browser must keep its cookies', async (t) => {
  const { send } = await createGuarded()
  t.equal(await send('POST', '/sign-in', {}), 200, 'from another client')
  t.match(await send('POST', '/sign-in', carried), refused, 'from another client, with a cookie')
  t.match(await send('POST', '/sign-in', evil), refused)
  t.match(await send('POST', '/sign-in', { 'sec-fetch-site': 'cross-site' }), refused)
  t.equal(await send('POST', '/sign-in', { origin: 'https://app.example', 'sec-fetch-site': 'same-site' }), 200)

  const fromListed = { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }
  t.match(await send('POST', '/sign-in', fromListed), {
    code: 'validation_failed',
    options: {
      detail: /cookies of this cross-site sign-in\. .* set COOKIE_SAMESITE=none, or sign in with mode "json"\.$/,
      errors: [{ path: '/mode', code: 'cross_site_cookies', message: /cookies/ }],
    },
  })
  const anywhere = await createGuarded('none')
  t.equal(await anywhere.send('POST', '/sign-in', fromListed), 200, 'with SameSite=None')
  t.match(await anywhere.send('POST', '/sign-in', evil), refused)
})

t.test('a route that other sites may call declares a reason, or the app does not start', async (t) => {
  const app = Fastify()
  const cookies = createSessionCookies({ publicUrl: 'http://localhost:3000', sameSite: null })
  guardAgainstCrossSite(app, { cookies, publicUrl: 'http://localhost:3000', corsOrigins: [] })
  t.throws(() => app.get('/', { config: { crossSite: { allowedBecause: '' } } }, () => 'done'), /allowedBecause/)
})
