// Ways around the second factor: another way in, another token, another user's code.

import t, { type Test as Tap } from 'tap'
import { PASSWORD, type Answer } from '../support/api.js'
import type { StartOptions } from '../support/app.js'
import { createFactorCalls, type PendingBody } from '../support/factor-calls.js'
import { startMailApp } from '../support/flow-calls.js'
import { operationsOf, pathOf } from '../support/operations.js'

const newPassword = 'seven other hills under a lantern'

async function start(t: Tap, options: StartOptions = {}) {
  const started = await startMailApp(t, options)
  return { ...started, ...createFactorCalls(started) }
}

type Started = Awaited<ReturnType<typeof start>>

/** A way in for a person who has an address; `email` has an account unless the way makes one. */
type Way = (started: Started, email: string, mode: string) => Promise<Answer>

const withMail: Record<string, { settings?: Record<string, string>; makesAccount?: boolean; way: Way }> = {
  'the password': {
    way: ({ api }, email, mode) => api.login({ email, password: PASSWORD, mode }),
  },
  'the code of a mail': {
    way: async ({ requestCode, verifyCode, mailbox }, email) => {
      const { body } = await requestCode({ email, mode: 'json' })
      const { code } = await mailbox.receive(email)
      return verifyCode({ code, flow_token: body.flow_token })
    },
  },
  'the code of a mail that makes an account': {
    makesAccount: true,
    way: async ({ requestCode, verifyCode, mailbox }, email) => {
      const { body } = await requestCode({ email, mode: 'json', register: true })
      const { code } = await mailbox.receive(email)
      return verifyCode({ code, flow_token: body.flow_token })
    },
  },
  'a registration without a mail': {
    makesAccount: true,
    settings: { EMAIL_VERIFICATION: 'off' },
    way: ({ register }, email, mode) => register({ email, password: PASSWORD, mode }),
  },
  'a registration whose address is confirmed later': {
    makesAccount: true,
    settings: { EMAIL_VERIFICATION: 'later' },
    way: ({ register }, email, mode) => register({ email, password: PASSWORD, mode }),
  },
  'a registration whose address is confirmed first': {
    makesAccount: true,
    way: async ({ register, verifyEmail, mailbox }, email) => {
      const { body } = await register({ email, password: PASSWORD, mode: 'json' })
      const { code } = await mailbox.receive(email)
      return verifyEmail({ code, flow_token: body.flow_token })
    },
  },
  'an invitation': {
    makesAccount: true,
    way: async ({ app, mailbox, post }, email, mode) => {
      await app.operator.administration.invite({ email, roles: [], locale: null })
      const { token } = await mailbox.receive(email)
      return post('/v1/auth/accept-invitation', { token, password: PASSWORD, mode })
    },
  },
}

const modes = ['json', 'cookie', 'session']

function requirePending(t: Tap, answer: Answer, name: string): PendingBody {
  t.match(answer, { status: 401, body: { code: 'mfa_required' } }, name)
  t.strictSame(answer.setCookies, [], `${name}: no cookie`)
  t.notMatch(JSON.stringify(answer.body), /eyJ[\w-]+\.|"spr_|"spd_/, `${name}: no token`)
  return answer.body as PendingBody
}

for (const [name, { settings = {}, makesAccount = false, way }] of Object.entries(withMail)) {
  t.test(`MFA-07: with MFA=required, ${name} opens no session before a factor is enrolled`, async (t) => {
    const started = await start(t, { settings: { ...settings, MFA: 'required' } })
    for (const mode of modes) {
      const email = `${mode}@example.com`
      if (!makesAccount) await started.addVerified(email)
      const pending = requirePending(t, await way(started, email, mode), `${name} in mode ${mode}`)
      t.match(pending, { methods: [], enroll: ['totp', 'passkey'] })
      t.equal(await started.database.query((client) => client.refreshTokenFamily.count()), 0)
      t.match(await started.mfa({ mfa_token: pending.mfa_token, code: '123456' }), { status: 401 })
    }
  })
}

t.test(
  'MFA-07: a user with a factor is asked for it by every way in, also after a reset of the password',
  async (t) => {
    const started = await start(t)
    const { api, database, mailbox, post, requestCode, verifyCode, codeOf, mfa, clock } = started
    const id = await started.addVerified('ada@example.com')
    const login = await api.login({ email: 'ada@example.com', password: PASSWORD, mode: 'json' })
    const token = login.body.access_token
    const begun = await post<{ id: string; secret: string }>('/v1/me/factors/totp', {}, { token })
    const { secret } = begun.body
    await post(`/v1/me/factors/totp/${begun.body.id}/confirm`, { code: codeOf(secret) }, { token })
    clock.advance({ seconds: 30 })
    const families = () => database.query((client) => client.refreshTokenFamily.count({ where: { userId: id } }))
    const before = await families()

    const flow = await requestCode({ email: 'ada@example.com', mode: 'json' })
    const mail = await mailbox.receive('ada@example.com')
    const byMail = requirePending(t, await verifyCode({ code: mail.code, flow_token: flow.body.flow_token }), 'a mail')
    t.strictSame(byMail.methods, ['totp', 'recovery_code'])

    const reset = await post<{ flow_token: string }>('/v1/auth/forgot-password', {
      email: 'ada@example.com',
      mode: 'json',
    })
    const { code } = await mailbox.receive('ada@example.com')
    const done = await post('/v1/auth/reset-password', {
      ...{ code, flow_token: reset.body.flow_token, new_password: newPassword },
    })
    t.match(done, { status: 204 })
    t.strictSame(done.setCookies, [])
    t.match(await mfa({ mfa_token: byMail.mfa_token, code: codeOf(secret) }), { status: 401 }, 'begun before the reset')
    const afterReset = await api.login({ email: 'ada@example.com', password: newPassword, mode: 'json' })
    const pending = requirePending(t, afterReset, 'the new password')
    t.equal(await families(), before)
    t.match(await mfa({ mfa_token: pending.mfa_token, code: codeOf(secret) }), { status: 200 })
  },
)

t.test('MFA-07: a refresh asks for no factor, and gives no more than the session has', async (t) => {
  const started = await start(t, { settings: { EMAIL_VERIFICATION: 'off' } })
  const { api } = started
  const user = await api.signUp()
  const refreshed = await api.refresh(user.refreshToken)
  t.match(refreshed, { status: 200 })
  t.match((await api.whoami(refreshed.body.access_token)).body, { acr: 'aal1' })
})

const ownOperations = [
  ...['showSecondFactor', 'getSecondFactorOptions', 'enrollTotpAtSignIn', 'confirmTotpAtSignIn'],
  ...['getPasskeyOptionsAtSignIn', 'enrollPasskeyAtSignIn'],
]

t.test('MFA-06: the token of a pending sign-in opens no other route', async (t) => {
  const started = await start(t, { settings: { EMAIL_VERIFICATION: 'off' } })
  const { app, api, config, signUpWithTotp, firstStep, post } = started
  const headers = { origin: config.server.publicUrl }
  const user = await signUpWithTotp()
  const { mfa_token: token } = await firstStep(user)
  const guarded = operationsOf(app.server).filter(({ security }) => security.some((way) => way.includes('accessToken')))
  t.ok(guarded.length > 20)
  for (const operation of guarded) {
    const { id, method, body, security } = operation
    if (security.some((way) => way.length === 0)) continue
    const call = { method, ...(body && { body: body.example }) }
    t.match(await api.call(pathOf(operation), { ...call, token }), { status: 401, body: { code: 'token_invalid' } }, id)
    const cookies = { sallyport_at: token, sallyport_rt: token }
    t.match(await api.call(pathOf(operation), { ...call, cookies, headers }), { status: 401 }, `${id}, as a cookie`)
  }
  const refused: [string, object, string][] = [
    ['/v1/auth/refresh', { refresh_token: token }, 'refresh_token_invalid'],
    ['/v1/auth/resend', { flow_token: token }, 'flow_invalid'],
    ['/v1/auth/verify-email', { code: '12345678', flow_token: token }, 'flow_invalid'],
    ['/v1/auth/verify-email', { token }, 'flow_invalid'],
    ['/v1/auth/otp/verify', { code: '12345678', flow_token: token }, 'flow_invalid'],
    ['/v1/auth/otp/verify', { token }, 'flow_invalid'],
    ['/v1/auth/reset-password', { code: '12345678', flow_token: token, new_password: newPassword }, 'flow_invalid'],
    ['/v1/auth/reset-password', { token, new_password: newPassword }, 'flow_invalid'],
    ['/v1/auth/accept-invitation', { token, password: newPassword }, 'flow_invalid'],
    ['/v1/auth/not-me', { token, confirm: '1234', mode: 'json' }, 'flow_invalid'],
    ['/v1/auth/undo-email-change', { token, confirm: '1234', mode: 'json' }, 'flow_invalid'],
    ['/v1/auth/stop-factors-reset', { token, confirm: '1234' }, 'flow_invalid'],
  ]
  for (const [path, body, code] of refused) {
    t.match(await post(path, body), { status: 401, body: { code } }, `${path} ${Object.keys(body).join()}`)
    const inCookie = await post(path, { ...body, flow_token: undefined }, { cookies: { sallyport_flow: token } })
    t.ok(inCookie.status >= 400, `${path} with the flow's cookie`)
  }
  t.match(await post('/v1/auth/logout', { refresh_token: token }, { token }), { status: 204 })
  t.match(await api.refresh(user.refreshToken), { status: 200 }, 'nothing has ended')
})

t.test('TOK-15: no other token opens the second step of a sign-in', async (t) => {
  const started = await start(t)
  const { app, api, addVerified, codeOf, mailbox, post, requestCode } = started
  await addVerified('ada@example.com')
  const login = await api.login({ email: 'ada@example.com', password: PASSWORD, mode: 'json' })
  const flow = await requestCode({ email: 'ada@example.com', mode: 'json' })
  const mail = await mailbox.receive('ada@example.com')
  const { access_token, refresh_token, device_token } = login.body
  const begun = await post<{ secret: string }>('/v1/me/factors/totp', {}, { token: access_token })
  const tokens = [access_token, refresh_token, device_token, flow.body.flow_token, mail.token, 'spf_x', 'x']
  const own = operationsOf(app.server).filter(({ id }) => ownOperations.includes(id))
  t.equal(own.length, ownOperations.length)
  for (const operation of own) {
    for (const mfa_token of tokens) {
      const body = { ...(operation.body?.example as object), mfa_token }
      const withCode = 'code' in body ? { ...body, code: codeOf(begun.body.secret) } : body
      const answer = await post(pathOf(operation), withCode)
      t.match(answer, { status: 401, body: { code: 'flow_invalid', reason: 'expired' } }, operation.id)
      t.strictSame(answer.setCookies, [])
    }
  }
})

t.test('MFA-05: the factor of another user completes no sign-in', async (t) => {
  const { codeOf, signUpWithTotp, firstStep, mfa, post } = await start(t, { settings: { EMAIL_VERIFICATION: 'off' } })
  const [ada, bob] = [await signUpWithTotp(), await signUpWithTotp()]
  const { mfa_token } = await firstStep(ada)
  t.match(await mfa({ mfa_token, code: codeOf(bob.secret) }), { status: 401 })
  t.match(await mfa({ mfa_token, recovery_code: bob.recoveryCodes[0] }), { status: 401 })
  const enroll = await post('/v1/auth/mfa/enroll/totp', { mfa_token })
  t.match(enroll, { status: 401, body: { code: 'flow_invalid' } }, 'a user with a factor enrolls no other one here')
})
