// Routes that ask for a recent authentication, and the ways to provide it.

import { decodeJwt } from 'jose'
import t, { type Test as Tap } from 'tap'
import { PASSWORD, type SignedUp, type TokenBody } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import type { RequestOptions } from '../support/authenticator.js'
import { signUpAs, type Authenticated } from '../support/authenticated.js'
import { parseChallenge } from '../support/challenge.js'
import { createFactorCalls, wrongTotp, type MfaBody, type TotpBody } from '../support/factor-calls.js'
import { operationsOf, pathOf, type Operation } from '../support/operations.js'
import { startPasskeyApp } from '../support/passkey-calls.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

/** What a route asks for. */
type Rule = 'factors' | 'address' | 'password' | 'deletion'

/** Every route with a step-up: a new one has to be added here. */
const ruleOf: Record<string, Rule> = {
  getPasskeyCreationOptions: 'factors',
  addPasskey: 'factors',
  removePassword: 'address',
  linkIdentity: 'address',
  unlinkIdentity: 'address',
  changeEmail: 'address',
  changePassword: 'password',
  deleteMe: 'deletion',
  deleteMeByPost: 'deletion',
  addTotp: 'factors',
  renameFactor: 'factors',
  removeFactor: 'factors',
  replaceRecoveryCodes: 'factors',
}

/** The levels and the methods that a refusal names; `passes` is whatever the route does next. */
type Expected = 'passes' | { levels?: string[]; methods: string[] }

const OLD = 15 * 60 + 1
const totp = { factors: ['totp' as const] }
const both = { factors: ['passkey' as const, 'totp' as const] }
const keyOnly = { factors: ['passkey' as const], hasPassword: false }
const withCode = { amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' as const }
const withRecovery = { amr: ['pwd', 'rec', 'mfa'], acr: 'aal2' as const }
const withPasskey = { amr: ['swk', 'user'], acr: 'phr' as const }

const passes = 'passes'
const password = { methods: ['password'] }
const second = { levels: ['aal2'], methods: ['totp', 'recovery_code'] }
/** Of a session that a passkey began, in which a TOTP code would be the only factor. */
const phrOrRecovery = { levels: ['phr'], methods: ['passkey', 'recovery_code'] }
const phr = { levels: ['phr'], methods: ['passkey'] }
const none = { methods: [] }

const table: [string, Authenticated, Record<Rule, Expected>][] = [
  ['no factor, fresh password', {}, all(passes)],
  ['no factor, old password', { agoSeconds: OLD }, { ...all(password), password: passes, deletion: passes }],
  ['no password, fresh sign-in elsewhere', { hasPassword: false, amr: ['fed'] }, all(passes)],
  ['no password, old sign-in elsewhere', { hasPassword: false, amr: ['fed'], agoSeconds: OLD }, all(none)],
  ['no password, fresh mailed code', { hasPassword: false, amr: ['email'] }, all(passes)],
  ['no password, old mailed code', { hasPassword: false, amr: ['email'], agoSeconds: OLD }, all(none)],
  ['TOTP, fresh password', totp, { ...all(second), deletion: passes }],
  ['TOTP, old password', { ...totp, agoSeconds: OLD }, { ...all(second), deletion: passes }],
  ['TOTP, fresh code', { ...totp, ...withCode }, all(passes)],
  ['TOTP, old code', { ...totp, ...withCode, agoSeconds: OLD }, { ...all(second), deletion: passes }],
  ['TOTP, fresh recovery code', { ...totp, ...withRecovery }, all(passes)],
  ['TOTP, old recovery code', { ...totp, ...withRecovery, agoSeconds: OLD }, { ...all(second), deletion: passes }],
  ['passkey and TOTP, fresh password', both, { ...all(phr), factors: phrOrRecovery, deletion: passes }],
  ['passkey and TOTP, fresh code', { ...both, ...withCode }, { ...all(phr), factors: phrOrRecovery, deletion: passes }],
  ['passkey and TOTP, fresh passkey', { ...both, ...withPasskey }, all(passes)],
  [
    'passkey and TOTP, fresh recovery code',
    { ...both, ...withRecovery },
    { factors: passes, address: phr, password: phr, deletion: passes },
  ],
  ['passkey and no password, fresh', { ...keyOnly, ...withPasskey }, all(passes)],
  [
    'passkey and no password, old',
    { ...keyOnly, ...withPasskey, agoSeconds: OLD },
    { ...all(phr), factors: phrOrRecovery },
  ],
]

function all(expected: Expected): Record<Rule, Expected> {
  return { factors: expected, address: expected, password: expected, deletion: expected }
}

const authenticate = (app: TestApp, token: string | undefined, body: object) =>
  app.api.call<MfaBody>('/v1/auth/reauthenticate', { method: 'POST', token, body })

const changeAddress = ({ api }: TestApp, token: string | undefined) =>
  api.call('/v1/me/email', { method: 'POST', token, body: { email: 'ada.king@example.com', mode: 'json' } })

const refused = { status: 401, body: { code: 'insufficient_user_authentication' } }

t.test('TOK-17, MFA-09, MFA-11: the step-up table, for every route that has one', async (t) => {
  const app = await startApp(t, { settings: { RATE_LIMIT: 'off' } })
  const operations = operationsOf(app.app.server).filter(
    ({ id, problems }) => problems.includes('insufficient_user_authentication') && id !== 'reauthenticate',
  )
  t.strictSame(operations.map(({ id }) => id).sort(), Object.keys(ruleOf).sort())
  for (const [name, authenticated, expected] of table) {
    for (const operation of operations) {
      const user = await signUpAs(app, authenticated)
      const rule = ruleOf[operation.id] ?? 'factors'
      const answer = await send(app, operation, user)
      const about = `${name}: ${operation.id}`
      if (expected[rule] === passes) t.not(answer.body.code, 'insufficient_user_authentication', about)
      else checkRefusal(t, answer, expected[rule], about)
    }
  }
})

function send({ api }: TestApp, operation: Operation, { accessToken: token }: SignedUp) {
  const { method, body } = operation
  return api.call<Record<string, unknown>>(pathOf(operation), { method, token, ...(body && { body: body.example }) })
}

type Refusal = { status: number; headers: Record<string, unknown>; body: Record<string, unknown> }

/** In the body and, by RFC 9470, in the header. */
function checkRefusal(t: Tap, answer: Refusal, { levels, methods }: Exclude<Expected, string>, about: string): void {
  t.match(answer, refused, about)
  const { acr_values, max_age, methods: offered } = answer.body
  t.strictSame({ acr_values, max_age, offered }, { acr_values: levels, max_age: 900, offered: methods }, about)
  const { scheme, parameters } = parseChallenge(answer.headers['www-authenticate'])
  t.equal(scheme, 'Bearer')
  t.strictSame(Object.fromEntries(parameters), {
    realm: 'sallyport',
    error: 'insufficient_user_authentication',
    ...(levels && { acr_values: levels.join(' ') }),
    max_age: '900',
  })
}

t.test('with MFA=off no factor is asked for, and a password renews', async (t) => {
  const app = await startApp(t, { settings: { MFA: 'off' } })
  const user = await signUpAs(app, { ...both, agoSeconds: OLD })
  t.match(await changeAddress(app, user.accessToken), {
    ...refused,
    body: { methods: ['password', 'passkey', 'totp', 'recovery_code'] },
  })
  const { body } = await authenticate(app, user.accessToken, { password: PASSWORD })
  t.match(await changeAddress(app, body.access_token), { status: 202 })
})

t.test('TOK-17: the password renews the authentication; it ends after max_age, and a refresh keeps it', async (t) => {
  const app = await startApp(t)
  const { api, clock, database } = app
  const user = await api.signUp()
  clock.advance({ seconds: OLD })
  const { body: refreshed } = await api.refresh(user.refreshToken)
  t.match(await changeAddress(app, refreshed.access_token), refused)

  const answer = await authenticate(app, refreshed.access_token, { password: PASSWORD })
  t.match(answer, { status: 200, setCookies: [], body: { session: { id: user.sessionId }, token_type: 'Bearer' } })
  t.notOk('refresh_token' in answer.body, 'nothing is rotated')
  const { auth_time: authTime, amr, acr, sid } = decodeJwt(answer.body.access_token ?? '')
  t.strictSame({ amr, acr, sid }, { amr: ['pwd'], acr: 'aal1', sid: user.sessionId })
  t.equal(authTime, Math.floor((await readFamily(database, user.sessionId)).authenticatedAt.getTime() / 1000))
  t.match(await changeAddress(app, answer.body.access_token), { status: 202 })
  t.match(await changeAddress(app, refreshed.access_token), refused, 'the token of before says what it said')

  clock.advance({ seconds: 600 })
  const kept = await api.refresh(refreshed.refresh_token)
  t.equal(decodeJwt(kept.body.access_token ?? '').auth_time, authTime)
  t.match(await changeAddress(app, kept.body.access_token), { status: 202 })
  clock.advance({ seconds: 301 })
  const { body: late } = await api.refresh(kept.body.refresh_token)
  t.match(await changeAddress(app, late.access_token), refused)
  t.match(await readAuditTrail(database, user.sessionId), [
    'user_registered',
    'reauthenticated',
    'email_change_requested',
  ])
})

t.test('a wrong password renews nothing, and counts with those of the other routes that ask for one', async (t) => {
  const app = await startApp(t)
  const { accessToken, sessionId } = await signUpAs(app, { agoSeconds: OLD })
  const wrong = { password: 'not the password of this user' }
  for (let count = 0; count < 9; count += 1) {
    t.match(await authenticate(app, accessToken, wrong), { status: 401, body: { code: 'invalid_credentials' } })
  }
  const body = { current_password: wrong.password, new_password: 'violet otters juggle paper lanterns' }
  await app.api.call('/v1/me/password', { method: 'PUT', token: accessToken, body })
  t.match(await authenticate(app, accessToken, { password: PASSWORD }), { status: 429, body: { code: 'rate_limited' } })
  t.notOk((await readAuditTrail(app.database, sessionId)).includes('reauthenticated'))
})

t.test('for users with a factor the password alone does not renew', async (t) => {
  const app = await startApp(t)
  const user = await signUpAs(app, { ...totp, ...withCode, agoSeconds: OLD })
  const answer = await authenticate(app, user.accessToken, { password: PASSWORD })
  t.match(answer, { ...refused, body: { acr_values: ['aal2'], methods: ['totp', 'recovery_code'] } })
  t.strictSame((await readFamily(app.database, user.sessionId)).amr, withCode.amr)
})

t.test('a level that was shown earlier but not now is gone', async (t) => {
  const app = await startApp(t)
  const user = await signUpAs(app, { ...withPasskey, agoSeconds: OLD })
  const { body } = await authenticate(app, user.accessToken, { password: PASSWORD })
  t.match(decodeJwt(body.access_token ?? ''), { amr: ['pwd'], acr: 'aal1' })
  const mailed = await signUpAs(app, { amr: ['email'], agoSeconds: OLD })
  const { body: two } = await authenticate(app, mailed.accessToken, { password: PASSWORD })
  t.match(decodeJwt(two.access_token ?? ''), { amr: ['email', 'pwd'], acr: 'aal1' }, 'neither is a second factor')
})

t.test('a stale token is renewed, one of a session that has ended is not', async (t) => {
  const app = await startApp(t)
  const { api } = app
  const user = await api.signUp()
  const next = 'violet otters juggle paper lanterns'
  const body = { current_password: PASSWORD, new_password: next }
  t.match(await api.call('/v1/me/password', { method: 'PUT', token: user.accessToken, body }), { status: 204 })
  t.match(await api.whoami(user.accessToken), { status: 401, body: { code: 'token_stale' } })
  const answer = await authenticate(app, user.accessToken, { password: next })
  t.match(await api.whoami(answer.body.access_token), { status: 200 })

  await api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken })
  const ended = { status: 401, body: { code: 'session_ended' } }
  t.match(await authenticate(app, answer.body.access_token, { password: next }), ended)
  t.match(await authenticate(app, user.accessToken, { password: next }), ended, 'nor a stale one')
})

t.test('MFA-01: a TOTP code and a recovery code renew the authentication, each once', async (t) => {
  const app = await startApp(t)
  const { api, clock, database } = app
  const calls = createFactorCalls(app)
  const user = await calls.signUpWithTotp()
  clock.advance({ minutes: 16 })
  const { body: aged } = await api.refresh(user.refreshToken)
  t.match(await changeAddress(app, aged.access_token), { ...refused, body: { acr_values: ['aal2'] } })

  const code = calls.codeOf(user.secret)
  const answers = await Promise.all([1, 2, 3, 4].map(() => authenticate(app, aged.access_token, { code })))
  t.strictSame(answers.map(({ status }) => status).sort(), [200, 401, 401, 401], 'in parallel, one of them counts')
  const elevated = answers.find(({ status }) => status === 200)?.body.access_token
  t.match(decodeJwt(elevated ?? ''), { amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' })
  t.match(await changeAddress(app, elevated), { status: 202 })
  t.match(await authenticate(app, elevated, { code }), { status: 401, body: { code: 'invalid_credentials' } })
  const { mfa_token } = await calls.firstStep(user)
  t.match(await calls.mfa({ mfa_token, code }), { body: { reason: 'wrong_code' } }, 'nor at a sign-in')
  const { body: kept } = await api.refresh(aged.refresh_token)
  t.match(decodeJwt(kept.access_token ?? ''), { amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' }, 'a refresh keeps it')

  clock.advance({ minutes: 16 })
  const { body: late } = await api.refresh(kept.refresh_token)
  t.match(await changeAddress(app, late.access_token), refused)
  const [recoveryCode] = user.recoveryCodes
  const recovered = await authenticate(app, late.access_token, { recovery_code: recoveryCode })
  t.match(decodeJwt(recovered.body.access_token ?? ''), { amr: ['pwd', 'rec', 'mfa'], acr: 'aal2' })
  t.match(await changeAddress(app, recovered.body.access_token), { status: 202 })
  t.match(await authenticate(app, late.access_token, { recovery_code: recoveryCode }), { status: 401 })
  const notices = await database.query((client) => client.mail.count({ where: { kind: 'recovery_code_used' } }))
  t.equal(notices, 1, 'the user is told')
  const events = await readAuditTrail(database, user.sessionId)
  t.equal(events.filter((event) => event === 'reauthenticated').length, 2)
  t.ok(events.includes('second_factor_failed'))
})

t.test('MFA-05: wrong codes count together with those of the second step', async (t) => {
  const app = await startApp(t)
  const calls = createFactorCalls(app)
  const user = await calls.signUpWithTotp()
  const code = wrongTotp(calls.codeOf(user.secret))
  for (let count = 0; count < 5; count += 1) {
    t.match(await authenticate(app, user.accessToken, { code }), { status: 401, body: { code: 'invalid_credentials' } })
  }
  const { mfa_token } = await calls.firstStep(user)
  for (let count = 0; count < 5; count += 1) t.match(await calls.mfa({ mfa_token, code }), { status: 401 })
  const right = calls.codeOf(user.secret)
  t.match(await authenticate(app, user.accessToken, { code: right }), { status: 429, body: { code: 'rate_limited' } })
})

t.test('the last recovery codes come with a warning', async (t) => {
  const app = await startApp(t)
  const user = await createFactorCalls(app).signUpWithTotp()
  const warnings: unknown[] = []
  for (const code of user.recoveryCodes.slice(0, 7)) {
    warnings.push((await authenticate(app, user.accessToken, { recovery_code: code })).body.warnings)
  }
  t.strictSame(warnings, [...Array<undefined>(6).fill(undefined), ['recovery_codes_low']])
})

t.test('MFA-09, MFA-10: a passkey renews with the highest level, a code does not', async (t) => {
  const app = await startPasskeyApp(t)
  const { api, clock } = app
  const user = await api.signUp()
  const { holder, passkey, refreshToken: enrolled } = await app.enroll(user)
  clock.advance({ minutes: 16 })
  const { access_token: accessToken, refresh_token: refreshToken } = (await api.refresh(enrolled)).body
  const options = async (token: string | undefined) => {
    const path = '/v1/auth/reauthenticate/options'
    return (await api.call<{ options: RequestOptions }>(path, { method: 'POST', token })).body.options
  }
  const remove = (token: string | undefined) => api.call(`/v1/me/factors/${passkey.id}`, { method: 'DELETE', token })
  t.match(await remove(accessToken), {
    ...refused,
    body: { acr_values: ['phr'], methods: ['passkey', 'recovery_code'] },
  })

  const asked = await options(accessToken)
  t.match(asked, { userVerification: 'required', allowCredentials: [{ id: String }] })
  const credential = holder.get(asked)
  const shown = await authenticate(app, accessToken, { credential })
  t.match(decodeJwt(shown.body.access_token ?? ''), { amr: ['pwd', /^[hs]wk$/, 'user', 'mfa'], acr: 'phr' })
  const wrong = { status: 401, body: { code: 'invalid_credentials' } }
  t.match(await authenticate(app, accessToken, { credential }), wrong, 'its challenge is spent')
  const unverified = holder.get(await options(accessToken), { userVerified: false })
  t.match(await authenticate(app, accessToken, { credential: unverified }), wrong)
  const forSignIn = holder.get(await app.requestOptions())
  t.match(await authenticate(app, accessToken, { credential: forSignIn }), wrong, 'a challenge is for one purpose')
  const other = await app.enroll(await api.signUp())
  const ofOther = other.holder.get(await options(accessToken))
  t.match(await authenticate(app, accessToken, { credential: ofOther }), wrong, "another user's passkey")

  clock.advance({ minutes: 16 })
  const { body: old } = await api.refresh(refreshToken)
  t.match(await remove(old.access_token), refused)
  const again = holder.get(await options(old.access_token))
  const renewed = await authenticate(app, old.access_token, { credential: again })
  t.match(await remove(renewed.body.access_token), { status: 204 })
})

t.test('MFA-09: a factor that was just added and shown raises the level of its session, and lowers none', async (t) => {
  const app = await startPasskeyApp(t)
  const { api, clock } = app
  const calls = createFactorCalls(app)
  const claimsOf = async (token: string | undefined) => {
    const { body } = await api.refresh(token)
    const { amr, acr, auth_time } = decodeJwt(body.access_token ?? '')
    return { ...body, claims: { amr, acr, auth_time } }
  }
  const addTotp = async (token: string | undefined) => {
    const { body } = await calls.post<TotpBody>('/v1/me/factors/totp', {}, { token })
    const confirm = (code: string) => calls.post(`/v1/me/factors/totp/${body.id}/confirm`, { code }, { token })
    return { confirm, code: calls.codeOf(body.secret) }
  }
  const user = await api.signUp()
  clock.advance({ minutes: 5 })
  const begun = await addTotp(user.accessToken)
  t.match(await begun.confirm(wrongTotp(begun.code)), { status: 401, body: { code: 'invalid_credentials' } })
  const { access_token: token, ...still } = await claimsOf(user.refreshToken)
  t.match(still.claims, { amr: ['pwd'], acr: 'aal1' }, 'a wrong code raises nothing')
  t.match(await begun.confirm(begun.code), { status: 200 })
  const raised = await claimsOf(still.refresh_token)
  const now = Math.floor(clock.now().getTime() / 1000)
  t.match(raised.claims, { amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' })
  t.ok(Math.abs(Number(raised.claims.auth_time) - now) <= 1, 'as of now')
  t.match(
    await api.whoami(token),
    { body: { code: 'token_stale' } },
    'the token of before says less, and holds no more',
  )
  t.match(await changeAddress(app, raised.access_token), { status: 202 }, 'the factor is not asked for again')

  clock.advance({ minutes: 1 })
  const keyed = await app.enroll({
    ...user,
    accessToken: raised.access_token ?? '',
    refreshToken: raised.refresh_token ?? '',
  })
  const withKey = decodeJwt(keyed.accessToken)
  t.match(withKey, { amr: ['pwd', /^[hs]wk$/, 'user', 'mfa'], acr: 'phr' })
  clock.advance({ minutes: 1 })
  const second = await addTotp(keyed.accessToken)
  t.match(await second.confirm(second.code), { status: 204 })
  const { amr, acr, auth_time } = withKey
  t.strictSame((await claimsOf(keyed.refreshToken)).claims, { amr, acr, auth_time }, 'a code is less than the passkey')
})

t.test('a recovery code lets a user replace the only passkey, and no more than that', async (t) => {
  const app = await startPasskeyApp(t)
  const user = await app.api.signUp()
  const { passkey, accessToken } = await app.enroll(user)
  const [recoveryCode] = passkey.recovery_codes ?? []
  const { body } = await authenticate(app, accessToken, { recovery_code: recoveryCode })
  t.match(await changeAddress(app, body.access_token), {
    ...refused,
    body: { acr_values: ['phr'], methods: ['passkey'] },
  })
  const options = await app.creationOptions(body.access_token ?? '')
  const { credential } = app.authenticator.create(options)
  t.match(await app.add(body.access_token ?? '', { credential }), { status: 201 })
})

t.test('a recovery code counts as two factors also in a session that a passkey began', async (t) => {
  const app = await startPasskeyApp(t)
  const { passkey, holder } = await app.enroll(await app.api.signUp())
  const { body } = await app.login(holder.get(await app.requestOptions()))
  const [recoveryCode] = passkey.recovery_codes ?? []
  const { body: recovered } = await authenticate(app, body.access_token, { recovery_code: recoveryCode })
  t.match(decodeJwt(recovered.access_token ?? ''), { amr: ['rec'], acr: 'aal2' })
})

t.test('one proof at a time', async (t) => {
  const app = await startApp(t)
  const { accessToken } = await app.api.signUp()
  for (const body of [{}, { password: PASSWORD, code: '123456' }, { code: '123456', recovery_code: 'x' }]) {
    t.match(await authenticate(app, accessToken, body), { status: 422, body: { code: 'validation_failed' } })
  }
  t.match(await authenticate(app, undefined, { password: PASSWORD }), { status: 401, body: { code: 'token_missing' } })
})

t.test('BRW-01: cookies get the new access token as their mode has it', async (t) => {
  const { api, browser, clock } = await startApp(t)
  const { email, password } = await api.signUp()
  for (const mode of ['session', 'cookie']) {
    const page = browser()
    const { body: login } = await page.call<TokenBody>('/v1/auth/login', {
      method: 'POST',
      body: { email, password, mode },
    })
    clock.advance({ seconds: 60 })
    const token = login.access_token
    const answer = await page.call<TokenBody>('/v1/auth/reauthenticate', { method: 'POST', token, body: { password } })
    const set = answer.setCookies.map((line) => line.split('=')[0])
    t.match(answer, { status: 200, body: { session: { mode } } })
    t.strictSame(set, mode === 'session' ? ['sallyport_at'] : [], mode)
    t.equal('access_token' in answer.body, mode === 'cookie')
    t.match(await page.call('/v1/whoami', { token: answer.body.access_token }), { status: 200 })
  }
})

t.test(
  'ACC-10: a user without a password is deleted after a step-up, and no other user without the password',
  async (t) => {
    const app = await startApp(t)
    const remove = (token: string) => app.api.call('/v1/me', { method: 'DELETE', token, body: {} })
    const withPassword = await app.api.signUp()
    t.match(await remove(withPassword.accessToken), { status: 422, body: { errors: [{ path: '/password' }] } })
    const mailed = { hasPassword: false, amr: ['email'] }
    const old = await signUpAs(app, { ...mailed, agoSeconds: OLD })
    t.match(await remove(old.accessToken), refused)
    const fresh = await signUpAs(app, mailed)
    t.match(await remove(fresh.accessToken), { status: 204 })
    t.match(await app.api.whoami(fresh.accessToken), { status: 401, body: { code: 'session_ended' } })
  },
)

t.test('REF-02: what a step-up writes is in no index, so the update stays on its page', async (t) => {
  const { database } = await startApp(t)
  const indexes = await database.query(
    (client) => client.$queryRaw<{ indexdef: string }[]>`
      SELECT indexdef FROM pg_indexes WHERE tablename = 'refresh_token_family'`,
  )
  t.ok(indexes.length > 0)
  for (const { indexdef } of indexes) t.notMatch(indexdef, /authenticated_at|amr|acr/)
})
