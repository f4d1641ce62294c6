// Getting an account back, and changing its address, by the pages.

import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createMailbox } from '../support/mailbox.js'
import { createVisitor } from '../support/page-visitor.js'
import { readAllRows } from '../support/rows.js'

const EMAIL = 'ada@example.com'
const NEW_EMAIL = 'ada.king@example.com'
const NEW_PASSWORD = 'violet otters juggle paper lanterns'

/** Ada, who has an account and a session, and her mails. */
async function startWithAda(t: Parameters<typeof startApp>[0]) {
  const started = await startApp(t, { settings: { EMAIL_VERIFICATION: 'required' } })
  const mailbox = createMailbox(started)
  const visitor = () => createVisitor(started)
  const ada = visitor()
  await ada.open('/register')
  await ada.send('/register', { email: EMAIL, name: '', password: PASSWORD, return_to: '' })
  await ada.open('/verify')
  await ada.send('/verify', { code: (await mailbox.receive(EMAIL)).code ?? '' })
  return { ...started, mailbox, visitor, ada }
}

t.test('a forgotten password is replaced with the code, where the mail was asked for', async (t) => {
  const { mailbox, visitor, ada } = await startWithAda(t)
  const lost = visitor()
  t.match((await lost.open('/reset')).body, 'There is nothing to confirm here')
  await lost.open('/forgot')
  t.match(await lost.send('/forgot', { email: 'ada' }), { status: 422, body: 'id="email-error"' })
  t.match(await lost.send('/forgot', { email: EMAIL }), { status: 303, headers: { location: '/reset' } })
  t.match((await lost.open('/reset')).body, `If ${EMAIL} has an account`)
  t.match(await lost.open('/verify'), { status: 303, headers: { location: '/reset' } })
  const { code = '' } = await mailbox.receive(EMAIL)
  const weak = await lost.send('/reset', { code, new_password: 'short' })
  t.match(weak, { status: 422, body: /id="new_password-error"[^>]*>Use at least 15/ })
  t.match(await lost.send('/verify/resend'), { headers: { location: '/reset?done=resent' } })
  const done = await lost.send('/reset', { code, new_password: NEW_PASSWORD })
  t.match(done, { status: 303, headers: { location: '/signin?done=reset' } })
  t.match((await lost.open('/signin?done=reset')).body, /role="status">Your password is changed/)
  t.match((await ada.open('/account')).headers.location, 'ended=password_reset')
  t.equal((await lost.send('/signin/password', { email: EMAIL, password: NEW_PASSWORD })).status, 303)
})

t.test('the link of a reset works elsewhere too, and no address is told to be unknown', async (t) => {
  const { mailbox, visitor } = await startWithAda(t)
  const lost = visitor()
  await lost.open('/forgot')
  await lost.send('/forgot', { email: EMAIL })
  const { token } = await mailbox.receive(EMAIL)
  const phone = visitor()
  await phone.open(`/link/reset-password?token=${token}`)
  const weak = await phone.send('/link/reset-password', { token, new_password: '' })
  t.match(weak, { status: 422, body: 'id="new_password-error"' })
  t.match(await phone.send('/link/reset-password', { token, new_password: NEW_PASSWORD }), { status: 303 })
  const again = await phone.send('/link/reset-password', { token, new_password: PASSWORD })
  t.match(again, { status: 422, body: 'This link is no longer valid' })

  const stranger = visitor()
  await stranger.open('/forgot')
  t.match(await stranger.send('/forgot', { email: 'nobody@example.com' }), {
    status: 303,
    headers: { location: '/reset' },
  })
  t.match((await stranger.open('/reset')).body, 'If nobody@example.com has an account')
})

t.test('an address is changed after a recent sign-in, and the former one can undo it', async (t) => {
  const { mailbox, visitor, ada, clock, database } = await startWithAda(t)
  clock.advance({ minutes: 20 })
  const { headers } = await ada.open('/account/email')
  t.equal(headers.location, '/account/confirm?return_to=%2Faccount%2Femail&methods=password')
  await ada.open(String(headers.location))
  const confirmed = await ada.send('/account/confirm', { password: PASSWORD, return_to: '/account/email' })
  t.match(confirmed, { status: 303, headers: { location: '/account/email' } })
  await ada.open('/account/email')
  t.match(await ada.send('/account/email', { email: EMAIL }), { status: 422, body: 'This is your address already' })
  t.match(await ada.send('/account/email', { email: NEW_EMAIL }), { status: 303, headers: { location: '/verify' } })
  t.match((await ada.open('/account')).body, `Waiting to be confirmed: ${NEW_EMAIL}`)
  t.match(await ada.send('/account/email/cancel'), { headers: { location: '/account?done=email_cancelled' } })
  await ada.open('/account/email')
  await ada.send('/account/email', { email: NEW_EMAIL })
  await ada.open('/verify')
  const { code = '' } = await mailbox.receive(NEW_EMAIL)
  t.match(await ada.send('/verify', { code }), { status: 200, body: 'Your address is confirmed' })
  t.match((await ada.open('/account')).body, NEW_EMAIL)

  const { link = '', text } = await mailbox.receive(EMAIL)
  const token = /token=([\w-]+)/.exec(link)?.[1] ?? ''
  const confirm = /^\s*(\d{4})\s*$/m.exec(text)?.[1] ?? ''
  const owner = visitor()
  await owner.open(`/link/undo-email-change?token=${token}`)
  const before = await readAllRows(database)
  const pressed = await owner.send('/link/undo-email-change', { token, confirm: '' })
  t.match(pressed, { status: 422, body: /id="confirm-error"[^>]*>Enter the digits/ })
  t.strictSame(await readAllRows(database), before, 'a button alone does nothing')
  const wrong = await owner.send('/link/undo-email-change', { token, confirm: confirm === '1111' ? '2222' : '1111' })
  t.match(wrong, { status: 422, body: /id="confirm-error"[^>]*>These are not the digits.*Attempts left: 4/ })
  t.match(await owner.send('/link/undo-email-change', { token, confirm }), { headers: { location: '/reset' } })
  t.match((await owner.open('/reset')).body, EMAIL)
})

t.test('a registration that was not mine is cancelled', async (t) => {
  const { mailbox, visitor } = await startWithAda(t)
  const eve = visitor()
  await eve.open('/register')
  await eve.send('/register', { email: 'grace@example.com', name: '', password: PASSWORD, return_to: '' })
  const { notMeToken: token, text, code = '' } = await mailbox.receive('grace@example.com')
  const confirm = /^\s*(\d{4})\s*$/m.exec(text)?.[1] ?? ''
  const grace = visitor()
  await grace.open(`/link/not-me?token=${token}`)
  t.match(await grace.send('/link/not-me', { token, confirm }), { status: 200, body: 'The registration is cancelled' })
  await eve.open('/verify')
  t.match(await eve.send('/verify', { code }), { status: 422 })
})
