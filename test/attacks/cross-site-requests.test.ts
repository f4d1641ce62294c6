// Another site has the victim's browser send requests, with the victim's cookies.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { PASSWORD, type Call } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import { isForVerifiers, operationsOf, pathOf, type Operation } from '../support/operations.js'
import { readAllRows, readFamily } from '../support/rows.js'
import type { Mode } from '../../src/wire/mode.js'
import type { TokenReply } from '../../src/wire/token-reply.js'

const listed = 'https://app.example'

const hostile: Record<string, Record<string, string>> = {
  'a foreign origin': { origin: 'https://evil.example' },
  'an origin that looks like a listed one': { origin: 'https://app.example.evil.example' },
  'a sandboxed frame': { origin: 'null' },
  'a foreign origin that claims to be the same': { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  'a foreign origin with the header of other clients': { origin: 'https://evil.example', 'x-sallyport-csrf': '1' },
  'another site, without an origin': { 'sec-fetch-site': 'cross-site' },
  'a neighbouring site, without an origin': { 'sec-fetch-site': 'same-site' },
  'a browser that tells nothing': {},
}

interface Victim {
  email: string
  sessionId: string
  cookies: Record<string, string>
}

async function signIn({ browser }: TestApp, mode: Mode): Promise<Victim> {
  const page = browser()
  const email = `${randomUUID()}@example.com`
  const body = { email, password: PASSWORD, mode }
  const { body: reply } = await page.call<TokenReply>('/v1/auth/register', { method: 'POST', body })
  return { email, sessionId: reply.session.id, cookies: Object.fromEntries(page.cookies) }
}

/** The request that the operation's example describes, as the victim would send it. */
function victimsRequest(operation: Operation, victim: Victim): { path: string; call: Call } {
  const own: Record<string, unknown> = {
    email: operation.id === 'register' ? `${randomUUID()}@example.com` : victim.email,
    password: PASSWORD,
    current_password: PASSWORD,
    mode: 'cookie',
  }
  const example = Object.entries((operation.body?.example ?? {}) as Record<string, unknown>)
  // A browser's refresh token is in its cookie.
  const members = example
    .filter(([name]) => name !== 'refresh_token')
    .map(([name, value]) => [name, own[name] ?? value])
  return {
    path: pathOf(operation, { id: victim.sessionId }),
    call: {
      method: operation.method,
      cookies: victim.cookies,
      ...(operation.body ? { body: Object.fromEntries(members) as unknown } : {}),
    },
  }
}

t.test('a request from elsewhere that rides on cookies', async (t) => {
  const instance = await startApp(t, { settings: { CORS_ORIGINS: listed } })
  const { app, api, config, database } = instance
  const unsafe = operationsOf(app.server).filter(
    (operation) => operation.method !== 'GET' && !isForVerifiers(operation),
  )
  t.ok(unsafe.length >= 11, 'the routes are found')

  for (const mode of ['cookie', 'session'] as const) {
    for (const operation of unsafe) {
      t.test(`WEB-04, WEB-05: ${operation.method} ${operation.path} in mode ${mode}`, async (t) => {
        const victim = await signIn(instance, mode)
        const { path, call } = victimsRequest(operation, victim)
        const before = await readAllRows(database)

        for (const [from, headers] of Object.entries(hostile)) {
          const answer = await api.call(path, { ...call, headers })
          t.match(
            answer,
            { status: 403, setCookies: { length: 0 }, body: { code: 'cross_site_request' } },
            `from ${from}`,
          )
          t.equal(answer.headers['access-control-allow-origin'], undefined)
        }
        // What a form can send: the rule comes before the body is looked at.
        for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
          const headers = { origin: 'https://evil.example', 'content-type': type }
          t.match(await api.call(path, { ...call, body: call.body ?? {}, headers }), { status: 403 }, `as ${type}`)
        }
        t.strictSame(await readAllRows(database), before, 'nothing rotated, ended or was written')

        const headers = { origin: config.server.publicUrl }
        const { status } = await api.call(path, { ...call, headers })
        // In mode cookie an access token has to come along, which no other site has.
        t.ok(status < 300 || (status === 401 && mode === 'cookie'), `the same passes from home: ${status}`)
      })
    }
  }

  t.test('WEB-04: from a listed origin, and from a client that says that it means it, it passes', async (t) => {
    for (const headers of [{ origin: listed }, { 'sec-fetch-site': 'same-origin' }, { 'x-sallyport-csrf': '1' }]) {
      const { cookies } = await signIn(instance, 'session')
      t.match(await api.call('/v1/auth/refresh', { method: 'POST', cookies, headers }), { status: 200 })
    }
  })

  t.test(
    'WEB-04: a header or a body that authenticates is free of the rule, unless a cookie comes along',
    async (t) => {
      const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
      const { accessToken: token, refreshToken } = await api.signUp()
      const renaming = { method: 'PATCH', token, body: { name: 'Ada' }, headers } as const
      t.match(await api.call('/v1/me', renaming), { status: 200 })
      const body = { refresh_token: refreshToken }
      t.match(await api.call('/v1/auth/refresh', { method: 'POST', body, headers }), { status: 200 })

      const { cookies } = await signIn(instance, 'session')
      t.match(await api.call('/v1/me', { ...renaming, cookies }), { status: 403, body: { code: 'cross_site_request' } })
      const planted = { sallyport_rt: 'planted' }
      t.match(await api.call('/v1/me', { ...renaming, cookies: planted }), { status: 403 }, 'genuine or not')
      t.match(await api.call('/v1/me', { ...renaming, cookies: { other: 'x' } }), { status: 200 }, 'of ours')
    },
  )

  t.test('WEB-04: only a route that declares it, with a reason, is free of the rule', async (t) => {
    const access = { token: 'feed' as const }
    const declarations: Record<string, object> = {
      '/test/undeclared': {},
      '/test/undefined': { crossSite: undefined },
      '/test/open': { crossSite: { allowedBecause: 'The test calls it so.' } },
    }
    const { app, api, browser } = await startApp(t, {
      join: true,
      settings: { CORS_ORIGINS: listed },
      routes: (server) => {
        for (const [path, config] of Object.entries(declarations)) {
          const schema = { operationId: path.slice(6), summary: 'A test', security: [{ accessCookie: [] }] }
          server.post(path, { config: { access, ...config }, schema }, () => ({ done: true }))
        }
        const senseless = [{ allowedBecause: '' }, {}, true, null]
        for (const crossSite of senseless) {
          const config = { access, crossSite: crossSite as { allowedBecause: string } }
          t.throws(
            () => server.post('/test/senseless', { config, schema: { hide: true } }, () => ({})),
            JSON.stringify(crossSite),
          )
        }
      },
    })
    const page = browser()
    await page.call('/v1/auth/register', {
      method: 'POST',
      body: { email: `${randomUUID()}@example.com`, password: PASSWORD, mode: 'session' },
    })
    const cookies = Object.fromEntries(page.cookies)
    const refused = { status: 403, body: { code: 'cross_site_request' } }
    for (const [from, headers] of Object.entries(hostile)) {
      const post = (path: string) => api.call(path, { method: 'POST', cookies, headers })
      t.match(await post('/test/undeclared'), refused, from)
      t.match(await post('/test/undefined'), refused, from)
      t.match(await post('/test/open'), { status: 200 }, from)
    }
    const isDescribed = (id: string) =>
      operationsOf(app.server).some(
        (operation) => operation.id === id && operation.problems.includes('cross_site_request'),
      )
    t.ok(isDescribed('undeclared'))
    t.notOk(isDescribed('open'))
  })

  t.test('WEB-04: nobody is signed in as somebody else from another site', async (t) => {
    const { email } = await api.signUp()
    const before = await readAllRows(database)
    for (const mode of [undefined, 'cookie', 'session']) {
      const login = { method: 'POST', body: { email, password: PASSWORD, ...(mode && { mode }) } } as const
      const registration = { ...login, body: { ...login.body, email: `${randomUUID()}@example.com` } }
      for (const [from, headers] of Object.entries(hostile)) {
        if (Object.keys(headers).length === 0) continue
        for (const [path, call] of Object.entries({ '/v1/auth/login': login, '/v1/auth/register': registration })) {
          const answer = await api.call(path, { ...call, headers })
          t.match(
            answer,
            { status: 403, setCookies: { length: 0 }, body: { code: 'cross_site_request' } },
            `${path} from ${from}`,
          )
        }
      }
    }
    t.strictSame(await readAllRows(database), before)
    const login = { method: 'POST', body: { email, password: PASSWORD } } as const
    t.match(await api.call('/v1/auth/login', login), { status: 200 }, 'a client that is no browser needs no header')
  })

  t.test('REF-06, WEB-05: a logout that carries no cookie clears none', async (t) => {
    const { refreshToken, sessionId } = await api.signUp()
    const logOut = { method: 'POST', body: { refresh_token: refreshToken } } as const
    const fromJson = await api.call('/v1/auth/logout', logOut)
    t.equal(fromJson.status, 204)
    t.strictSame(fromJson.setCookies, [])
    t.match(await readFamily(database, sessionId), { endReason: 'logout' })

    // SameSite=Strict keeps the cookies from another site's request, but the browser would obey what is answered to it.
    for (const [from, headers] of Object.entries(hostile)) {
      const answer = await api.call('/v1/auth/logout', { method: 'POST', headers })
      t.equal(answer.status, 204, `from ${from}`)
      t.strictSame(answer.setCookies, [], `${from} signs nobody out`)
    }
  })

  t.test('WEB-06: GET and HEAD change nothing, whatever the override says', async (t) => {
    const victim = await signIn(instance, 'session')
    const before = await readAllRows(database)
    const headers = {
      origin: 'https://evil.example',
      'x-http-method-override': 'DELETE',
      'x-method-override': 'DELETE',
    }
    for (const operation of operationsOf(app.server)) {
      const path = pathOf(operation, { id: victim.sessionId })
      for (const method of ['GET', 'HEAD'] as const) {
        const { status, setCookies } = await api.call(`${path}?_method=DELETE`, {
          method,
          cookies: victim.cookies,
          // A gateway says what it asks about.
          headers: { ...headers, 'x-forwarded-method': method },
        })
        const expected = isForVerifiers(operation) ? [401, 405] : [200, 405, 422]
        t.ok(expected.includes(status), `${method} ${path} answers ${status}`)
        t.strictSame(setCookies, [])
      }
    }
    t.strictSame(await readAllRows(database), before)
  })

  t.test('WEB-07: no origin but a listed one may read an answer or send what needs to be asked for', async (t) => {
    for (const operation of operationsOf(app.server)) {
      const path = pathOf(operation)
      const preflight = { method: 'OPTIONS', path, requested: { 'access-control-request-method': operation.method } }
      for (const origin of [listed, 'https://evil.example', 'null', 'https://app.example.evil.example']) {
        const { headers } = await api.call(path, {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-headers': 'content-type', ...preflight.requested },
        })
        const allowed = origin === listed ? listed : undefined
        t.equal(headers['access-control-allow-origin'], allowed, `${operation.id} for ${origin}`)
        t.equal(headers['access-control-allow-credentials'], allowed && 'true')
        t.match(headers.vary, /\bOrigin\b/)
      }
    }
  })
})
