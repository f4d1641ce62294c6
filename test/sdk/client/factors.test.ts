// Second factors of an app: the second step of a sign-in, which a restart does not lose, and the factors of the user.

import { Secret, TOTP } from 'otpauth'
import t from 'tap'
import type { Client } from '../../../src/sdk/client/client.js'
import {
  addTotp,
  confirmTotp,
  confirmTotpAtSignIn,
  enrollTotpAtSignIn,
  factors,
  forgetSecondStep,
  newRecoveryCodes,
  reauthenticate,
  removeFactor,
  renameFactor,
  secondStep,
  signInWithFactor,
} from '../../../src/sdk/client/factors.js'
import { PASSWORD } from '../../support/api.js'
import { wrongTotp } from '../../support/factor-calls.js'
import { codeOf, startDeviceApp, type DeviceApp } from '../../support/sdk-client.js'
import { errorOf } from '../../support/sdk-mail.js'

const totpOf = ({ clock }: DeviceApp, secret: string) =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: clock.now().getTime() })

/** Adds an authenticator app. The code after the first one counts. */
async function enroll(app: DeviceApp, client: Client) {
  const { id, secret, uri, expiresAt } = await addTotp(client, { name: 'Phone' })
  const recoveryCodes = await confirmTotp(client, id, { code: totpOf(app, secret) })
  app.clock.advance({ seconds: 30 })
  return { id, secret, uri, expiresAt, recoveryCodes: recoveryCodes ?? [] }
}

t.test('MFA-05: the app is killed between password and code, and goes on', async (t) => {
  const app = await startDeviceApp(t)
  const { client, account } = await app.signUp()
  const { secret } = await enroll(app, client)
  const phone = app.device()
  const error = await errorOf(phone.client.login({ ...account, device_name: 'Phone' }))
  t.match(error, { code: 'mfa_required', members: { mfa_token: /^spf_/, methods: ['totp', 'recovery_code'] } })
  t.equal(phone.client.state.status, 'unknown')

  const restarted = phone.restart()
  t.match(await restarted.restore(), { status: 'signed_out' })
  const step = await secondStep(restarted)
  t.match(step, { status: 'second_step', methods: ['totp', 'recovery_code'], enroll: [], token: /^spf_/ })
  t.equal(step?.expiresAt.toISOString(), error.members.expires_at)
  const wrong = await errorOf(signInWithFactor(restarted, { code: wrongTotp(totpOf(app, secret)) }))
  t.match(wrong, { code: 'flow_invalid', reason: 'wrong_code', members: { attempts_left: 4 } })
  t.strictSame(await secondStep(restarted), step, 'another attempt is possible')

  const state = await signInWithFactor(restarted, { code: totpOf(app, secret) })
  t.match(state, { status: 'signed_in', user: { email: account.email }, session: { device_name: 'Phone' } })
  t.equal(await secondStep(restarted), null)
  t.match(await phone.restart().restore(), { status: 'signed_in' })
})

t.test('a second step ends after five minutes, by another sign-in, and when it is given up', async (t) => {
  const app = await startDeviceApp(t)
  const { client, account } = await app.signUp()
  const { recoveryCodes } = await enroll(app, client)
  const phone = app.device()
  const begin = () => codeOf(phone.client.login(account))
  await begin()
  app.clock.advance({ minutes: 5, seconds: 1 })
  t.equal(await secondStep(phone.client), null)
  t.match(await errorOf(signInWithFactor(phone.client, { code: '123456' })), {
    code: 'flow_invalid',
    reason: 'expired',
  })

  await begin()
  await forgetSecondStep(phone.client)
  t.equal(await secondStep(phone.client), null)

  await begin()
  const other = { email: `${crypto.randomUUID()}@example.com`, password: PASSWORD }
  await phone.client.register(other)
  t.equal(await secondStep(phone.client), null)

  await begin()
  const [recovery_code = ''] = recoveryCodes
  t.match(await signInWithFactor(phone.client, { recovery_code }), { user: { email: account.email } })
})

t.test('a step that Sallyport has ended is forgotten', async (t) => {
  const app = await startDeviceApp(t)
  const { client, account } = await app.signUp()
  await enroll(app, client)
  const phone = app.device()
  await codeOf(phone.client.login(account))
  for (let count = 0; count < 5; count += 1) await codeOf(signInWithFactor(phone.client, { recovery_code: 'wrong' }))
  t.equal(await secondStep(phone.client), null)
})

t.test('MFA-07: where a second factor is required, the first one is added at the sign-in', async (t) => {
  const app = await startDeviceApp(t, { settings: { MFA: 'required' } })
  const phone = app.device()
  const account = { email: `${crypto.randomUUID()}@example.com`, password: PASSWORD }
  t.equal(await codeOf(phone.client.register(account)), 'mfa_required')
  t.match(await secondStep(phone.client), { methods: [], enroll: ['totp', 'passkey'] })
  const restarted = phone.restart()
  const { uri, secret, id } = await enrollTotpAtSignIn(restarted, { name: 'Phone' })
  t.match(uri, /^otpauth:\/\/totp\//)
  const { state, recoveryCodes } = await confirmTotpAtSignIn(restarted, { code: totpOf(app, secret) })
  t.match(state, { status: 'signed_in', user: { email: account.email } })
  t.equal(recoveryCodes.length, 10)
  t.match(await factors(restarted), { mfa: 'required', factors: [{ id, name: 'Phone' }], recovery_codes_left: 10 })
  t.equal(await codeOf(removeFactor(restarted, id)), 'last_factor')
})

t.test('the factors of the user, from the first to the last', async (t) => {
  const app = await startDeviceApp(t)
  const { client } = await app.signUp()
  t.match(await factors(client), { mfa: 'optional', factors: [], recovery_codes_left: 0 })
  const { id, secret, uri, expiresAt, recoveryCodes } = await enroll(app, client)
  t.equal(recoveryCodes.length, 10)
  t.ok(uri.includes(secret))
  t.ok(expiresAt > app.clock.now())
  // The factor raised the level of the session when it was added; later it has to be shown again.
  t.match(await renameFactor(client, id, 'My phone'), { id, name: 'My phone', type: 'totp' })
  app.clock.advance({ minutes: 16 })
  t.equal(await codeOf(renameFactor(client, id, 'Old phone')), 'insufficient_user_authentication')
  t.match(await reauthenticate(client, { code: totpOf(app, secret) }), { status: 'signed_in' })
  t.match(await renameFactor(client, id, 'Old phone'), { id, name: 'Old phone', type: 'totp' })
  const others = await newRecoveryCodes(client)
  t.equal(others.length, 10)
  t.notOk(others.some((code) => recoveryCodes.includes(code)))
  t.equal(await codeOf(reauthenticate(client, { recovery_code: recoveryCodes[0] ?? '' })), 'invalid_credentials')
  t.match(await reauthenticate(client, { recovery_code: others[0] ?? '' }), { status: 'signed_in' })
  t.match(await factors(client), { factors: [{ name: 'Old phone' }], recovery_codes_left: 9 })
  await removeFactor(client, id)
  t.match(await factors(client), { factors: [], recovery_codes_left: 0 })
})
