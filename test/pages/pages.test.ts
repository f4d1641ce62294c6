import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createMailbox } from '../support/mailbox.js'
import { createVisitor } from '../support/page-visitor.js'

const EMAIL = 'ada@example.com'
const NEW_PASSWORD = 'violet otters juggle paper lanterns'

t.test('a person registers, signs out and signs in again, in sessions of mode session', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  t.match(await ada.open('/account'), { status: 303, headers: { location: '/signin?return_to=%2Faccount' } })
  await ada.register(EMAIL)
  t.match(await ada.open('/account'), { status: 200, body: EMAIL })
  t.match(await ada.send('/account/sign-out'), { status: 303, headers: { location: '/signed-out' } })
  t.notOk(ada.cookies.has('sallyport_rt'))

  await ada.open('/signin')
  const step = await ada.send('/signin', { email: ` ${EMAIL.toUpperCase()} ` })
  t.match(step, { status: 200, body: `value="${EMAIL}"` })
  const form = { email: EMAIL, password: PASSWORD, remember: 'true' }
  const signedIn = await ada.send('/signin/password', form)
  t.match(signedIn, { status: 303, headers: { location: '/account' } })
  t.ok(signedIn.setCookies.some((line) => /^sallyport_rt=.*Max-Age=.*SameSite=Lax/.test(line)))
  t.ok(signedIn.setCookies.some((line) => line.startsWith('sallyport_device=spd_')))
  t.match((await ada.open('/v1/sessions')).body, { sessions: [{ mode: 'session' }] })
})

t.test('what is wrong is said beside its field, and what was typed is kept, but no password', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  await ada.register(EMAIL)
  const other = createVisitor(app)
  await other.open('/register')
  const wrong = '<script>alert(1)</script>'
  const invalid = await other.send('/register', { email: wrong, name: 'Eve', password: PASSWORD })
  t.match(invalid, { status: 422, body: /id="email-error"[^>]*>Enter an e-mail address/ })
  t.match(invalid.body, 'aria-describedby="email-error"')
  t.match(invalid.body, 'value="Eve"')
  t.notMatch(invalid.body, wrong)
  t.notMatch(invalid.body, PASSWORD)
  const taken = await other.send('/register', { email: EMAIL, name: '', password: PASSWORD })
  t.match(taken, { status: 409, body: /id="email-error"[^>]*>There is already an account/ })
  const short = await other.send('/register', { email: 'eve@example.com', name: '', password: 'short' })
  t.match(short, { status: 422, body: /id="password-error"[^>]*>Use at least 15 characters/ })
  const refused = await other.send('/signin/password', { email: EMAIL, password: 'not it' })
  t.match(refused, { status: 422, body: /id="password-error"[^>]*>The address or the password is wrong/ })
  t.equal(refused.headers['www-authenticate'], undefined)
  const empty = await other.send('/signin/password', { email: EMAIL, password: '' })
  t.match(empty, { status: 422, body: /id="password-error"[^>]*>Enter a password/ })
})

t.test('the limits of the API hold, and a ban is told to those who know the password', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  await ada.register(EMAIL)
  const eve = createVisitor(app)
  await eve.open('/signin')
  const guess = () => eve.send('/signin/password', { email: EMAIL, password: 'a guess' })
  let answer = await guess()
  for (let tries = 0; tries < 20 && answer.status === 422; tries += 1) answer = await guess()
  t.match(answer, { status: 429, body: /role="alert">Too many attempts\. You can try again in \d+ / })
  t.match(answer.headers['retry-after'], /^\d+$/)

  await app.app.operator.administration.ban(EMAIL, { until: null, reason: null })
  app.clock.advance({ hours: 2 })
  const banned = await eve.send('/signin/password', { email: EMAIL, password: PASSWORD })
  t.match(banned, { status: 403, body: /role="alert">This account is blocked/ })
})

t.test('the account page changes the name and the password, and ends other devices', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  await ada.register(EMAIL)
  t.match(await ada.send('/account/name', { name: 'Ada King' }), { status: 303 })
  t.match((await ada.open('/account?done=name')).body, /role="status">Your name is saved/)
  t.match((await ada.open('/v1/me')).body, { name: 'Ada King' })
  await ada.open('/account')
  t.match(await ada.send('/account/name', { name: 'x'.repeat(101) }), { status: 422, body: 'id="name-error"' })
  t.match(await ada.send('/account/name', { name: '' }), { status: 303 })
  t.match((await ada.open('/v1/me')).body, { name: null })

  const phone = await app.api.login({ email: EMAIL, password: PASSWORD, mode: 'json', device_name: 'Phone <b>' })
  const page = await ada.open('/account')
  t.match(page.body, 'Phone &lt;b>')
  const ended = await ada.send(`/account/sessions/${phone.body.session.id}/end`)
  t.match(ended, { status: 303, headers: { location: '/account?done=device' } })
  t.match((await ada.open('/account')).body, /Phone &lt;b>.*Ended .*: ended from another device/s)
  const unknown = await ada.send(`/account/sessions/${phone.body.session.id}/end`)
  t.match(unknown, { status: 404, body: 'Page not found' })

  const laptop = await app.api.login({ email: EMAIL, password: PASSWORD, mode: 'json' })
  await ada.open('/account/password')
  const wrong = await ada.send('/account/password', { current_password: 'wrong', new_password: NEW_PASSWORD })
  t.match(wrong, { status: 422, body: /id="current_password-error"[^>]*>This is not your current password/ })
  const changed = await ada.send('/account/password', { current_password: PASSWORD, new_password: NEW_PASSWORD })
  t.match(changed, { status: 303, headers: { location: '/account?done=password' } })
  t.equal((await ada.open('/account')).status, 200)
  t.match(await app.api.refresh(laptop.body.refresh_token), { body: { reason: 'password_changed' } })
})

t.test('a device is renamed, and only by its user', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  await ada.register(EMAIL)
  const { body: phone } = await app.api.login({ email: EMAIL, password: PASSWORD, device_name: 'Phone' })
  const path = `/account/sessions/${phone.session.id}/name`
  t.match((await ada.open('/account')).body, `href="${path}" aria-label="Rename Phone"`)
  t.match((await ada.open(path)).body, 'value="Phone"')
  t.match(await ada.send(path, { device_name: '' }), { status: 422, body: /id="device_name-error"[^>]*>Use 1 to 100/ })
  const renamed = await ada.send(path, { device_name: 'Telephone' })
  t.match(renamed, { status: 303, headers: { location: '/account?done=device_name' } })
  t.match((await ada.open('/account?done=device_name')).body, /role="status">The device is renamed.*Telephone/s)
  const eve = createVisitor(app)
  await eve.register('eve@example.com')
  t.match(await eve.open(path), { status: 404 })
  t.match(await eve.send(path, { device_name: 'Mine' }), { status: 404 })
})

t.test('mails are in the language that was chosen on the account page', async (t) => {
  const app = await startApp(t, { settings: { MAIL_LOCALES: 'en,de,fr' } })
  const mailbox = createMailbox(app)
  const ada = createVisitor(app)
  await ada.register(EMAIL)
  const optionsOf = (page: string) => [...page.matchAll(/<option ([^>]*)>/g)].map(([, attributes]) => attributes)
  const { body } = await ada.open('/account')
  t.strictSame(optionsOf(body), [
    'value selected',
    'value="en" lang="en"',
    'value="de" lang="de"',
    'value="fr" lang="fr"',
  ])
  t.match(await ada.send('/account/language', { locale: 'de' }), { headers: { location: '/account?done=language' } })
  t.match((await ada.open('/account?done=language')).body, /role="status">The language of mails is saved/)
  await ada.send('/account/password', { current_password: PASSWORD, new_password: NEW_PASSWORD })
  t.match(await mailbox.receive(EMAIL), { kind: 'password_changed', subject: /^Ihr Passwort/ })

  await ada.open('/account')
  await app.database.query((client) => client.user.updateMany({ data: { locale: 'pt-BR' } }))
  const kept = await ada.open('/account')
  t.match(kept.body, 'value="pt-BR" lang="pt-BR" selected>')
  t.equal((await ada.send('/account/language', { locale: '' })).status, 303)
  t.match((await ada.open('/v1/me')).body, { locale: null })
})

t.test('a session that has ended leads to the sign-in, which says why', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  await ada.register(EMAIL)
  await app.app.operator.administration.endSessions(EMAIL)
  const { headers } = await ada.open('/account/password')
  t.equal(headers.location, '/signin?return_to=%2Faccount%2Fpassword&ended=revoked_by_admin')
  t.match((await ada.open(String(headers.location))).body, /role="alert">Your session has ended: ended by the operator/)
  t.notMatch((await ada.open('/signin?ended=%3Cb%3E')).body, 'has ended')
})

t.test('deletion and signing out everywhere end at pages that say so', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  await ada.register(EMAIL)
  const everywhere = await ada.send('/account/sign-out-everywhere')
  t.match(everywhere, { status: 303, headers: { location: '/signed-out?done=everywhere' } })
  t.match((await ada.open('/signed-out?done=everywhere')).body, 'on all your devices')
  await ada.open('/signin')
  await ada.send('/signin/password', { email: EMAIL, password: PASSWORD })
  await ada.open('/account/delete')
  t.equal((await ada.send('/account/delete', { current_password: 'wrong' })).status, 422)
  const deleted = await ada.send('/account/delete', { current_password: PASSWORD })
  t.match(deleted, { status: 303, headers: { location: '/signed-out?done=deleted' } })
  t.match(await app.api.login({ email: EMAIL, password: PASSWORD }), { status: 401 })
})

t.test('pages below a path, over https: links, redirects, assets and cookies respect it', async (t) => {
  const app = await startApp(t, { settings: { PUBLIC_URL: 'https://example.com/auth' } })
  const ada = createVisitor(app)
  const { body } = await ada.open('/auth/register')
  for (const [, path = ''] of body.matchAll(/(?:href|src|action)="([^"]*)"/g)) t.match(path, /^\/auth\//)
  const [, css = ''] = /href="([^"]+theme\.css[^"]*)"/.exec(body) ?? []
  t.match(await ada.open(css), { status: 200, headers: { 'content-type': 'text/css; charset=utf-8' } })
  const registered = await ada.send('/auth/register', { email: EMAIL, name: '', password: PASSWORD })
  t.match(registered, { status: 303, headers: { location: '/auth/account' } })
  t.ok(ada.cookies.has('__Host-Http-sallyport_form'))
  for (const path of ['/auth/.well-known/change-password', '/.well-known/change-password/auth']) {
    t.match(await ada.open(path), { status: 303, headers: { location: '/auth/account/password' } })
  }
})

t.test('WEB-09: every page has the headers of a page', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  for (const path of ['/', '/signin', '/register', '/signed-out', '/signin?return_to=x']) {
    const { headers } = await ada.open(path)
    t.equal(
      headers['content-security-policy'],
      "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
      path,
    )
    t.match(headers, { 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' })
    t.equal(headers['referrer-policy'], /signin$|register/.test(path) ? 'same-origin' : 'no-referrer', path)
  }
  const { headers, body } = await ada.open('/assets/theme.css')
  t.match(body, '--accent')
  const again = await ada.open('/assets/theme.css', { headers: { 'if-none-match': String(headers.etag) } })
  t.match(again, { status: 304, body: '' })
  t.match(await ada.open('/assets/..%2ftheme.css'), { status: 404 })
})

t.test('the language is that of the link, then of the choice before, then of the browser', async (t) => {
  const app = await startApp(t)
  const ada = createVisitor(app)
  const german = { headers: { 'accept-language': 'de-AT,de;q=0.9' } }
  t.match(await ada.open('/signin', german), {
    headers: { 'content-language': 'de' },
    body: '<html lang="de" dir="ltr">',
  })
  t.match((await ada.open('/signin?ui_locales=ar', german)).body, '<html lang="ar" dir="rtl">')
  t.match((await ada.open('/register', german)).body, '<html lang="ar" dir="rtl">')
  const kept = await ada.open('/signin?ui_locales=fr&return_to=%2Faccount%2Fpassword')
  t.match(kept.body, 'href="/signin?ui_locales=es&amp;return_to=%2Faccount%2Fpassword"')
  t.notOk((await ada.open('/signin?ui_locales=tlh')).setCookies.some((line) => line.includes('_locale')))
})

t.test('THEME_DIR replaces colours, the logo and texts, and an unknown text stops the start', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-theme-'))
  await mkdir(join(folder, 'locales'))
  await writeFile(join(folder, 'theme.css'), ':root { --accent: rebeccapurple }')
  await writeFile(join(folder, 'logo.png'), 'not really a picture')
  await writeFile(join(folder, 'locales/en.json'), '{"signin.title": "Come in"}')
  const settings = { THEME_DIR: folder }
  const ada = createVisitor(await startApp(t, { settings }))
  t.match((await ada.open('/signin')).body, '<h1>Come in</h1>')
  t.match((await ada.open('/assets/theme.css')).body, /--accent: #.*--accent: rebeccapurple/s)
  t.match(await ada.open('/assets/logo'), { headers: { 'content-type': 'image/png' } })
  await writeFile(join(folder, 'locales/en.json'), '{"signin.titel": "Come in"}')
  await t.rejects(startApp(t, { settings }), { message: /unknown key "signin.titel"/ })
  await rm(join(folder, 'locales/en.json'))
  for (const name of ['theme.scss', 'Logo.svg', 'locales/en.jsn']) {
    await writeFile(join(folder, name), '')
    await t.rejects(startApp(t, { settings }), { message: `THEME_DIR: ${join(folder, name)} is not used.` })
    await rm(join(folder, name))
  }
  await writeFile(join(folder, '.gitignore'), '')
  await startApp(t, { settings })
})

t.test('pages can be switched off, and registration closed', async (t) => {
  const off = await startApp(t, { settings: { PAGES: 'off' } })
  for (const path of ['/', '/signin', '/account', '/assets/theme.css']) {
    t.match(await off.api.call(path), { status: 404, body: { code: 'not_found' } })
  }
  const closed = createVisitor(await startApp(t, { settings: { REGISTRATION: 'closed' } }))
  t.match(await closed.open('/register'), { status: 403, body: 'Registration is closed' })
  t.notMatch((await closed.open('/signin')).body, '/register')
  t.match(await closed.send('/register', { email: EMAIL, name: '', password: PASSWORD }), { status: 403 })
})
