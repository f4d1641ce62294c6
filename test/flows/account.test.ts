import { randomUUID } from 'node:crypto'
import t from 'tap'
import { PASSWORD, type Api, type TokenBody } from '../support/api.js'
import { startApp } from '../support/app.js'

const NEW_PASSWORD = 'seven other hills under a lantern'

const changePassword = (api: Api, token: string, current_password: string, new_password: string) =>
  api.call<{ code: string }>('/v1/me/password', { method: 'PUT', token, body: { current_password, new_password } })

const deleteMe = (api: Api, token: string, password: string) =>
  api.call('/v1/me', { method: 'DELETE', token, body: { password } })

t.test('users can read their account, and change their name', async (t) => {
  const { api } = await startApp(t)
  const { accessToken: token, answer } = await api.signUp()
  const patch = (body: unknown) => api.call('/v1/me', { method: 'PATCH', token, body })

  const me = await api.call('/v1/me', { token })
  t.match(me, { status: 200, headers: { 'cache-control': 'no-store' } })
  const own = { ...answer.body.user, locale: null, pending_email: null }
  t.same(me.body, own)
  t.same((await patch({ name: 'Ada 🦊 Lovelace' })).body, { ...own, name: 'Ada 🦊 Lovelace' })
  t.match((await api.call('/v1/me', { token })).body, { name: 'Ada 🦊 Lovelace' })
  t.match(await patch({ name: 'x'.repeat(100) }), { status: 200 })
  t.match(await patch({ name: null }), { status: 200, body: { name: null } })
  for (const name of ['', 'x'.repeat(101), 'a\0b', 'a\ud800', 1, ['Ada'], undefined]) {
    t.match(await patch({ name }), { status: 422, body: { code: 'validation_failed' } }, JSON.stringify(name))
  }
  t.match((await api.call('/v1/me', { token })).body, { name: null })
})

t.test('PWD-15, REF-14: a new password ends the other sessions, and this one continues', async (t) => {
  const { api } = await startApp(t)
  const user = await api.signUp()
  const { email, password } = user
  const other = (await api.login({ email, password, mode: 'json' })).body

  t.match(await changePassword(api, user.accessToken, password, NEW_PASSWORD), { status: 204 })
  t.match(await api.whoami(user.accessToken), { status: 401, body: { code: 'token_stale' } })
  t.match(await api.refresh(other.refresh_token), {
    status: 401,
    body: { code: 'session_ended', reason: 'password_changed' },
  })
  const refreshed = await api.refresh(user.refreshToken)
  t.match(refreshed, { status: 200 })
  t.match(await api.whoami(refreshed.body.access_token), { status: 200, body: { sid: user.sessionId } })

  t.match(await api.login({ email, password }), { status: 401, body: { code: 'invalid_credentials' } })
  t.match(await api.login({ email, password: NEW_PASSWORD }), { status: 200 })
})

t.test(
  'PWD-15: a session whose refresh token is at hand goes on with new tokens, and a copy is worth nothing',
  async (t) => {
    const { api, browser, clock } = await startApp(t)
    const user = await api.signUp()
    const key = 'a'.repeat(16)
    const change = { current_password: user.password, new_password: NEW_PASSWORD, refresh_token: user.refreshToken }
    const headers = { 'idempotency-key': key }
    const put = { method: 'PUT' as const, token: user.accessToken, headers, body: change }
    const changed = await api.call<TokenBody>('/v1/me/password', put)
    t.match(changed, { status: 200, body: { refresh_token: /^spr_/, session: { id: user.sessionId } } })
    t.match(await api.whoami(changed.body.access_token), { status: 200 })
    clock.advance({ hours: 1 })
    const again = await api.refresh(user.refreshToken, { key })
    t.equal(again.body.refresh_token, changed.body.refresh_token, 'an answer that was lost is had again')
    t.match(await api.refresh(changed.body.refresh_token), { status: 200 })
    clock.advance({ minutes: 1 })
    t.match(await api.refresh(user.refreshToken), { status: 401, body: { code: 'refresh_token_reused' } })

    const { email, password } = await api.signUp()
    const page = browser()
    const login = { method: 'POST' as const, body: { email, password } }
    const { access_token: token } = (await page.call<TokenBody>('/v1/auth/login', login)).body
    const copy = page.cookies.get('sallyport_rt')
    const body = { current_password: password, new_password: NEW_PASSWORD }
    const inBrowser = await page.call<TokenBody>('/v1/me/password', { method: 'PUT', token, body })
    t.match(inBrowser, { status: 200, body: { access_token: /^ey/, refresh_token: undefined } })
    t.not(page.cookies.get('sallyport_rt'), copy)
    t.match(await api.whoami(inBrowser.body.access_token), { status: 200 })
  },
)

t.test('a refresh token of another session is no part of a password change', async (t) => {
  const { api } = await startApp(t)
  const [user, other] = [await api.signUp(), await api.signUp()]
  const passwords = { current_password: user.password, new_password: NEW_PASSWORD }
  const put = {
    method: 'PUT' as const,
    token: user.accessToken,
    body: { ...passwords, refresh_token: other.refreshToken },
  }
  t.match(await api.call('/v1/me/password', put), { status: 204 })
  t.match(await api.refresh(other.refreshToken), { status: 200 })
})

t.test('PWD-04: the present password is no new one', async (t) => {
  const { api } = await startApp(t)
  const { accessToken: token, password } = await api.signUp()
  t.match(await changePassword(api, token, password, password), {
    status: 422,
    body: { code: 'validation_failed', errors: [{ path: '/new_password', code: 'unchanged' }] },
  })
  t.match(await api.whoami(token), { status: 200 })
})

t.test('PWD-15: in mode session a new password replaces both cookies', async (t) => {
  const { api, browser } = await startApp(t)
  const { email, password } = await api.signUp()
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  const before = new Map(page.cookies)
  const body = { current_password: password, new_password: NEW_PASSWORD }
  const changed = await page.call('/v1/me/password', { method: 'PUT', body })
  t.match(changed, { status: 204, body: '' })
  t.equal(changed.setCookies.length, 2)
  for (const name of ['sallyport_rt', 'sallyport_at']) t.not(page.cookies.get(name), before.get(name), name)
  t.match(await page.call('/v1/whoami'), { status: 200, setCookies: { length: 0 } })
})

t.test('PWD-01: a password has 15 to 256 characters, counted as code points, on every route', async (t) => {
  const { api } = await startApp(t)
  const { accessToken: token, password } = await api.signUp()
  const register = (password: string) => api.register({ email: `${randomUUID()}@example.com`, password, mode: 'json' })
  const filler = 'tundra-pickle-orbit vK3#pQ9!zR7@mW2x '
  const of = (length: number) => filler.repeat(7).slice(0, length)
  // Each is two UTF-16 code units and four bytes in UTF-8.
  const fruit = ['🍋', '🍩', '🎻', '🚲', '🌲', '🧊', '🦊', '🐙']
  const animals = (length: number) => Array.from({ length }, (_, index) => fruit[(index * index + index) % 8]).join('')

  const refused: [string, string, string][] = [
    ['14 characters', of(14), 'too_small'],
    ['14 characters in 28 code units', animals(14), 'too_small'],
    ['14 characters, written as 28', 'éäöüñçêîôûàèìò'.normalize('NFD'), 'too_small'],
    ['257 characters', of(257), 'too_big'],
    ['200 characters that are 257 once normalized', of(143) + 'ﬃ'.repeat(38), 'too_big'],
  ]
  for (const [name, candidate, code] of refused) {
    t.match(
      await register(candidate),
      { status: 422, body: { code: 'validation_failed', errors: [{ path: '/password', code }] } },
      name,
    )
    const changed = await changePassword(api, token, password, candidate)
    t.match(changed, { status: 422, body: { errors: [{ path: '/new_password', code }] } }, `${name}, as the new one`)
  }
  const accepted: [string, string][] = [
    ['15 characters', of(15)],
    ['256 characters', of(256)],
    ['15 characters in 30 code units', '🦊🌲🚲🍋🎻🧊🪁🌵🐙🍩🚀🎈🧲🦔🪐'],
    ['256 characters, written as 329', of(183) + 'é'.normalize('NFD').repeat(73)],
  ]
  for (const [name, candidate] of accepted) t.match(await register(candidate), { status: 201 }, name)
})

t.test('PWD-01: PASSWORD_MIN_LENGTH lowers the minimum for new passwords, to 8 at the least', async (t) => {
  const { api } = await startApp(t, { settings: { PASSWORD_MIN_LENGTH: '8' }, estimatesStrength: true })
  const register = (password: string) => api.register({ email: `${randomUUID()}@example.com`, password, mode: 'json' })
  t.match(await register('vK3#pQ9'), { status: 422, body: { errors: [{ code: 'too_small' }] } })
  t.match(await register('password'), { status: 422, body: { code: 'password_too_weak' } })
  t.match(await register('vK3#pQ9!zR7@m'), { status: 201 })
})

t.test('PWD-04: a guessable password is refused at register and at every change', async (t) => {
  const { api } = await startApp(t, { estimatesStrength: true })
  const { accessToken: token, password, email } = await api.signUp({ name: 'Augusta Ada King' })
  const weak = { status: 422, body: { code: 'password_too_weak', errors: [{ path: '/password' }] } }
  const name = 'Augusta Ada King'
  for (const candidate of ['passwordpassword', 'grace@hopper.example', name, 'sallyportsallyport']) {
    const body = { email: 'grace@hopper.example', password: candidate, name, mode: 'json' }
    t.match(await api.register(body), weak, candidate)
  }
  for (const candidate of ['passwordpassword', email, name]) {
    const changed = await changePassword(api, token, password, candidate)
    t.match(
      changed,
      { status: 422, body: { code: 'password_too_weak', errors: [{ path: '/new_password' }] } },
      candidate,
    )
  }
  t.match(await api.login({ email, password }), { status: 200 })
})

t.test('an address can be registered once, and again after deletion', async (t) => {
  const { api } = await startApp(t)
  const { email, password, accessToken } = await api.signUp()
  const body = { email: email.toUpperCase(), password: NEW_PASSWORD, mode: 'json' }
  t.match(await api.register(body), { status: 409, body: { code: 'email_taken' } })
  t.match(await api.login({ email, password: NEW_PASSWORD }), { status: 401 }, 'and nothing was changed')
  t.match(await deleteMe(api, accessToken, password), { status: 204 })
  t.match(await api.register(body), { status: 201 })
  t.match(await api.login({ email, password }), { status: 401 })
})

t.test('of concurrent registrations of one address, one succeeds', async (t) => {
  const { api } = await startApp(t)
  const body = { email: 'ada@example.com', password: PASSWORD, mode: 'json' }
  const answers = await Promise.all(Array.from({ length: 8 }, () => api.register(body)))
  t.equal(answers.filter(({ status }) => status === 201).length, 1)
  t.equal(answers.filter(({ body }) => body.code === 'email_taken').length, 7)
})

t.test('REGISTRATION=closed refuses registration, but not sign-in', async (t) => {
  const open = await startApp(t)
  const { email, password } = await open.api.signUp()
  const { api, database } = await startApp(t, { join: true, settings: { REGISTRATION: 'closed' } })
  const closed = { status: 403, body: { code: 'registration_closed' } }
  for (const address of ['grace@example.com', email]) {
    t.match(await api.register({ email: address, password: PASSWORD, mode: 'json' }), closed)
  }
  t.match(await api.login({ email, password }), { status: 200 })
  t.equal(await database.query((client) => client.user.count()), 1)
})

t.test('a client that sends no body with DELETE deletes the account by POST', async (t) => {
  const { api, database, browser } = await startApp(t)
  const path = '/v1/me/delete'
  const user = await api.signUp()
  const call = { method: 'POST', token: user.accessToken } as const
  t.match(await api.call(path, call), { status: 422, body: { code: 'validation_failed' } })
  t.match(await api.call('/v1/me', { ...call, method: 'DELETE' }), { status: 422 }, 'not without the password either')
  const wrong = { ...call, body: { password: 'not the password at all' } }
  t.match(await api.call(path, wrong), { status: 401, body: { code: 'invalid_credentials' } })
  t.match(await api.call(path, { method: 'POST', body: { password: PASSWORD } }), { status: 401 })
  t.match(await api.call(path, { ...call, body: { password: user.password } }), { status: 204 })
  t.match(await api.refresh(user.refreshToken), { status: 401, body: { code: 'session_ended', reason: 'deleted' } })

  const page = browser()
  const body = { email: user.email, password: PASSWORD, mode: 'session' }
  t.match(await page.call('/v1/auth/register', { method: 'POST', body }), { status: 201 })
  t.match(await page.call(path, { method: 'POST', body: { password: PASSWORD } }), { status: 204 })
  t.strictSame(
    [...page.cookies.keys()].toSorted(),
    ['sallyport_device', 'sallyport_flow'],
    'those of the session are cleared',
  )
  t.equal(await database.query((client) => client.user.count()), 0)
})

t.test('a deleted user cannot sign in, and their tokens say that the session has ended', async (t) => {
  const { api, database } = await startApp(t)
  const user = await api.signUp()
  t.match(await deleteMe(api, user.accessToken, 'not the password at all'), {
    status: 401,
    body: { code: 'invalid_credentials' },
  })
  t.match(await api.whoami(user.accessToken), { status: 200 })
  t.match(await deleteMe(api, user.accessToken, user.password), { status: 204 })
  t.match(await api.login({ email: user.email, password: user.password }), { status: 401 })
  t.match(await api.whoami(user.accessToken), { status: 401, body: { code: 'session_ended' } })
  const refused = { status: 401, body: { code: 'session_ended', reason: 'deleted' } }
  t.match(await api.refresh(user.refreshToken), refused)
  t.equal(await database.query((client) => client.user.count()), 0)
})
