import t from 'tap'
import { startApp } from '../support/app.js'

t.test(
  'TOK-14: an access token is accepted in the Authorization header and in its cookie, and nowhere else',
  async (t) => {
    const { api } = await startApp(t)
    const { accessToken: token } = await api.signUp()
    t.match(await api.call('/v1/whoami', { token }), { status: 200 })
    t.match(await api.call('/v1/whoami', { headers: { authorization: `bearer  ${token}` } }), { status: 200 })
    t.match(await api.call('/v1/whoami', { cookies: { sallyport_at: token } }), { status: 200 })

    const elsewhere: [string, string, Parameters<typeof api.call>[1]][] = [
      ['a query', `/v1/whoami?access_token=${token}`, {}],
      ['another query parameter', `/v1/whoami?token=${token}`, {}],
      ['the path', `/v1/whoami;access_token=${token}`, {}],
      ['a custom header', '/v1/whoami', { headers: { 'x-access-token': token } }],
      ['the header of a proxy', '/v1/whoami', { headers: { 'proxy-authorization': `Bearer ${token}` } }],
      ['a forwarded header', '/v1/whoami', { headers: { 'x-forwarded-authorization': `Bearer ${token}` } }],
      ['the refresh cookie', '/v1/whoami', { cookies: { sallyport_rt: token } }],
      ['a cookie of another name', '/v1/whoami', { cookies: { access_token: token } }],
      ['the cookie name of https', '/v1/whoami', { cookies: { '__Host-Http-sallyport_at': token } }],
      ['the cookie name in capitals', '/v1/whoami', { cookies: { SALLYPORT_AT: token } }],
    ]
    for (const [name, path, call] of elsewhere) {
      const answer = await api.call<{ code: string }>(path, call)
      t.ok([401, 404].includes(answer.status), name)
      t.ok(['token_missing', 'not_found'].includes(answer.body.code), `${name}: ${answer.body.code}`)
      t.equal(answer.headers['www-authenticate'], answer.status === 401 ? 'Bearer realm="sallyport"' : undefined)
    }
    const form = await api.call('/v1/sessions/x', {
      method: 'PATCH',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `access_token=${token}`,
    })
    t.match(form, { status: 401, body: { code: 'token_missing' } }, 'a form')
    const inBody = await api.call('/v1/me', { method: 'PATCH', body: { name: 'Eve', access_token: token } })
    t.match(inBody, { status: 401, body: { code: 'token_missing' } }, 'a body')
  },
)

t.test('TOK-14: a malformed bearer token is refused, whatever the cookie says', async (t) => {
  const { api } = await startApp(t)
  const { accessToken: token, userId } = await api.signUp()
  const other = await api.signUp()
  const malformed = [
    ...['Bearer', 'Bearer ', `Bearer ${token} x`, `Bearer ${token}, Bearer ${token}`],
    ...[`Bearer "${token}"`, `Bearer: ${token}`, `bearer\t${token}`],
  ]
  for (const authorization of malformed) {
    const answer = await api.call('/v1/whoami', { headers: { authorization }, cookies: { sallyport_at: token } })
    t.match(answer, { status: 401, body: { code: 'token_invalid' } }, authorization.replaceAll(token, 'TOKEN'))
  }
  const both = await api.call('/v1/whoami', { token, cookies: { sallyport_at: other.accessToken } })
  t.match(both, { status: 200, body: { sub: userId } }, 'with two genuine tokens, the header counts')
})

t.test('TOK-14: a header of another scheme carries no token of ours, so that the cookie counts', async (t) => {
  const { api } = await startApp(t)
  const { accessToken: token, userId } = await api.signUp()
  const basic = Buffer.from(`user:${token}`).toString('base64')
  for (const authorization of ['', token, `Token ${token}`, `Basic ${basic}`, `DPoP ${token}`, 'Negotiate YIIa']) {
    const name = authorization.replaceAll(token, 'TOKEN')
    const headers = { authorization }
    t.match(await api.call('/v1/whoami', { headers }), { status: 401, body: { code: 'token_missing' } }, name)
    const answer = await api.call('/v1/whoami', { headers, cookies: { sallyport_at: token } })
    t.match(answer, { status: 200, body: { sub: userId } }, `${name}, with a cookie`)
  }
})

t.test('TOK-15: a refresh token opens no protected route, and an access token refreshes nothing', async (t) => {
  const { api, browser } = await startApp(t)
  const user = await api.signUp()
  const protectedRoutes = [
    ['GET', '/v1/whoami'],
    ['GET', '/v1/me'],
    ['GET', '/v1/sessions'],
    ['POST', '/v1/auth/logout-all'],
    ['DELETE', '/v1/sessions'],
    ['DELETE', `/v1/sessions/${user.sessionId}`],
  ] as const
  for (const [method, path] of protectedRoutes) {
    const asBearer = await api.call(path, { method, token: user.refreshToken })
    t.match(asBearer, { status: 401, body: { code: 'token_invalid' } }, `${method} ${path}`)
    const asCookie = { sallyport_at: user.refreshToken }
    const headers = { 'x-sallyport-csrf': '1' }
    t.match(
      await api.call(path, { method, cookies: asCookie, headers }),
      { status: 401 },
      `${method} ${path}, a cookie`,
    )
  }
  t.match(await api.refresh(user.accessToken), { status: 401, body: { code: 'refresh_token_invalid' } })
  const cookie = { cookies: { sallyport_rt: user.accessToken }, headers: { 'x-sallyport-csrf': '1' } }
  const byCookie = await api.call('/v1/auth/refresh', { method: 'POST', ...cookie })
  t.match(byCookie, { status: 401, body: { code: 'refresh_token_invalid' } })

  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email: user.email, password: user.password } })
  t.match(await page.call('/v1/whoami'), { status: 401 }, 'the refresh cookie of mode cookie gives no access')
  t.match(await api.refresh(user.refreshToken), { status: 200 }, 'and none of this has ended the session')
})
