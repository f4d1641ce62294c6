// Devices that a user trusts to sign in without a second factor (MFA_TRUST_DAYS).

import { decodeJwt } from 'jose'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp, type StartOptions, type Test } from '../support/app.js'
import { createFactorCalls, type Enrolled } from '../support/factor-calls.js'

async function start(t: Test, options: StartOptions = {}) {
  const started = await startApp(t, { settings: { MFA_TRUST_DAYS: '30' }, ...options })
  const calls = createFactorCalls(started)
  const { api, clock } = started

  /** Signs in with both factors and trusts the device; its token, and the session's access token. */
  async function trust(user: Enrolled, device?: string) {
    const pending = await calls.firstStep(user, { device_token: device })
    const body = {
      mfa_token: pending.mfa_token,
      code: calls.codeOf(user.secret),
      trust_device: true,
      device_token: device,
    }
    const answer = await calls.mfa(body)
    clock.advance({ seconds: 30 })
    return { device: answer.body.device_token ?? '', token: answer.body.access_token ?? '' }
  }
  const login = (user: Enrolled, device: string, password = PASSWORD) =>
    api.login({ email: user.email, password, mode: 'json', device_token: device })
  return { ...started, ...calls, trust, login }
}

const pending = { status: 401, body: { code: 'mfa_required' } }

t.test('MFA_TRUST_DAYS: a trusted device signs in with the password alone, and does not lie about it', async (t) => {
  const { api, clock, trust, login, signUpWithTotp, post } = await start(t)
  const user = await signUpWithTotp()
  const { device } = await trust(user)
  const answer = await login(user, device)
  t.match(answer, { status: 200 })
  t.match(decodeJwt(answer.body.access_token ?? ''), { acr: 'aal1', amr: ['pwd'] })
  const stepUp = await post('/v1/me/recovery-codes', {}, { token: answer.body.access_token })
  t.match(stepUp, { status: 401, body: { code: 'insufficient_user_authentication' } })
  t.match(await api.login({ email: user.email, password: PASSWORD, mode: 'json' }), pending, 'another device')
  clock.advance({ days: 29 })
  const later = await login(user, device)
  t.match(later, { status: 200 })
  clock.advance({ days: 2 })
  t.match(await login(user, later.body.device_token ?? ''), pending, 'a sign-in does not prolong the trust')
})

t.test('MFA_TRUST_DAYS: the mark is for one account, and the cookie carries it in the cookie modes', async (t) => {
  const { browser, codeOf, trust, login, signUpWithTotp } = await start(t)
  const [ada, bob] = [await signUpWithTotp(), await signUpWithTotp()]
  const { device } = await trust(ada)
  t.match(await login(bob, device), pending)
  const shared = await trust(bob, device)
  t.match(await login(ada, shared.device), { status: 200 }, 'a device can be trusted by two')
  t.match(await login(bob, shared.device), { status: 200 })

  const page = browser()
  const call = (path: string, body: object) => page.call<{ mfa_token: string }>(path, { method: 'POST', body })
  const first = await call('/v1/auth/login', { email: ada.email, password: PASSWORD, mode: 'session' })
  const second = await call('/v1/auth/mfa', {
    ...{ mfa_token: first.body.mfa_token, code: codeOf(ada.secret), trust_device: true },
  })
  t.match(second, { status: 200, body: { session: { mode: 'session' } } })
  t.match(await call('/v1/auth/login', { email: ada.email, password: PASSWORD, mode: 'cookie' }), { status: 200 })
})

t.test('MFA_TRUST_DAYS: the trust ends with any change of a credential, logout-all and a reset', async (t) => {
  const { app, api, clock, codeOf, trust, login, post, signUpWithTotp } = await start(t)
  const { administration } = app.operator
  const newPassword = 'another lantern over seven hills'
  const ways: Record<string, (user: Enrolled, token: string) => Promise<unknown>> = {
    'a new password': (_user, token) =>
      api.call('/v1/me/password', {
        ...{ method: 'PUT', token, body: { current_password: PASSWORD, new_password: newPassword } },
      }),
    'a reset by the operator': (user) => administration.setPassword(user.email, newPassword),
    'logout-all': (_user, token) => post('/v1/auth/logout-all', {}, { token }),
    'a logout by the operator': (user) => administration.endSessions(user.email),
    'another factor': async (_user, token) => {
      const begun = await post<{ id: string; secret: string }>('/v1/me/factors/totp', {}, { token })
      const code = codeOf(begun.body.secret)
      return post(`/v1/me/factors/totp/${begun.body.id}/confirm`, { code }, { token })
    },
  }
  for (const [name, end] of Object.entries(ways)) {
    const user = await signUpWithTotp()
    const { device, token } = await trust(user)
    t.match(await login(user, device), { status: 200 }, name)
    await end(user, token)
    const isChanged = name.includes('password') || name.includes('reset')
    t.match(await login(user, device, isChanged ? newPassword : PASSWORD), pending, name)
    clock.advance({ seconds: 30 })
  }
})

t.test('MFA_TRUST_DAYS: 0 trusts no device, and ends the trust of before', async (t) => {
  const { clock, database, trust, signUpWithTotp } = await start(t)
  const user = await signUpWithTotp()
  const { device } = await trust(user)
  const credentials = { email: user.email, password: PASSWORD, mode: 'json', device_token: device }
  for (const days of ['0', '7']) {
    const other = await startApp(t, { clock, database, join: true, settings: { MFA_TRUST_DAYS: days } })
    t.match(await other.api.login(credentials), pending, `${days} days`)
  }
})

t.test('MFA_TRUST_DAYS: a forged or moved mark trusts no device', async (t) => {
  const { trust, login, signUpWithTotp } = await start(t)
  const user = await signUpWithTotp()
  const { device } = await trust(user)
  const bytes = Buffer.from(device.slice('spd_'.length), 'base64url')
  // The trust mark is the second one: 16 bytes of the id, and 29 of the first mark.
  for (let byte = 45; byte < 74; byte += 1) {
    const forged = Buffer.from(bytes)
    forged.writeUInt8(forged.readUInt8(byte) ^ 1, byte)
    t.match(await login(user, `spd_${forged.toString('base64url')}`), pending, `byte ${byte}`)
  }
  const known = Buffer.concat([bytes.subarray(0, 16), bytes.subarray(16, 45), bytes.subarray(16, 45)])
  t.match(await login(user, `spd_${known.toString('base64url')}`), pending, 'a known device is not a trusted one')
})
