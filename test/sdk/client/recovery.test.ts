// What users of an app do with mails about an account that they have, or are invited to, against the real server.

import t from 'tap'
import {
  acceptInvitation,
  cancelEmailChange,
  changeEmail,
  forgotPassword,
  notMe,
  pendingFlow,
  resetPassword,
  undoEmailChange,
  verifyEmail,
} from '../../../src/sdk/client/mail.js'
import { PASSWORD } from '../../support/api.js'
import { codeOf } from '../../support/sdk-client.js'
import { errorOf, startWithMails } from '../../support/sdk-mail.js'

const NEW_PASSWORD = 'violet otters juggle paper lanterns'

async function startSignedUp(...options: Parameters<typeof startWithMails>) {
  const started = await startWithMails(...options)
  const phone = started.device()
  await phone.client.register({ ...started.account, name: 'Ada', device_name: 'Phone' })
  await verifyEmail(phone.client, { code: (await started.receive()).code })
  return { ...started, phone }
}

t.test(
  'forgotPassword and resetPassword: with the code, after the app was killed, and a weak one is refused',
  async (t) => {
    const { device, phone, account, email, receive } = await startSignedUp(t)
    const lost = device()
    const flow = await forgotPassword(lost.client, { email, locale: 'de' })
    t.match(flow, { kind: 'reset_password', to: `${email.slice(0, 1)}•••@example.com`, expiresAt: Date })
    t.strictSame(
      await forgotPassword(device().client, { email: 'nobody@example.com' }).then(({ kind }) => kind),
      flow.kind,
    )
    const { code, wrongCode } = await receive()

    const restarted = lost.restart()
    await restarted.restore()
    t.strictSame(await pendingFlow(restarted), flow)
    const wrong = await errorOf(resetPassword(restarted, { code: wrongCode, new_password: NEW_PASSWORD }))
    t.match(wrong, { code: 'flow_invalid', reason: 'wrong_code', members: { attempts_left: 4 } })
    t.equal(await codeOf(resetPassword(restarted, { code, new_password: 'too short' })), 'validation_failed')
    t.ok(await pendingFlow(restarted), 'the code can be used again')
    await resetPassword(restarted, { code, new_password: NEW_PASSWORD })
    t.equal(await pendingFlow(restarted), null)
    t.match(restarted.state, { status: 'signed_out' }, 'it does not sign in')
    t.match(await errorOf(phone.client.me()), { code: 'session_ended', reason: 'password_reset' })
    t.equal(await codeOf(restarted.login(account)), 'invalid_credentials')
    t.match(await restarted.login({ email, password: NEW_PASSWORD }), { status: 'signed_in' })
  },
)

t.test('resetPassword: with the link, on another device, once', async (t) => {
  const { device, email, receive } = await startSignedUp(t)
  await forgotPassword(device().client, { email })
  const { token } = await receive()
  const { client } = device()
  await resetPassword(client, { token, new_password: NEW_PASSWORD })
  const again = await errorOf(resetPassword(client, { token, new_password: PASSWORD }))
  t.match(again, { code: 'flow_invalid', reason: 'used' })
})

t.test('changeEmail and cancelEmailChange: the old address stays until the new one is confirmed', async (t) => {
  const { phone, email, receive, clock } = await startSignedUp(t)
  const { client } = phone
  const changed = `new.${email}`
  t.match(await changeEmail(client, { email: changed }), { kind: 'email_change' })
  const first = await receive(changed)
  t.match(await client.me(), { email, pending_email: changed })
  await cancelEmailChange(client)
  t.match(await client.me(), { email, pending_email: null })
  t.equal(await pendingFlow(client), null)
  t.equal(await codeOf(verifyEmail(client, { token: first.token })), 'flow_invalid')

  await changeEmail(client, { email: changed })
  const { code } = await receive(changed)
  t.match(await verifyEmail(client, { code }), { status: 'signed_in', user: { email: changed, email_verified: true } })
  t.equal(await pendingFlow(client), null)

  clock.advance({ minutes: 16 })
  t.equal(await codeOf(changeEmail(client, { email })), 'insufficient_user_authentication')
})

t.test('undoEmailChange: the former address, with the four digits, takes the account back', async (t) => {
  const { device, phone, email, receive } = await startSignedUp(t)
  await changeEmail(phone.client, { email: `eve.${email}` })
  await verifyEmail(phone.client, { code: (await receive(`eve.${email}`)).code })

  const { token, confirm } = await receive(email)
  const owner = device()
  const wrong = confirm === '1111' ? '2222' : '1111'
  t.match(await errorOf(undoEmailChange(owner.client, { token, confirm: wrong })), { reason: 'wrong_code' })
  t.match(await undoEmailChange(owner.client, { token, confirm }), { kind: 'reset_password' })
  t.match(await errorOf(phone.client.me()), { code: 'session_ended', reason: 'email_change_undone' })
  const { code } = await receive(email)
  await resetPassword(owner.restart(), { code, new_password: NEW_PASSWORD })
  t.match(await owner.client.login({ email, password: NEW_PASSWORD }), { status: 'signed_in', user: { email } })
})

t.test('notMe: ends the session of a notice, or drops a registration', async (t) => {
  const { device, account, phone, email, receive } = await startSignedUp(t)
  const thief = device()
  await thief.client.login({ ...account, device_name: 'Thief' })
  const notice = await receive()
  t.equal(notice.kind, 'new_sign_in')
  const owner = device()
  const begun = await notMe(owner.client, { token: notice.notMeToken, confirm: notice.confirm })
  t.match(begun, { kind: 'reset_password' })
  t.match(await errorOf(thief.client.me()), { code: 'session_ended', reason: 'not_me' })
  t.match(await phone.client.me(), { email }, 'the others stay')
  await resetPassword(owner.client, { code: (await receive()).code, new_password: NEW_PASSWORD })
  t.match(await owner.client.login({ email, password: NEW_PASSWORD }), { status: 'signed_in' })
})

t.test('notMe: of a registration, which is dropped', async (t) => {
  const { device, account, receive } = await startWithMails(t, { EMAIL_VERIFICATION: 'required' })
  const eve = device()
  await eve.client.register(account)
  const { notMeToken: token, confirm, code } = await receive()
  t.equal(await notMe(device().client, { token, confirm }), null)
  t.equal(await codeOf(verifyEmail(eve.client, { code })), 'flow_invalid')
})

t.test('acceptInvitation: makes the account with its roles, and signs in', async (t) => {
  const { app, device, email, receive } = await startWithMails(t, { REGISTRATION: 'invite' })
  await app.operator.administration.invite({ email, roles: ['editor'], locale: null })
  const { token } = await receive()
  const { client, kept } = device()
  t.equal(await codeOf(acceptInvitation(client, { token, password: 'too short' })), 'validation_failed')
  const state = await acceptInvitation(client, { token, password: PASSWORD, name: 'Ada', device_name: 'Phone' })
  t.match(state, { status: 'signed_in', user: { email, email_verified: true, roles: ['editor'], name: 'Ada' } })
  t.match(state, { session: { device_name: 'Phone' } })
  t.match(await kept(), { token: /^spr_/ })
  t.match(await errorOf(acceptInvitation(device().client, { token, password: PASSWORD })), { reason: 'used' })
})
