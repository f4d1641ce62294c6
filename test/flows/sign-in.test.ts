import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'

t.test('a mobile app registers, calls whoami, refreshes and logs out', async (t) => {
  const { api } = await startApp(t)

  const registered = await api.register({ email: ' Ada@Example.com ', password: PASSWORD, mode: 'json', name: 'Ada' })
  t.match(registered, {
    status: 201,
    headers: { 'cache-control': 'no-store' },
    setCookies: { length: 0 },
    body: {
      token_type: 'Bearer',
      expires_in: 600,
      refresh_token: /^spr_/,
      session: { mode: 'json', device_name: null },
      user: { email: 'ada@example.com', name: 'Ada', email_verified: false, roles: { length: 0 } },
    },
  })
  t.match(await api.whoami(registered.body.access_token), {
    status: 200,
    body: { sub: registered.body.user.id, sid: registered.body.session.id, client_id: 'sallyport', amr: ['pwd'] },
  })

  const refreshed = await api.refresh(registered.body.refresh_token)
  t.match(refreshed, { status: 200, body: { session: { id: registered.body.session.id } } })
  t.not(refreshed.body.refresh_token, registered.body.refresh_token)

  const logout = await api.call('/v1/auth/logout', { method: 'POST', token: refreshed.body.access_token })
  t.equal(logout.status, 204)
  t.match(await api.whoami(refreshed.body.access_token), { status: 401, body: { code: 'session_ended' } })
  t.match(await api.refresh(refreshed.body.refresh_token), {
    status: 401,
    body: { code: 'session_ended', reason: 'logout' },
  })
})

t.test('a page keeps its refresh token in a cookie that scripts cannot read', async (t) => {
  const { api, browser } = await startApp(t)
  const { email, password } = await api.signUp()
  const page = browser()

  const login = await page.call<{ access_token: string }>('/v1/auth/login', {
    method: 'POST',
    body: { email, password },
  })
  t.match(login, { status: 200, body: { refresh_token: undefined } })
  t.match(login.setCookies, [
    /^sallyport_rt=spr_[^;]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/,
    /^sallyport_device=spd_[^;]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/,
  ])

  const refreshed = await page.call<{ access_token: string }>('/v1/auth/refresh', { method: 'POST' })
  t.equal(refreshed.status, 200)
  t.equal((await page.call('/v1/auth/logout', { method: 'POST' })).status, 204)
  t.strictSame([...page.cookies.keys()], ['sallyport_device'])
  t.match(await api.whoami(refreshed.body.access_token), { status: 401, body: { code: 'session_ended' } })
})

t.test('a classic web app uses only cookies, and its access cookie is renewed', async (t) => {
  const { api, browser, clock } = await startApp(t)
  const { email, password } = await api.signUp()
  const page = browser()

  const login = await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  t.match(login, { status: 200, body: { access_token: undefined, refresh_token: undefined } })
  t.equal(login.setCookies.length, 3)
  t.equal((await page.call('/v1/whoami')).setCookies.length, 0)

  clock.advance({ minutes: 11 })
  const renewed = await page.call('/v1/whoami')
  t.match(renewed, { status: 200, setCookies: [/^sallyport_at=/], headers: { 'cache-control': 'no-store' } })
  t.equal((await page.call('/v1/whoami')).setCookies.length, 0)
})
