// The calls around mails of an app on a device, which may be killed between the mail and its code.

import t from 'tap'
import { createMemoryStore, type KeyStore } from '../../../src/sdk/client/client.js'
import {
  forgetPendingFlow,
  pendingFlow,
  requestCode,
  resend,
  signInWithCode,
  verifyEmail,
} from '../../../src/sdk/client/mail.js'
import { PASSWORD } from '../../support/api.js'
import { codeOf } from '../../support/sdk-client.js'
import { errorOf, startWithMails as start } from '../../support/sdk-mail.js'

const required = { EMAIL_VERIFICATION: 'required' }
const withCodes = { SIGN_IN_METHODS: 'password,otp' }

t.test('a registration that is to be confirmed: the app is killed before the code arrives', async (t) => {
  const { device, account, email, receive, clock } = await start(t, required)
  const phone = device()
  const now = clock.now()
  const flow = await phone.client.register({ ...account, name: 'Ada', device_name: 'Phone' })
  const masked = `${email.slice(0, 1)}•••@example.com`
  t.match(flow, { status: 'check_mail', kind: 'register', to: masked, expiresAt: Date, resendAt: Date })
  t.ok(flow.status === 'check_mail' && flow.resendAt.getTime() >= now.getTime() + 30_000)
  t.equal(phone.client.state.status, 'unknown')

  const { code, wrongCode } = await receive()
  const restarted = phone.restart()
  t.match(await restarted.restore(), { status: 'signed_out', reason: null })
  t.strictSame(await pendingFlow(restarted), flow)
  const wrong = await errorOf(verifyEmail(restarted, { code: wrongCode }))
  t.match(wrong, { code: 'flow_invalid', reason: 'wrong_code', members: { attempts_left: 4 } })
  t.strictSame(await pendingFlow(restarted), flow)

  const state = await verifyEmail(restarted, { code: code.replace(/(?=\d{4}$)/, ' ') })
  t.match(state, { status: 'signed_in', user: { email, name: 'Ada', email_verified: true } })
  t.match(state, { session: { mode: 'json', device_name: 'Phone' } })
  t.equal(await pendingFlow(restarted), null)
  t.match(await phone.kept(), { token: /^spr_/ })
  t.match(await phone.restart().restore(), { status: 'signed_in' })
})

t.test('a link that is opened elsewhere takes the password, and one that is opened here takes nothing', async (t) => {
  for (const isHere of [true, false]) {
    const { device, account, receive } = await start(t, required)
    const phone = device()
    await phone.client.register(account)
    const { token } = await receive()
    if (isHere) {
      t.match(await verifyEmail(phone.client, { token }), { status: 'signed_in' })
      t.equal(await pendingFlow(phone.client), null)
      continue
    }
    const { client } = device()
    const refused = await errorOf(verifyEmail(client, { token }))
    t.match(refused, { code: 'flow_unbound', members: { needs: ['password'] } })
    t.match(await verifyEmail(client, { token, password: PASSWORD }), { status: 'signed_in' })
    t.match(await pendingFlow(phone.client), { kind: 'register' }, 'the phone does not learn it')
    t.match(await errorOf(verifyEmail(phone.client, { code: '12345678' })), { reason: 'used' })
    t.equal(await pendingFlow(phone.client), null, 'until it is told')
  }
})

t.test('with EMAIL_VERIFICATION=later, register signs in, and the code verifies the address', async (t) => {
  const { device, account, receive } = await start(t, { EMAIL_VERIFICATION: 'later' })
  const phone = device()
  t.match(await phone.client.register(account), { status: 'signed_in', user: { email_verified: false } })
  const { code } = await receive()
  const restarted = phone.restart()
  await restarted.restore()
  t.match(await pendingFlow(restarted), { kind: 'verify_email' })
  t.match(await verifyEmail(restarted, { code }), { status: 'signed_in', user: { email_verified: true } })
  t.equal(await pendingFlow(restarted), null)
})

t.test('a code instead of a password', async (t) => {
  const { device, account, receive, clock } = await start(t, withCodes)
  const phone = device()
  await phone.client.register(account)
  await phone.client.logout()
  await requestCode(phone.client, { email: account.email, device_name: 'Phone' })
  const first = await receive()

  t.match(await errorOf(signInWithCode(device().client, { token: first.token })), {
    code: 'flow_unbound',
    members: { needs: ['code'] },
  })
  clock.advance({ seconds: 31 })
  const again = await resend(phone.restart())
  t.match(again, { kind: 'otp' })
  const { code } = await receive()
  const restarted = phone.restart()
  t.match(await pendingFlow(restarted), { kind: 'otp', resendAt: again.resendAt })
  const state = await signInWithCode(restarted, { code })
  t.match(state, { status: 'signed_in', session: { device_name: 'Phone' } })
  t.equal(await pendingFlow(restarted), null)

  const sessionsOf = async (isEnded: boolean) =>
    (await restarted.sessions({ ended: isEnded })).map(({ device_name }) => device_name)
  await requestCode(restarted, { email: account.email, device_name: 'Phone, again' })
  const { token } = await receive()
  t.match(await signInWithCode(restarted, { token }), { status: 'signed_in' })
  t.strictSame(await sessionsOf(false), ['Phone, again'])
  t.ok((await sessionsOf(true)).includes('Phone'), 'the session before it has ended')
})

t.test('the newest request of a kind counts, and others are not disturbed', async (t) => {
  const { device, account, receive } = await start(t, withCodes)
  const { client } = device()
  await client.register(account)
  await client.logout()
  await requestCode(client, { email: account.email })
  const first = await receive()
  await requestCode(client, { email: account.email })
  t.match(await errorOf(signInWithCode(client, { token: first.token })), { reason: 'superseded' })
  const { code } = await receive()
  t.match(await signInWithCode(client, { code }), { status: 'signed_in' })
})

t.test('a flow is forgotten when it is over, and when the app says so', async (t) => {
  const { device, account, receive, clock } = await start(t, withCodes)
  const { client } = device()
  await client.register(account)
  await client.logout()

  await requestCode(client, { email: account.email })
  const { wrongCode } = await receive()
  for (let left = 4; left > 0; left -= 1) {
    t.match(await errorOf(signInWithCode(client, { code: wrongCode })), { members: { attempts_left: left } })
  }
  t.match(await errorOf(signInWithCode(client, { code: wrongCode })), { reason: 'too_many_attempts' })
  t.equal(await pendingFlow(client), null)

  await requestCode(client, { email: account.email })
  clock.advance({ minutes: 11 })
  t.match(await pendingFlow(client), { kind: 'otp' }, 'a mail may be late')
  clock.advance({ minutes: 60 })
  t.equal(await pendingFlow(client), null)

  await requestCode(client, { email: account.email })
  await forgetPendingFlow(client)
  t.equal(await pendingFlow(client), null)

  await requestCode(client, { email: account.email })
  await client.login(account)
  t.equal(await pendingFlow(client), null, 'signed in by other means')
  await client.logout()
  t.equal(await pendingFlow(client), null)
})

t.test('what cannot be kept is refused, and no session is left behind', async (t) => {
  const { device, account, receive, database } = await start(t, required)
  const values = createMemoryStore()
  let isFull = true
  const full: KeyStore = {
    ...values,
    set: (key, value) => (isFull ? Promise.reject(new Error('The disk is full.')) : values.set(key, value)),
  }
  const { client } = device({ storage: full })
  t.equal(await codeOf(client.register(account)), 'storage_failed')
  isFull = false
  await client.register(account)
  const { code } = await receive()
  isFull = true
  t.equal(await codeOf(verifyEmail(client, { code })), 'storage_failed')
  const open = await database.query((rows) => rows.refreshTokenFamily.findMany({ where: { endedAt: null } }))
  t.strictSame(open, [])
})

t.test('an answer from something else is no flow', async (t) => {
  const { device, account } = await start(t, withCodes)
  const { client, network } = device()
  const portal = () => Response.json({ welcome: true })
  network.answerNext('/v1/auth/register', portal)
  t.equal(await codeOf(client.register(account)), 'unexpected_answer')
  network.answerNext('/v1/auth/otp', portal)
  t.equal(await codeOf(requestCode(client, { email: account.email })), 'unexpected_answer')
  t.equal(await pendingFlow(client), null)
})

t.test('a client that was wrapped by a framework works, and an object that is no client is named', async (t) => {
  const { device } = await start(t)
  const { client } = device()
  t.equal(await pendingFlow(new Proxy(client, {})), null)
})
