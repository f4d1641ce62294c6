// The route that gateways ask about each request, called as nginx, Caddy and Envoy call it.

import { METHODS } from 'node:http'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD, type Call, type ProblemBody } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'

const evil = 'https://evil.example'

/** What nginx and Caddy do: they ask with GET, and tell the method and all headers of the original request. */
const asked = (method: string, headers: Record<string, string> = {}): Call => ({
  headers: { 'x-forwarded-method': method, ...headers },
})

async function signInByCookies(app: TestApp) {
  const { email, userId } = await app.api.signUp()
  const page = app.browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password: PASSWORD, mode: 'session' } })
  return { email, userId, page, cookies: Object.fromEntries(page.cookies) }
}

t.test('a gateway is told whose a request is that may pass', async (t) => {
  const app = await startApp(t)
  const { api } = app
  const { email, userId, sessionId, refreshToken } = await api.signUp()
  await runCommand(app.app.operator, 'user:roles', ['--email', email, '--set', 'admin,billing:read'])
  const token = (await api.refresh(refreshToken)).body.access_token
  const headers = {
    'x-auth-user': userId,
    'x-auth-roles': 'admin,billing:read',
    'x-auth-session': sessionId,
    'x-auth-email': email,
    'cache-control': 'no-store',
  }
  t.match(await api.call('/v1/gateway', { token }), { status: 200, headers, body: '' })
  t.match(await api.call('/v1/gateway/orders/7?page=2', { token }), { status: 200, headers, body: '' })

  const other = await api.signUp()
  const answer = await api.call('/v1/gateway', { token: other.accessToken })
  t.match(
    answer,
    { status: 200, headers: { 'x-auth-roles': '', 'x-auth-user': other.userId } },
    'an empty list is told',
  )
})

t.test('a gateway may ask with any method, and with a body that nobody reads', async (t) => {
  const { app, api } = await startApp(t)
  const { accessToken, userId } = await api.signUp()
  const authorization = `Bearer ${accessToken}`
  for (const method of METHODS.filter((name) => name !== 'CONNECT')) {
    for (const url of ['/v1/gateway', '/v1/gateway/', '/v1/gateway/files/a%20b']) {
      const answer = await app.server.inject({ method: method as 'GET', url, headers: { authorization } })
      t.equal(answer.statusCode, 200, `${method} ${url}`)
      t.equal(answer.headers['x-auth-user'], userId)
    }
  }
  for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json', 'application/grpc']) {
    const call: Call = { method: 'POST', token: accessToken, text: 'not json', headers: { 'content-type': type } }
    t.match(await api.call('/v1/gateway/upload', call), { status: 200, headers: { connection: 'close' } }, type)
  }
  t.match(await api.call('/v1/gateways', { token: accessToken }), { status: 404 })
})

t.test('a request that may not pass gets 401, or 403 where another sign-in would not help', async (t) => {
  const app = await startApp(t)
  const { api, clock } = app
  const [ended, expired] = [await api.signUp(), await api.signUp()]
  await api.call('/v1/auth/logout', { method: 'POST', token: ended.accessToken })
  const refused: [token: string | undefined, code: string][] = [
    [undefined, 'token_missing'],
    ['nonsense', 'token_invalid'],
    [ended.refreshToken, 'token_invalid'],
    [ended.accessToken, 'session_ended'],
  ]
  for (const [token, code] of refused) {
    for (const path of ['/v1/gateway', '/v1/gateway/orders']) {
      const answer = await api.call(path, { token })
      t.match(answer, { status: 401, headers: { 'www-authenticate': /^Bearer/ }, body: { code } })
      t.notOk('x-auth-user' in answer.headers)
    }
  }
  const [first, second] = [await signInByCookies(app), await signInByCookies(app)]
  const cookie = `sallyport_at=${first.cookies.sallyport_at}; sallyport_at=${second.cookies.sallyport_at}`
  const ambiguous = await api.call<ProblemBody>('/v1/gateway', asked('GET', { cookie }))
  t.match(ambiguous, { status: 403, body: { code: 'forbidden', detail: /conflicting credentials/ } })
  clock.advance({ minutes: 11 })
  t.match(await api.call('/v1/gateway', { token: expired.accessToken }), {
    status: 401,
    body: { code: 'token_expired' },
  })
})

t.test('WEB-04: a page of another site cannot act by a cookie through a gateway', async (t) => {
  const app = await startApp(t)
  const { api, config } = app
  const { cookies, userId } = await signInByCookies(app)
  const own = { origin: config.server.publicUrl }
  const ask = (path: string, call: Call) => api.call<ProblemBody>(path, { ...call, cookies })
  const passes: [path: string, call: Call][] = [
    ['/v1/gateway', asked('GET')],
    ['/v1/gateway', asked('HEAD', { origin: evil })],
    ['/v1/gateway', asked('POST', own)],
    ['/v1/gateway', asked('DELETE', { 'sec-fetch-site': 'same-origin' })],
    ['/v1/gateway', asked('POST', { 'x-sallyport-csrf': '1' })],
    ['/v1/gateway', { headers: { 'x-original-method': 'GET', origin: evil } }],
    ['/v1/gateway', { headers: own }],
    ['/v1/gateway/orders', { method: 'GET', headers: { origin: evil } }],
    ['/v1/gateway/orders', { method: 'POST', headers: own }],
  ]
  for (const [path, call] of passes) {
    const answer = await ask(path, call)
    t.match(answer, { status: 200, headers: { 'x-auth-user': userId } }, JSON.stringify([path, call]))
  }
  const refused: [path: string, call: Call][] = [
    ['/v1/gateway', asked('POST', { origin: evil })],
    ['/v1/gateway', asked('POST', { origin: 'null' })],
    ['/v1/gateway', asked('POST')],
    ['/v1/gateway', asked('post', { origin: evil })],
    ['/v1/gateway', asked('GET, POST', { origin: evil })],
    ['/v1/gateway', asked('GET', { 'x-original-method': 'POST', origin: evil })],
    ['/v1/gateway', asked('PATCH', { 'sec-fetch-site': 'cross-site' })],
    // A gateway that forgot the header: what it asks about may be anything.
    ['/v1/gateway', { headers: { origin: evil } }],
    ['/v1/gateway', {}],
    ['/v1/gateway', { method: 'POST', headers: { 'x-forwarded-method': 'GET', origin: evil } }],
    ['/v1/gateway/orders', { method: 'POST', headers: { origin: evil } }],
    ['/v1/gateway/orders', { method: 'DELETE' }],
    ['/v1/gateway/orders', { method: 'POST', headers: { 'x-forwarded-method': 'GET', origin: evil } }],
  ]
  for (const [path, call] of refused) {
    const answer = await ask(path, call)
    t.match(answer, { status: 403, body: { code: 'cross_site_request' } }, JSON.stringify([path, call]))
    t.notOk('x-auth-user' in answer.headers)
  }
  const { accessToken } = await api.signUp()
  const shown = { ...asked('POST', { origin: evil }), token: accessToken }
  t.match(await api.call('/v1/gateway', shown), { status: 200 }, 'a token that a script shows is no cookie')
})

t.test('mode session: the access cookie is renewed on the way', async (t) => {
  const app = await startApp(t)
  const { page, cookies } = await signInByCookies(app)
  app.clock.advance({ minutes: 11 })
  const renewed = await page.call('/v1/gateway', asked('GET'))
  t.match(renewed, { status: 200, setCookies: [/^sallyport_at=ey/] })
  t.not(page.cookies.get('sallyport_at'), cookies.sallyport_at)
  t.match(await page.call('/v1/gateway/orders'), { status: 200, setCookies: [] })
})

t.test('GATEWAY_HEADERS says what is told, and in which headers', async (t) => {
  const settings = { GATEWAY_HEADERS: 'user=Remote-User,roles=Remote-Groups' }
  const { api } = await startApp(t, { settings })
  const { accessToken, userId } = await api.signUp()
  const { headers } = await api.call('/v1/gateway', { token: accessToken })
  t.match(headers, { 'remote-user': userId, 'remote-groups': '' })
  t.strictSame(
    Object.keys(headers).filter((name) => name.startsWith('x-auth') || name.includes('email')),
    [],
  )
})
