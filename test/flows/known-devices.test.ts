import t from 'tap'
import { PASSWORD, type TokenBody } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'

const WRONG = 'a password of no account at all'
const COOKIE = 'sallyport_device'

/** Uses up the attempts of unknown devices. */
async function attack({ api }: TestApp, email: string): Promise<void> {
  for (let failures = 0; failures < 10; failures += 1) {
    await api.login({ email, password: WRONG }, { from: `198.51.100.${failures}` })
  }
}

type Page = ReturnType<TestApp['browser']>

const logIn = (page: Page, email: string, body: Record<string, unknown> = {}) =>
  page.call<TokenBody>('/v1/auth/login', { method: 'POST', body: { email, password: PASSWORD, ...body } })

const logOut = (page: Page) => page.call('/v1/auth/logout', { method: 'POST' })

t.test('PWD-13: a browser stays known after logout, in both cookie modes', async (t) => {
  const app = await startApp(t)
  for (const mode of ['cookie', 'session']) {
    const { email } = await app.api.signUp()
    const page = app.browser()
    t.match(await logIn(page, email, { mode }), { status: 200, body: { device_token: undefined } })
    await logOut(page)
    t.strictSame([...page.cookies.keys()], [COOKIE])

    await attack(app, email)
    t.match(await logIn(app.browser(), email, { mode }), { status: 429 }, 'another browser is limited')
    t.match(await logIn(page, email, { mode }), { status: 200 })
  }
})

t.test('PWD-13: a shared browser stays known for each of its users', async (t) => {
  const app = await startApp(t)
  const [ada, bob, eve] = [await app.api.signUp(), await app.api.signUp(), await app.api.signUp()]
  const page = app.browser()
  for (const { email } of [ada, bob]) {
    await logIn(page, email)
    await logOut(page)
  }
  for (const { email } of [ada, bob, eve]) await attack(app, email)
  t.match(await logIn(page, ada.email), { status: 200 })
  t.match(await logIn(page, bob.email), { status: 200 })
  t.match(await logIn(page, eve.email), { status: 429 })
})

t.test('PWD-13: on a shared device each account has its own limits', async (t) => {
  const app = await startApp(t)
  const [ada, bob] = [await app.api.signUp(), await app.api.signUp()]
  const page = app.browser()
  for (const { email } of [ada, bob]) {
    t.match(await logIn(page, email), { status: 200 })
    await logOut(page)
  }
  for (const { email } of [ada, bob]) {
    for (let guesses = 0; guesses < 10; guesses += 1) {
      t.match(await logIn(page, email, { password: WRONG }), { status: 401 })
    }
    t.match(await logIn(page, email), { status: 429 })
  }
})

t.test('PWD-13: a cookie planted by a sibling domain has no effect', async (t) => {
  const app = await startApp(t)
  const [ada, eve] = [await app.api.signUp(), await app.api.signUp()]
  const [page, theirs] = [app.browser(), app.browser()]
  await logIn(page, ada.email)
  await logIn(theirs, eve.email)
  await attack(app, ada.email)
  const [own = '', planted = ''] = [page.cookies.get(COOKIE), theirs.cookies.get(COOKIE)]
  for (const cookie of [`${COOKIE}=${planted}; ${COOKIE}=${own}`, `${COOKIE}=spd_x; ${COOKIE}=${own}`]) {
    t.match(await logIn(app.browser(), ada.email, {}).then(({ status }) => status), 429)
    const answer = await app.api.login({ email: ada.email, password: PASSWORD }, { headers: { cookie } })
    t.match(answer, { status: 200 })
  }
})

t.test('PWD-13: a browser without "remember" does not become known', async (t) => {
  const app = await startApp(t)
  const { email } = await app.api.signUp()
  const page = app.browser()
  await logIn(page, email, { remember: false })
  t.strictSame([...page.cookies.keys()], ['sallyport_rt'])
})

t.test('PWD-13: the device cookie gives no access', async (t) => {
  const { api } = await startApp(t)
  const { email, answer } = await api.signUp()
  const { device_token = '' } = answer.body
  t.match(await api.login({ email, password: WRONG, mode: 'json', device_token }), { status: 401 })
  t.match(await api.refresh(device_token), { status: 401, body: { code: 'refresh_token_invalid' } })
  t.match(await api.whoami(device_token), { status: 401, body: { code: 'token_invalid' } })
  t.match(await api.call('/v1/me', { cookies: { [COOKIE]: device_token } }), {
    status: 401,
    body: { code: 'token_missing' },
  })
})

t.test('ABU-04: all known devices of an account share their guesses, which count for the network', async (t) => {
  const { api } = await startApp(t)
  const { email } = await api.signUp()
  const marks: (string | undefined)[] = []
  for (let devices = 0; devices < 11; devices += 1) {
    marks.push((await api.login({ email, password: PASSWORD, mode: 'json' })).body.device_token)
  }
  const from = '203.0.113.7'
  const guess = (device_token: string | undefined, password = WRONG) =>
    api.login({ email, password, mode: 'json', device_token }, { from })
  for (const mark of marks.slice(0, 10)) t.match(await guess(mark), { status: 401 })
  t.match(await guess(marks[10], PASSWORD), { status: 429 })
  const { headers } = await api.login({ email: 'other@example.com', password: WRONG, mode: 'json' }, { from })
  t.match(headers, { ratelimit: /^"address";r=89;/ })
})

t.test('ABU-04: a device is not known any more once the password is another', async (t) => {
  const app = await startApp(t)
  const { api } = app
  const { email, accessToken, answer } = await api.signUp()
  const next = 'seven lanterns drift over copper hills'
  const body = { current_password: PASSWORD, new_password: next }
  t.match(await api.call('/v1/me/password', { method: 'PUT', token: accessToken, body }), { status: 204 })
  await attack(app, email)
  const { device_token } = answer.body
  t.match(await api.login({ email, password: next, mode: 'json', device_token }), { status: 429 })
})

t.test('ABU-04: a device is not known to the next user of an address', async (t) => {
  const app = await startApp(t)
  const { api } = app
  const { email, accessToken, answer } = await api.signUp()
  const { device_token } = answer.body
  const body = { password: PASSWORD }
  t.match(await api.call('/v1/me', { method: 'DELETE', token: accessToken, body }), { status: 204 })
  t.match(await api.register({ email, password: PASSWORD, mode: 'json' }), { status: 201 })
  await attack(app, email)
  t.match(await api.login({ email, password: PASSWORD, mode: 'json', device_token }), { status: 429 })
})
