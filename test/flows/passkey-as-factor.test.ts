// A passkey as the second factor of a sign-in, and as the first one that a sign-in enrolls.

import { decodeJwt } from 'jose'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import type { CreationOptions, RequestOptions } from '../support/authenticator.js'
import { createFactorCalls, wrongTotp, type MfaBody } from '../support/factor-calls.js'
import { startPasskeyApp } from '../support/passkey-calls.js'

t.test('MFA-01: after a password, the presence of a passkey suffices, and each challenge counts once', async (t) => {
  const app = await startPasskeyApp(t)
  const { api } = app
  const { firstStep, mfa, post } = createFactorCalls(app)
  const user = await api.signUp()
  const { holder } = await app.enroll(user)
  const { mfa_token, methods } = await firstStep(user)
  t.strictSame(methods, ['passkey', 'recovery_code'])
  const optionsOf = async (token: string) =>
    (await post<{ options: RequestOptions }>('/v1/auth/mfa/options', { mfa_token: token })).body.options
  const options = await optionsOf(mfa_token)
  t.match(options, { userVerification: 'preferred', allowCredentials: [{ id: holder.id }] })
  const credential = holder.get(options, { userVerified: false })
  const signedIn = await mfa({ mfa_token, credential })
  t.match(signedIn, { status: 200 })
  t.match(decodeJwt(signedIn.body.access_token ?? ''), { acr: 'aal2', amr: ['pwd', 'hwk', 'mfa'] })
  const again = await firstStep(user)
  const spent = await mfa({ mfa_token: again.mfa_token, credential })
  t.match(spent, { status: 401, body: { code: 'flow_invalid', reason: 'wrong_code' } })
  const verified = await mfa({ mfa_token: again.mfa_token, credential: holder.get(await optionsOf(again.mfa_token)) })
  t.match(decodeJwt(verified.body.access_token ?? ''), { acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] })
})

t.test('MFA-10: a challenge of another user, of a login or of a registration is no second factor', async (t) => {
  const app = await startPasskeyApp(t)
  const { api } = app
  const { firstStep, mfa, post } = createFactorCalls(app)
  const [ada, bob] = [await api.signUp(), await api.signUp()]
  const [adas, bobs] = [await app.enroll(ada), await app.enroll(bob)]
  const pending = await firstStep(ada)
  const { mfa_token } = pending
  const own = await post<{ options: RequestOptions }>('/v1/auth/mfa/options', { mfa_token })
  const bobsToken = (await firstStep(bob)).mfa_token
  const foreign = await post<{ options: RequestOptions }>('/v1/auth/mfa/options', { mfa_token: bobsToken })
  const refused = { status: 401, body: { code: 'flow_invalid', reason: 'wrong_code' } }
  t.match(await mfa({ mfa_token, credential: bobs.holder.get(own.body.options) }), refused, 'of another user')
  t.match(await mfa({ mfa_token, credential: adas.holder.get(foreign.body.options) }), refused, 'for another user')
  t.match(await mfa({ mfa_token, credential: adas.holder.get(await app.requestOptions()) }), refused, 'of a login')
  const forged = adas.holder.get(own.body.options, { forged: true })
  t.match(await mfa({ mfa_token, credential: forged }), refused, 'forged')
  t.match(await mfa({ mfa_token, credential: adas.holder.get(own.body.options) }), { status: 200 })
})

t.test('MFA-05: a passkey works while codes are limited, and forgives the wrong ones', async (t) => {
  const app = await startPasskeyApp(t)
  const calls = createFactorCalls(app)
  const { codeOf, firstStep, mfa, post } = calls
  const user = await calls.signUpWithTotp()
  const accessToken = await calls.signInTwice(user)
  const made = app.authenticator.create(await app.creationOptions(accessToken))
  t.match(await app.add(accessToken, { credential: made.credential }), { status: 201 })
  for (let flow = 0; flow < 2; flow += 1) {
    const { mfa_token } = await firstStep(user)
    for (let count = 0; count < 5; count += 1) await mfa({ mfa_token, code: wrongTotp(codeOf(user.secret)) })
  }
  const { mfa_token } = await firstStep(user)
  t.match(await mfa({ mfa_token, code: codeOf(user.secret) }), { status: 429 })
  const { body } = await post<{ options: RequestOptions }>('/v1/auth/mfa/options', { mfa_token })
  t.match(await mfa({ mfa_token, credential: made.holder.get(body.options) }), { status: 200 })
  app.clock.advance({ seconds: 30 })
  const later = await firstStep(user)
  t.match(await mfa({ mfa_token: later.mfa_token, code: codeOf(user.secret) }), { status: 200 })
})

t.test('MFA=required: a first passkey is enrolled at the sign-in, and completes it', async (t) => {
  const app = await startPasskeyApp(t, { settings: { MFA: 'required', EMAIL_VERIFICATION: 'off' } })
  const { post } = createFactorCalls(app)
  const email = 'ada@example.com'
  const registered = await app.api.register({ email, password: PASSWORD, mode: 'json' })
  t.match(registered, { status: 401, body: { enroll: ['totp', 'passkey'] } })
  const { mfa_token } = registered.body as unknown as { mfa_token: string }
  const options = await post<{ options: CreationOptions }>('/v1/auth/mfa/enroll/passkey/options', { mfa_token })
  const made = app.authenticator.create(options.body.options)
  const unverified = app.authenticator.create(options.body.options, { userVerified: false })
  const enroll = (credential: unknown) => post<MfaBody>('/v1/auth/mfa/enroll/passkey', { mfa_token, credential })
  t.match(await enroll(unverified.credential), { status: 422, body: { code: 'validation_failed' } })
  const done = await enroll(made.credential)
  t.match(done, { status: 200, body: { user: { email } } })
  t.equal(done.body.recovery_codes?.length, 10)
  t.match(decodeJwt(done.body.access_token ?? ''), { acr: 'phr' })
  t.match(await enroll(made.credential), { status: 401, body: { code: 'flow_invalid' } })
  const list = await app.api.call('/v1/me/factors', { token: done.body.access_token })
  t.match(list, { body: { mfa: 'required', factors: [{ type: 'passkey' }], recovery_codes_left: 10 } })
})
