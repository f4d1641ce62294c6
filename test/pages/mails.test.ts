// What people do with the mails that they get: codes that they type, and links that they open.

import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createMailbox } from '../support/mailbox.js'
import { createVisitor, type Visitor } from '../support/page-visitor.js'
import { readAllRows } from '../support/rows.js'

const EMAIL = 'ada@example.com'
const registration = { email: EMAIL, name: 'Ada', password: PASSWORD, return_to: '' }
const settings = { EMAIL_VERIFICATION: 'required', SIGN_IN_METHODS: 'password,otp' }

async function startWithMail(t: Parameters<typeof startApp>[0]) {
  const started = await startApp(t, { settings })
  return { ...started, mailbox: createMailbox(started), visitor: () => createVisitor(started) }
}

async function askToRegister(visitor: Visitor): Promise<void> {
  await visitor.open('/register')
  const { status, headers } = await visitor.send('/register', registration)
  if (status !== 303 || headers.location !== '/verify') throw new Error(`${status} ${String(headers.location)}`)
}

t.test('a registration ends with the code from the mail, typed where it began', async (t) => {
  const { mailbox, visitor } = await startWithMail(t)
  const ada = visitor()
  t.match((await ada.open('/verify')).body, 'There is nothing to confirm here')
  await askToRegister(ada)
  t.match((await ada.open('/verify')).body, `Type the code from the mail that we have sent to ${EMAIL}`)
  const { code = '' } = await mailbox.receive(EMAIL)
  const wrong = await ada.send('/verify', { code: code === '1111 1111' ? '2222 2222' : '1111 1111' })
  t.match(wrong, { status: 422, body: /id="code-error"[^>]*>This is not the code from the mail\. Attempts left: 4/ })
  t.match(await ada.send('/verify', { code: '' }), { status: 422, body: /id="code-error"[^>]*>Enter the digits/ })
  t.match(await ada.send('/verify/resend'), { headers: { location: '/verify?done=resent' } })
  t.match(await ada.send('/verify', { code }), { status: 303, headers: { location: '/account?done=verified' } })
  t.match((await ada.open('/account?done=verified')).body, /Your address is confirmed.*ada@example\.com.*confirmed/s)
})

t.test('EML-06: opening a link changes nothing; its button ends the registration in the same browser', async (t) => {
  const { mailbox, visitor, database } = await startWithMail(t)
  const ada = visitor()
  await askToRegister(ada)
  const { token } = await mailbox.receive(EMAIL)
  const before = await readAllRows(database)
  for (const path of [`?token=${token}`, `?utm=x&token=${token}`, `%23token=${token}`, `?%23token=${token}`]) {
    for (const method of ['GET', 'HEAD'] as const) {
      const page = await visitor().open(`/link/verify-email${path}`, { method })
      t.equal(page.status, 200, path)
      if (method === 'GET') t.match(page.body, `name="token" value="${token}"`)
      t.notMatch(page.body, 'hreflang', 'no link repeats the token')
    }
  }
  t.match((await ada.open('/link/verify-email?token=%22%3E')).body, 'name="token" value=""/>'.replace('=""', ''))
  t.strictSame(await readAllRows(database), before)
  await ada.open(`/link/verify-email?token=${token}`)
  t.match(await ada.send('/link/verify-email', { token }), { headers: { location: '/account?done=verified' } })
  await ada.open(`/link/verify-email?token=${token}`)
  t.match(await ada.send('/link/verify-email', { token }), { body: 'This mail has been used before' })
  t.match(await ada.open('/link/nothing'), { status: 404, body: 'Page not found' })
})

t.test('a link that was opened elsewhere asks for the password of the registration', async (t) => {
  const { mailbox, visitor, database } = await startWithMail(t)
  await askToRegister(visitor())
  const { token } = await mailbox.receive(EMAIL)
  const gateway = visitor()
  await gateway.open(`/link/verify-email?token=${token}`)
  const pressed = await gateway.send('/link/verify-email', { token })
  t.match(pressed, { status: 422, body: 'Type the password of your registration' })
  t.strictSame((await readAllRows(database)).users, [])
  t.match(await gateway.send('/link/verify-email', { token, password: 'a guess' }), { body: 'id="password-error"' })
  t.match(await gateway.send('/link/verify-email', { token, password: PASSWORD }), { status: 303 })
})

t.test('a mailed code signs in where it was asked for, and its link nowhere else', async (t) => {
  const { api, mailbox, visitor } = await startWithMail(t)
  const registering = visitor()
  await askToRegister(registering)
  const { code: first = '' } = await mailbox.receive(EMAIL)
  await registering.send('/verify', { code: first })

  const ada = visitor()
  await ada.open('/signin')
  t.match((await ada.send('/signin', { email: EMAIL })).body, 'Send me a code by mail instead')
  const asked = await ada.send('/signin/code', { email: EMAIL, return_to: '/account/password' })
  t.match(asked, { status: 303, headers: { location: '/verify?return_to=%2Faccount%2Fpassword' } })
  t.match((await ada.open('/verify')).body, `If ${EMAIL} has an account`)
  const { code = '', token } = await mailbox.receive(EMAIL)
  const elsewhere = visitor()
  await elsewhere.open(`/link/otp?token=${token}`)
  t.match(await elsewhere.send('/link/otp', { token }), {
    status: 422,
    body: 'Type the code from the mail where you asked',
  })
  t.notOk(elsewhere.cookies.has('sallyport_rt'))
  const typed = await ada.send('/verify', { code, return_to: '/account/password' })
  t.match(typed, { status: 303, headers: { location: '/account/password' } })
  t.equal((await ada.open('/account')).status, 200)

  await ada.open('/signin?prompt=login')
  const unknown = await ada.send('/signin/code', { email: 'nobody@example.com' })
  t.match(unknown, { status: 303, headers: { location: '/verify' } })
  t.equal((await api.call('/dev/inbox.json?to=nobody@example.com')).status, 200)
})

t.test('the development inbox shows mails as they arrive, and only on this machine', async (t) => {
  const { mailbox, visitor } = await startWithMail(t)
  const ada = visitor()
  await askToRegister(ada)
  const { subject, code = '', id } = await mailbox.receive(EMAIL)
  const page = await ada.open('/dev/inbox')
  t.match(page.body, subject)
  t.match(page.body, `${code.slice(0, 4)} ${code.slice(4)}`)
  t.match(page.headers['content-security-policy'], "frame-src 'self'")
  const mail = await ada.open(`/dev/inbox/${id}`)
  t.match(mail.headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'self'; sandbox$/)
  for (const path of ['/dev/inbox', `/dev/inbox/${id}`]) {
    t.equal((await ada.open(path, { from: '192.0.2.7' })).status, 404)
    t.equal((await ada.open(path, { headers: { host: 'eve.example' } })).status, 404)
  }
  t.equal((await ada.open('/dev/inbox/nothing')).status, 404)
})

t.test('the link of a mail leads back to the application, in the browser that asked for the mail', async (t) => {
  const returnTo = 'https://app.example.com/welcome'
  const started = await startApp(t, { settings: { ...settings, RETURN_TO: returnTo } })
  const mailbox = createMailbox(started)
  const visitor = () => createVisitor(started)
  const policyOf = ({ headers }: { headers: Record<string, unknown> }) => String(headers['content-security-policy'])

  const ada = visitor()
  await ada.open(`/register?return_to=${encodeURIComponent(returnTo)}`)
  await ada.send('/register', { ...registration, return_to: returnTo })
  const { token } = await mailbox.receive(EMAIL)
  const opened = await ada.open(`/link/verify-email?token=${token}`)
  t.match(policyOf(opened), "form-action 'self' https://app.example.com", 'browsers apply it to the redirect')
  t.match(await ada.send('/link/verify-email', { token }), { status: 303, headers: { location: returnTo } })

  for (const isHere of [true, false]) {
    const lost = visitor()
    await lost.open(`/forgot?return_to=${encodeURIComponent(returnTo)}`)
    const asked = await lost.send('/forgot', { email: EMAIL, return_to: returnTo })
    t.match(asked.headers.location, `/reset?return_to=${encodeURIComponent(returnTo)}`)
    const reset = await mailbox.receive(EMAIL)
    const reader = isHere ? lost : visitor()
    await reader.open(`/link/reset-password?token=${reset.token}`)
    const done = await reader.send('/link/reset-password', { token: reset.token, new_password: PASSWORD })
    const expected = isHere ? `/signin?return_to=${encodeURIComponent(returnTo)}&done=reset` : '/signin?done=reset'
    t.equal(done.headers.location, expected)
  }

  const withCode = visitor()
  await withCode.open('/signin')
  await withCode.send('/signin/code', { email: EMAIL, return_to: returnTo })
  const link = await mailbox.receive(EMAIL)
  await withCode.open(`/link/otp?token=${link.token}`)
  t.match(await withCode.send('/link/otp', { token: link.token }), { status: 303, headers: { location: returnTo } })
})

t.test('a mail without return_to does not lead to that of an earlier one', async (t) => {
  const { mailbox, visitor } = await startWithMail(t)
  const ada = visitor()
  await askToRegister(ada)
  await ada.send('/verify', { code: (await mailbox.receive(EMAIL)).code ?? '' })
  await ada.open('/signin?prompt=login')
  await ada.send('/signin/code', { email: EMAIL, return_to: '/account/password' })
  await mailbox.receive(EMAIL)
  await ada.send('/signin/code', { email: EMAIL, return_to: '' })
  const { token } = await mailbox.receive(EMAIL)
  await ada.open(`/link/otp?token=${token}`)
  t.match(await ada.send('/link/otp', { token }), { status: 303, headers: { location: '/account' } })
})
