// Second factors on the pages, without a script: enrolled, asked for at a sign-in, replaced, and asked for again before
// what matters. Passkeys need a browser: see test/browser/passkey-pages.test.ts.

import t from 'tap'
import type { Answer } from '../support/api.js'
import { PASSWORD } from '../support/api.js'
import { startApp, type StartOptions, type TestApp } from '../support/app.js'
import { createFactorCalls, wrongTotp } from '../support/factor-calls.js'
import { createMailbox } from '../support/mailbox.js'
import { createVisitor, type Visitor } from '../support/page-visitor.js'

const EMAIL = 'ada@example.com'

const unescape = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"')

/** The value of a hidden field. */
const hiddenIn = ({ body }: Answer<string>, name: string) =>
  unescape(new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1] ?? '')

const codesIn = ({ body }: Answer<string>) =>
  [...body.matchAll(/<code dir="ltr">([^<]+)<\/code>/g)].map(([, code = '']) => code)

async function start(t: Parameters<typeof startApp>[0], settings: StartOptions['settings'] = {}) {
  const app = await startApp(t, { settings })
  const { codeOf } = createFactorCalls(app)
  const visitor = () => createVisitor(app)

  /** Goes through the pages that enroll an authenticator app. */
  async function enroll(visitor: Visitor, paths: { begin: string; confirm: string }) {
    const begun = await visitor.send(paths.begin, { name: '', return_to: '' })
    const [id, uri] = [hiddenIn(begun, 'id'), hiddenIn(begun, 'uri')]
    const secret = /secret=([A-Z2-7]+)/.exec(uri)?.[1] ?? ''
    return {
      begun,
      secret,
      confirm: (code: string) => visitor.send(paths.confirm, { id, uri, code, return_to: '' }),
    }
  }

  /** Ada, who is signed in and has an authenticator app. */
  async function adaWithTotp() {
    const ada = visitor()
    await ada.register(EMAIL)
    await ada.open('/account/factors/totp')
    const { secret, confirm } = await enroll(ada, {
      begin: '/account/factors/totp',
      confirm: '/account/factors/totp/confirm',
    })
    const codes = codesIn(await confirm(codeOf(secret)))
    // Each code counts once.
    app.clock.advance({ seconds: 30 })
    await ada.open('/account')
    return { ada, secret, codes }
  }

  return { ...app, codeOf, visitor, enroll, adaWithTotp }
}

/** Shows the password; what the response leads to. */
async function firstStep(visitor: Visitor, returnTo = ''): Promise<Answer<string>> {
  await visitor.open('/signin')
  return visitor.send('/signin/password', { email: EMAIL, password: PASSWORD, remember: 'true', return_to: returnTo })
}

const hasSession = ({ cookies }: Visitor) => cookies.has('sallyport_rt') || cookies.has('sallyport_at')

t.test(
  'MFA-04: an authenticator app is enrolled with its QR code or its secret, and recovery codes are shown once',
  async (t) => {
    const { visitor, enroll, codeOf } = await start(t)
    const ada = visitor()
    await ada.register(EMAIL)
    t.match((await ada.open('/account')).body, 'href="/account/factors/totp"')
    await ada.open('/account/factors/totp')
    const { begun, secret, confirm } = await enroll(ada, {
      begin: '/account/factors/totp',
      confirm: '/account/factors/totp/confirm',
    })
    t.match(begun.body, /<svg class="qr-code" viewBox="0 0 \d+ \d+" role="img" aria-label="QR code[^"]*"/)
    t.notMatch(begun.body, /style=/)
    t.match(begun.body, secret.replaceAll(/(.{4})(?=.)/g, '$1 '))
    t.match(begun.body, 'autocomplete="one-time-code"')
    const wrong = await confirm(wrongTotp(codeOf(secret)))
    t.match(wrong, { status: 422, body: /id="code-error"[^>]*>This code is not right/ })
    t.match(wrong.body, 'class="qr-code"', 'it is still there to scan')
    t.match(await confirm(''), { status: 422, body: /id="code-error"[^>]*>Enter the code/ })
    const done = await confirm(codeOf(secret))
    t.equal(done.status, 200)
    t.equal(codesIn(done).length, 10)
    const account = await ada.open('/account?done=factor_added')
    t.match(account.body, /Authenticator app.*Recovery codes left: 10/s)
    t.match(await ada.open('/account/factors/passkey'), { status: 200 }, 'the app is not asked for again at once')
    t.notMatch(account.body, codesIn(done)[0])
    t.match(await confirm(codeOf(secret)), { status: 422, body: 'This took too long' })
  },
)

t.test('MFA-07: a sign-in has no session before its second step, and leads to where it was going', async (t) => {
  const { visitor, adaWithTotp, codeOf } = await start(t, { RETURN_TO: 'https://app.example.com/' })
  const { secret } = await adaWithTotp()
  const ada = visitor()
  const first = await firstStep(ada, 'https://app.example.com/')
  t.match(first, { status: 303, headers: { location: '/mfa?return_to=https%3A%2F%2Fapp.example.com%2F' } })
  t.notOk(hasSession(ada))
  t.notMatch(first.body, 'spf_')
  const page = await ada.open(String(first.headers.location))
  t.match(page.headers['content-security-policy'], "form-action 'self' https://app.example.com")
  t.notMatch(page.body, /spf_|trust_device/, 'the token is in the cookie alone, and no device is trusted by default')
  const wrong = await ada.send('/mfa', { code: wrongTotp(codeOf(secret)), return_to: 'https://app.example.com/' })
  t.match(wrong, { status: 422, body: /id="code-error"[^>]*>This is not right\. Attempts left: 4/ })
  t.notOk(hasSession(ada))
  const right = await ada.send('/mfa', { code: codeOf(secret), return_to: 'https://app.example.com/' })
  t.match(right, { status: 303, headers: { location: 'https://app.example.com/' } })
  t.ok(hasSession(ada))
  t.match((await ada.open('/v1/sessions')).body, { sessions: [{ mode: 'session' }, {}] })
  t.match((await ada.open('/mfa')).body, 'Please sign in again', 'it is over')
})

t.test('MFA-08: a recovery code takes the place of a lost app, once', async (t) => {
  const { visitor, adaWithTotp } = await start(t)
  const { codes } = await adaWithTotp()
  const [code = ''] = codes
  for (const isFirst of [true, false]) {
    const ada = visitor()
    await firstStep(ada)
    const page = await ada.open('/mfa?method=recovery_code')
    t.match(page.body, 'name="recovery_code"')
    const shown = await ada.send('/mfa', { recovery_code: code, return_to: '' })
    t.match(shown, isFirst ? { status: 303 } : { status: 422, body: /id="recovery_code-error"[^>]*>This is not right/ })
    if (isFirst) t.match((await ada.open('/account')).body, 'Recovery codes left: 9')
  }
})

t.test('MFA-05: five wrong codes end a sign-in, and so do five minutes', async (t) => {
  const { visitor, adaWithTotp, codeOf, clock } = await start(t)
  const { secret } = await adaWithTotp()
  const ada = visitor()
  await firstStep(ada)
  for (let tries = 0; tries < 5; tries += 1) await ada.send('/mfa', { code: wrongTotp(codeOf(secret)) })
  t.match(await ada.send('/mfa', { code: codeOf(secret) }), { status: 422, body: 'Please sign in again' })
  await firstStep(ada)
  clock.advance({ minutes: 5, seconds: 1 })
  t.match(await ada.send('/mfa', { code: codeOf(secret) }), { status: 422, body: 'Please sign in again' })
  t.notOk(hasSession(ada))
})

t.test('MFA=required: a registration enrolls a first factor before it has a session', async (t) => {
  const { visitor, enroll, codeOf } = await start(t, { MFA: 'required' })
  const ada = visitor()
  await ada.open('/register')
  const registered = await ada.send('/register', { email: EMAIL, name: '', password: PASSWORD, return_to: '' })
  t.match(registered, { status: 303, headers: { location: '/mfa' } })
  t.match((await ada.open('/mfa')).body, /Set up a second factor.*action="\/mfa\/passkey"/s)
  t.match(await ada.open('/account'), { status: 303 })
  const { secret, confirm } = await enroll(ada, { begin: '/mfa/totp', confirm: '/mfa/totp/confirm' })
  const wrong = await confirm(wrongTotp(codeOf(secret)))
  t.match(wrong, { status: 422, body: /class="qr-code".*id="code-error"[^>]*>This is not right\. Attempts left: 4/s })
  t.notOk(hasSession(ada))
  const done = await confirm(codeOf(secret))
  t.equal(codesIn(done).length, 10)
  t.match(done.body, 'href="/account"')
  t.equal((await ada.open('/account')).status, 200)
})

t.test('a factor is renamed and removed, but not the last one where one is required', async (t) => {
  const { ada, app } = await factorsOf(t)
  const [id = ''] = await ids(app)
  const path = `/account/factors/${id}`
  t.match((await ada.open('/account')).body, `href="${path}"`)
  await ada.open(path)
  t.match(await ada.send(`${path}/name`, { name: '' }), { status: 422, body: 'id="name-error"' })
  t.match(await ada.send(`${path}/name`, { name: 'Old <b>phone</b>' }), {
    headers: { location: '/account?done=factor_renamed' },
  })
  t.match((await ada.open('/account?done=factor_renamed')).body, 'Old &lt;b>phone&lt;/b>')
  t.match(await ada.send(`${path}/remove`), { headers: { location: '/account?done=factor_removed' } })
  t.notMatch((await ada.open('/account')).body, /phone|Recovery codes left/)
  t.match(await ada.open(path), { status: 404 })

  const required = await factorsOf(t, { MFA: 'required' })
  const [last = ''] = await ids(required.app)
  await required.ada.open(`/account/factors/${last}`)
  t.match(await required.ada.send(`/account/factors/${last}/remove`), {
    status: 409,
    body: 'the last one cannot be removed',
  })
})

const ids = async ({ database }: Pick<TestApp, 'database'>) =>
  (await database.query((client) => client.totpFactor.findMany())).map(({ id }) => id)

/** Ada with one authenticator app, enrolled as the settings have it. */
async function factorsOf(t: Parameters<typeof startApp>[0], settings: StartOptions['settings'] = {}) {
  const app = await start(t, settings)
  const { visitor, enroll, codeOf } = app
  const ada = visitor()
  if (settings['MFA'] === 'required') {
    await ada.open('/register')
    await ada.send('/register', { email: EMAIL, name: '', password: PASSWORD, return_to: '' })
    await ada.open('/mfa')
    const { secret, confirm } = await enroll(ada, { begin: '/mfa/totp', confirm: '/mfa/totp/confirm' })
    await confirm(codeOf(secret))
    await ada.open('/account')
    return { app, ada }
  }
  return { app, ada: (await app.adaWithTotp()).ada }
}

t.test('new recovery codes are made after a question, and the old ones end', async (t) => {
  const { adaWithTotp, visitor } = await start(t)
  const { ada, codes } = await adaWithTotp()
  t.match((await ada.open('/account/recovery-codes')).body, 'no longer work')
  const fresh = codesIn(await ada.send('/account/recovery-codes'))
  t.equal(fresh.length, 10)
  for (const [code, status] of [
    [codes[1] ?? '', 422],
    [fresh[1] ?? '', 303],
  ] as const) {
    const other = visitor()
    await firstStep(other)
    t.equal((await other.send('/mfa', { recovery_code: code })).status, status)
  }
})

t.test('TOK-17: what matters asks again after a while, and then goes on with it', async (t) => {
  const { visitor, clock } = await start(t)
  const ada = visitor()
  await ada.register(EMAIL)
  clock.advance({ minutes: 16 })
  for (const path of ['/account/factors/totp', '/account/factors/passkey', '/account/email']) {
    const { headers } = await ada.open(path)
    t.match(headers.location, `/account/confirm?return_to=${encodeURIComponent(path)}&methods=password`)
  }
  const { headers } = await ada.open('/account/factors/totp')
  const page = await ada.open(String(headers.location))
  t.match(page.body, /Confirm that it is you.*name="password"/s)
  t.notMatch(page.body, 'name="code"')
  const form = { return_to: '/account/factors/totp', methods: 'password' }
  const wrong = await ada.send('/account/confirm', { ...form, password: 'wrong' })
  t.match(wrong, { status: 422, body: /id="password-error"/ })
  const right = await ada.send('/account/confirm', { ...form, password: PASSWORD })
  t.match(right, { status: 303, headers: { location: '/account/factors/totp' } })
  t.equal((await ada.open('/account/factors/totp')).status, 200)
  t.match(await ada.open('/account/confirm?return_to=https://eve.example/'), { status: 422 })
  // A form that was opened in time, and sent too late.
  clock.advance({ minutes: 16 })
  await ada.open('/account')
  const late = await ada.send('/account/factors/totp', { name: '' })
  t.match(late.headers.location, `/account/confirm?return_to=${encodeURIComponent('/account/factors/totp')}`)
})

t.test('TOK-17: a user with an app shows a code of it, or a recovery code', async (t) => {
  const { adaWithTotp, codeOf, clock } = await start(t)
  const { ada, secret, codes } = await adaWithTotp()
  for (const shown of [() => ({ code: codeOf(secret) }), () => ({ recovery_code: codes[0] ?? '' })]) {
    clock.advance({ minutes: 16 })
    const { headers } = await ada.open('/account/recovery-codes')
    const location = String(headers.location)
    t.match(location, /methods=totp\+recovery_code/)
    t.notMatch((await ada.open(location)).body, 'name="password"')
    const form = { return_to: '/account/recovery-codes', methods: 'totp recovery_code' }
    const wrong = await ada.send('/account/confirm', { ...form, code: wrongTotp(codeOf(secret)) })
    t.match(wrong, { status: 422, body: /id="code-error"[^>]*>This code is not right/ })
    const right = await ada.send('/account/confirm', { ...form, ...shown() })
    t.match(right, { status: 303, headers: { location: '/account/recovery-codes' } })
    t.equal((await ada.open('/account/recovery-codes')).status, 200)
  }
})

t.test('TOK-17: the password of a user with an app is not changed by the password alone, as in the API', async (t) => {
  const { adaWithTotp, clock } = await start(t)
  const { ada } = await adaWithTotp()
  clock.advance({ minutes: 16 })
  const asked = `/account/confirm?return_to=${encodeURIComponent('/account/password')}&methods=totp+recovery_code`
  t.match((await ada.open('/account/password')).headers.location, asked)
  await ada.open('/account')
  const form = { current_password: PASSWORD, new_password: 'violet otters juggle paper lanterns' }
  t.match((await ada.send('/account/password', form)).headers.location, asked)
  t.equal((await ada.open('/account/delete')).status, 200, 'deletion asks for the password')
})

t.test('TOK-17: a user without a password confirms a deletion otherwise', async (t) => {
  const { adaWithTotp, codeOf, clock, database } = await start(t)
  const { ada, secret } = await adaWithTotp()
  await database.query((client) => client.user.updateMany({ data: { passwordHash: null } }))
  clock.advance({ minutes: 16 })
  const { headers } = await ada.open('/account/delete')
  t.match(headers.location, `/account/confirm?return_to=${encodeURIComponent('/account/delete')}`)
  await ada.open(String(headers.location))
  const confirmed = await ada.send('/account/confirm', { code: codeOf(secret), return_to: '/account/delete' })
  t.match(confirmed, { status: 303, headers: { location: '/account/delete' } })
  t.notMatch((await ada.open('/account/delete')).body, 'current_password')
  t.match(await ada.send('/account/delete'), { status: 303, headers: { location: '/signed-out?done=deleted' } })
})

t.test('a trusted device is not asked again, until the trust is ended', async (t) => {
  const { adaWithTotp, codeOf, visitor } = await start(t, { MFA_TRUST_DAYS: '30' })
  const { secret } = await adaWithTotp()
  const ada = visitor()
  await firstStep(ada)
  t.match((await ada.open('/mfa')).body, 'Do not ask again on this device')
  t.equal((await ada.send('/mfa', { code: codeOf(secret), trust_device: 'true' })).status, 303)
  await ada.open('/account')
  await ada.send('/account/sign-out')
  t.match((await firstStep(ada)).headers.location, '/account')
  t.match((await ada.open('/account')).body, 'To be asked again on the devices that you trust')
  t.match(await ada.send('/account/sign-out-everywhere'), { status: 303 })
  t.match((await firstStep(ada)).headers.location, '/mfa')
})

t.test('a reset by the operator is stopped by the link of its notice, with the digits of the mail', async (t) => {
  const app = await start(t, { FACTOR_RESET_DELAY: '86400' })
  const mailbox = createMailbox(app)
  await app.adaWithTotp()
  await mailbox.deliver()
  await app.app.operator.administration.resetFactors(EMAIL, 'lost')
  const { token, text, kind } = await mailbox.receive(EMAIL)
  t.equal(kind, 'factors_reset')
  const confirm = /^\s*(\d{4})\s*$/m.exec(text)?.[1] ?? ''
  const owner = app.visitor()
  t.match((await owner.open(`/link/stop-factors-reset?token=${token}`)).body, 'Stop the reset of your second factors')
  const wrong = await owner.send('/link/stop-factors-reset', { token, confirm: confirm === '1111' ? '2222' : '1111' })
  t.match(wrong, { status: 422, body: /id="confirm-error"/ })
  t.match(await owner.send('/link/stop-factors-reset', { token, confirm }), {
    status: 200,
    body: 'The reset is stopped',
  })
  const again = await owner.send('/link/stop-factors-reset', { token, confirm })
  t.match(again, { status: 422, body: 'This link is no longer valid' })
})
