// Routes with additional requirements for an access token, behind the guard of the application.

import { SignJWT, decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import type { TokenRequirement } from '../../src/platform/http/access.js'
import type { AppInstance } from '../../src/platform/http/app-instance.js'
import { startApp, type Test, type TestApp } from '../support/app.js'
import { operationsOf } from '../support/operations.js'
import { readSigningKey } from '../support/signing-keys.js'

const routes: Record<string, TokenRequirement> = {
  '/test/role': { token: 'feed', roles: ['admin', 'support'] },
  '/test/role/live': { token: 'live', roles: ['admin'] },
  '/test/scope': { token: 'offline', scopes: ['orders:read', 'orders:write'] },
  '/test/age': { token: 'feed', maxAuthAgeSeconds: 900 },
  '/test/level': { token: 'feed', acr: 'aal2', maxAuthAgeSeconds: 900 },
  '/test/lowest': { token: 'feed', acr: 'aal1' },
}

function mountRoutes(app: AppInstance): void {
  for (const [path, access] of Object.entries(routes)) {
    const schema = { operationId: path.replaceAll('/', '_'), summary: 'A test', security: [{ accessToken: [] }] }
    app.get(path, { config: { access }, schema }, () => ({ done: true }))
  }
}

const start = (t: Test) => startApp(t, { routes: mountRoutes })

/** The token with other claims, signed with the same key, as Sallyport itself could issue. */
async function reissue(app: TestApp, token: string, changes: object): Promise<string> {
  const { privateKey, kid, algorithm: alg } = await readSigningKey(app)
  const header = { ...decodeProtectedHeader(token), kid, alg }
  return new SignJWT({ ...decodeJwt(token), ...changes }).setProtectedHeader(header).sign(privateKey)
}

t.test('HTTP-15: a required role is checked in the token and, for live routes, in the database', async (t) => {
  const app = await start(t)
  const { api, database } = app
  const user = await api.signUp()
  const setRoles = (roles: string[]) =>
    database.query((client) => client.user.update({ where: { id: user.userId }, data: { roles } }))
  const forbidden = { status: 403, body: { code: 'forbidden' } }
  const ask = (path: string, token?: string) => api.call(path, { token })
  const answer = await ask('/test/role', user.accessToken)
  t.match(answer, forbidden)
  t.equal(answer.headers['www-authenticate'], undefined)
  t.match(await ask('/test/role'), { status: 401, body: { code: 'token_missing' } })

  await setRoles(['admin'])
  t.match(await ask('/test/role/live', user.accessToken), forbidden, 'the token does not have the role')
  const { body } = await api.refresh(user.refreshToken)
  const admin = body.access_token
  t.match(await ask('/test/role', admin), { status: 200 })
  t.match(await ask('/test/role/live', admin), { status: 200 })

  // Without a new epoch, so that the token itself is still valid.
  await setRoles(['auditor'])
  t.match(await ask('/test/role', admin), { status: 200 }, 'the map has no entry for it')
  t.match(await ask('/test/role/live', admin), forbidden, 'the database does')
})

t.test('RFC 6750, 3.1: a required scope is checked in the token', async (t) => {
  const app = await start(t)
  const { accessToken } = await app.api.signUp()
  for (const scope of ['', 'orders:read', 'orders:read orders:writer']) {
    const answer = await app.api.call('/test/scope', { token: await reissue(app, accessToken, { scope }) })
    t.match(answer, { status: 403, body: { code: 'insufficient_scope' } }, scope)
    t.equal(
      answer.headers['www-authenticate'],
      'Bearer realm="sallyport", error="insufficient_scope", scope="orders:read orders:write"',
    )
  }
  const token = await reissue(app, accessToken, { scope: 'orders:write profile orders:read' })
  t.match(await app.api.call('/test/scope', { token }), { status: 200 })
  t.match(await app.api.call('/test/scope', { token }), { status: 200 }, 'the second time it is cached')
})

t.test(
  'TOK-17: a sign-in that is too old or too weak gets the required values, and a refresh does not satisfy them',
  async (t) => {
    const { api, clock, browser } = await start(t)
    const { accessToken: token, refreshToken, email, password } = await api.signUp()
    t.match(await api.call('/test/age', { token }), { status: 200 })
    t.match(await api.call('/test/lowest', { token }), { status: 200 })
    const weak = await api.call<object>('/test/level', { token })
    t.match(weak, {
      status: 401,
      body: { code: 'insufficient_user_authentication', acr_values: ['aal2'], max_age: 900 },
    })
    t.equal(
      weak.headers['www-authenticate'],
      'Bearer realm="sallyport", error="insufficient_user_authentication", acr_values="aal2", max_age="900"',
    )

    const page = browser()
    await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
    t.match(await page.call('/test/age'), { status: 200 })
    clock.advance({ seconds: 901 })
    const { body } = await api.refresh(refreshToken)
    const old = { status: 401, body: { code: 'insufficient_user_authentication', max_age: 900 } }
    const refreshed = await api.call<object>('/test/age', { token: body.access_token })
    t.match(refreshed, old)
    t.notOk('acr_values' in refreshed.body, 'no level is required')
    t.match(await page.call('/test/age'), old, 'nor does a renewed cookie')
    const again = await api.login({ email, password, mode: 'json' })
    t.match(await api.call('/test/age', { token: again.body.access_token }), { status: 200 })
  },
)

t.test('the description of a route lists the problems of its requirement', async (t) => {
  const { app } = await start(t)
  const problems = new Map(operationsOf(app.server).map((operation) => [operation.path, operation.problems]))
  // All of them include `forbidden`, because a client's token is accepted by none.
  const own = ['insufficient_scope', 'insufficient_user_authentication']
  const described = (path: string) => own.filter((code) => problems.get(path)?.includes(code))
  t.strictSame(described('/test/role'), [])
  t.ok(problems.get('/test/role')?.includes('forbidden'))
  t.strictSame(described('/test/scope'), ['insufficient_scope'])
  t.strictSame(described('/test/age'), ['insufficient_user_authentication'])
  t.strictSame(described('/test/level'), ['insufficient_user_authentication'])
  t.strictSame(described('/v1/whoami'), [])
  t.ok(problems.get('/test/role')?.includes('token_expired'))
})
