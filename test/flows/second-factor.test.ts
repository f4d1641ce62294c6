// A sign-in with a second factor: no session before it, and what the codes are worth.

import { decodeJwt } from 'jose'
import { Secret } from 'otpauth'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp, type StartOptions, type Test } from '../support/app.js'
import { createFactorCalls, wrongTotp, type MfaBody } from '../support/factor-calls.js'

async function start(t: Test, options: StartOptions = {}) {
  const started = await startApp(t, options)
  return { ...started, ...createFactorCalls(started) }
}

t.test('MFA-01: a login with a second factor opens a session of two factors', async (t) => {
  const { api, clock, codeOf, signUpWithTotp, firstStep, mfa } = await start(t)
  const user = await signUpWithTotp()
  const first = await api.login({ email: user.email, password: PASSWORD, mode: 'json', device_name: 'Phone' })
  t.match(first, { status: 401, body: { code: 'mfa_required', methods: ['totp', 'recovery_code'] } })
  t.match(first.headers, { 'www-authenticate': 'Bearer realm="sallyport"' })
  t.strictSame(first.setCookies, [])
  const pending = await firstStep(user, { device_name: 'Phone' })
  const second = await mfa({ mfa_token: pending.mfa_token, code: codeOf(user.secret) })
  t.match(second, { status: 200, body: { session: { mode: 'json', device_name: 'Phone' }, user: { id: user.userId } } })
  t.notOk(second.body.warnings)
  const claims = decodeJwt(second.body.access_token ?? '')
  t.match(claims, { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  t.match(await api.whoami(second.body.access_token), { status: 200 })

  const again = await firstStep(user)
  const used = await mfa({ mfa_token: again.mfa_token, code: codeOf(user.secret) })
  t.match(used, { status: 401, body: { code: 'flow_invalid', reason: 'wrong_code', attempts_left: 4 } }, 'a code once')
  t.match(used.headers, { 'www-authenticate': 'Bearer realm="sallyport"' })
  clock.advance({ seconds: 30 })
  t.match(await mfa({ mfa_token: again.mfa_token, code: codeOf(user.secret) }), { status: 200 })
  const ended = await mfa({ mfa_token: again.mfa_token, code: codeOf(user.secret, 1) })
  t.match(ended, { status: 401, body: { code: 'flow_invalid', reason: 'used' } })
})

t.test('MFA-01: of 50 requests with one code at once, one succeeds', async (t) => {
  const { codeOf, signUpWithTotp, firstStep, mfa } = await start(t, { settings: { RATE_LIMIT: 'off' } })
  const user = await signUpWithTotp()
  const tokens: string[] = []
  for (let count = 0; count < 10; count += 1) tokens.push((await firstStep(user)).mfa_token)
  const code = codeOf(user.secret)
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => mfa({ mfa_token: tokens[index % tokens.length], code })),
  )
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.ok(answers.every(({ status, body }) => status === 200 || body.code === 'flow_invalid'))
})

t.test('MFA-02: a code counts one step early and one step late, not two', async (t) => {
  for (const [steps, status] of [
    [-2, 401],
    [-1, 200],
    [0, 200],
    [1, 200],
    [2, 401],
  ] as const) {
    const { clock, codeOf, signUpWithTotp, firstStep, mfa } = await start(t)
    const user = await signUpWithTotp()
    clock.advance({ seconds: 60 })
    const { mfa_token } = await firstStep(user)
    t.match(await mfa({ mfa_token, code: codeOf(user.secret, steps) }), { status }, `${steps} steps`)
  }
})

t.test('MFA-03: the secret is in the database only encrypted, and bound to its row', async (t) => {
  const { database, codeOf, signUpWithTotp, firstStep, mfa } = await start(t)
  const [one, other] = [await signUpWithTotp(), await signUpWithTotp()]
  const rows = await database.query((client) => client.totpFactor.findMany({ orderBy: { id: 'asc' } }))
  t.equal(rows.length, 2)
  const stored = rows.map(({ sealedSecret }) => Buffer.from(sealedSecret).toString('hex')).join()
  const bytes = Buffer.from(Secret.fromBase32(one.secret).bytes)
  t.notOk(stored.includes(bytes.toString('hex')))
  const moved = rows.find(({ id }) => id === other.factorId)?.sealedSecret ?? new Uint8Array()
  await database.query((client) =>
    client.totpFactor.update({ where: { id: one.factorId }, data: { sealedSecret: moved } }),
  )
  const { mfa_token } = await firstStep(one)
  for (const { secret } of [one, other]) t.match(await mfa({ mfa_token, code: codeOf(secret) }), { status: 401 })
})

t.test('MFA-05: five wrong codes end a sign-in, also with RATE_LIMIT=off', async (t) => {
  const { codeOf, signUpWithTotp, firstStep, mfa } = await start(t, { settings: { RATE_LIMIT: 'off' } })
  const user = await signUpWithTotp()
  const { mfa_token } = await firstStep(user)
  const code = wrongTotp(codeOf(user.secret))
  for (const left of [4, 3, 2, 1]) {
    t.match(await mfa({ mfa_token, code }), { status: 401, body: { reason: 'wrong_code', attempts_left: left } })
  }
  t.match(await mfa({ mfa_token, code }), { body: { reason: 'too_many_attempts', attempts_left: 0 } })
  const right = await mfa({ mfa_token, code: codeOf(user.secret) })
  t.match(right, { status: 401, body: { code: 'flow_invalid', reason: 'too_many_attempts' } })
})

t.test('MFA-05: of many wrong codes at once, five are compared', async (t) => {
  const { codeOf, signUpWithTotp, firstStep, mfa } = await start(t, { settings: { RATE_LIMIT: 'off' } })
  const user = await signUpWithTotp()
  const { mfa_token } = await firstStep(user)
  const code = wrongTotp(codeOf(user.secret))
  const answers = await Promise.all(Array.from({ length: 30 }, () => mfa({ mfa_token, code })))
  const lefts = answers.flatMap(({ body }) => body.attempts_left ?? [])
  t.strictSame(lefts.toSorted(), [0, 1, 2, 3, 4])
})

t.test('MFA-05: ten wrong codes in an hour, and then no code is looked at', async (t) => {
  const { clock, codeOf, signUpWithTotp, firstStep, mfa } = await start(t)
  const user = await signUpWithTotp()
  const wrong = wrongTotp(codeOf(user.secret))
  for (let flow = 0; flow < 2; flow += 1) {
    const { mfa_token } = await firstStep(user)
    for (let count = 0; count < 5; count += 1) await mfa({ mfa_token, code: wrong })
  }
  const { mfa_token } = await firstStep(user)
  const limited = await mfa({ mfa_token, code: codeOf(user.secret) })
  t.match(limited, { status: 429, body: { code: 'rate_limited' } })
  const other = await signUpWithTotp()
  const pending = await firstStep(other)
  t.match(await mfa({ ...pick(pending), code: codeOf(other.secret) }), { status: 200 }, 'another user is not concerned')
  clock.advance({ hours: 1 })
  const later = await firstStep(user)
  t.match(await mfa({ ...pick(later), code: codeOf(user.secret) }), { status: 200 })
})

t.test(
  'MFA-05: after a hundred wrong codes in a row no code counts, until the operator resets the factors',
  async (t) => {
    const { app, api, clock, codeOf, signUpWithTotp, firstStep, mfa } = await start(t)
    const user = await signUpWithTotp()
    for (let hour = 0; hour < 10; hour += 1) {
      for (let flow = 0; flow < 2; flow += 1) {
        const { mfa_token } = await firstStep(user)
        for (let count = 0; count < 5; count += 1) await mfa({ mfa_token, code: wrongTotp(codeOf(user.secret)) })
      }
      clock.advance({ hours: 1 })
    }
    const limited = { status: 429, body: { code: 'rate_limited' } }
    t.match(await mfa({ ...pick(await firstStep(user)), code: codeOf(user.secret) }), limited)
    clock.advance({ days: 2 })
    t.match(await mfa({ ...pick(await firstStep(user)), recovery_code: user.recoveryCodes[0] }), limited, 'at any pace')
    await app.operator.administration.resetFactors(user.email, 'seen in person')
    t.match(await api.login({ email: user.email, password: PASSWORD }), { status: 200 })
  },
)

const pick = ({ mfa_token }: { mfa_token: string }) => ({ mfa_token })

t.test(
  'MFA-05: a sign-in waits for five minutes, and ends with a change of the password, a ban or a factor',
  async (t) => {
    const { app, api, clock, codeOf, signUpWithTotp, firstStep, mfa, post } = await start(t)
    const { administration } = app.operator
    const user = await signUpWithTotp()
    const late = await firstStep(user)
    clock.advance({ minutes: 5, seconds: 1 })
    t.match(await mfa({ ...pick(late), code: codeOf(user.secret) }), { status: 401, body: { reason: 'expired' } })

    const banned = await firstStep(user)
    await administration.ban(user.email, { until: null, reason: null })
    await administration.unban(user.email)
    const afterBan = await mfa({ ...pick(banned), code: codeOf(user.secret) })
    t.match(afterBan, { status: 401, body: { code: 'flow_invalid', reason: 'superseded' } })

    const changed = await firstStep(user)
    await administration.setPassword(user.email, 'another lantern over seven hills')
    const afterChange = await mfa({ ...pick(changed), code: codeOf(user.secret) })
    t.match(afterChange, { status: 401, body: { code: 'flow_invalid', reason: 'superseded' } })

    const password = 'another lantern over seven hills'
    const signedIn = await mfa({ ...pick(await firstStep({ ...user, password })), code: codeOf(user.secret) })
    t.match(signedIn, { status: 200 })
    clock.advance({ seconds: 30 })
    const waiting = await firstStep({ ...user, password })
    const token = signedIn.body.access_token
    const begun = await post<{ id: string; secret: string }>('/v1/me/factors/totp', {}, { token })
    const path = `/v1/me/factors/totp/${begun.body.id}/confirm`
    t.match(await post(path, { code: codeOf(begun.body.secret) }, { token }), { status: 204 })
    clock.advance({ seconds: 30 })
    const afterFactor = await mfa({ ...pick(waiting), code: codeOf(user.secret) })
    t.match(afterFactor, { status: 401, body: { code: 'flow_invalid', reason: 'superseded' } })
    t.match(await api.whoami(token), { status: 401, body: { code: 'token_stale' } })
  },
)

t.test('MFA-05: the password of the first step is compared again', async (t) => {
  const { database, codeOf, signUpWithTotp, firstStep, mfa } = await start(t)
  const user = await signUpWithTotp()
  const pending = await firstStep(user)
  await database.query((client) =>
    client.user.update({ where: { id: user.userId }, data: { passwordHash: 'another hash' } }),
  )
  const answer = await mfa({ ...pick(pending), code: codeOf(user.secret) })
  t.match(answer, { status: 401, body: { code: 'flow_invalid', reason: 'expired' } })
})

t.test('MFA-04: a pending factor signs no one in, and is forgotten after ten minutes', async (t) => {
  const { app, api, clock, database, codeOf, firstStep, mfa, post, signInTwice, signUpWithTotp } = await start(t)
  const user = await api.signUp()
  const begun = await post<{ id: string; secret: string }>('/v1/me/factors/totp', {}, { token: user.accessToken })
  t.match(begun, { status: 201 })
  t.match(await api.login({ email: user.email, password: PASSWORD, mode: 'json' }), { status: 200 })
  const wrong = wrongTotp(codeOf(begun.body.secret))
  const path = `/v1/me/factors/totp/${begun.body.id}/confirm`
  const refused = await post(path, { code: wrong }, { token: user.accessToken })
  t.match(refused, { status: 401, body: { code: 'invalid_credentials' } })

  const enrolled = await signUpWithTotp()
  const second = await post<{ secret: string }>('/v1/me/factors/totp', {}, { token: await signInTwice(enrolled) })
  const pending = await firstStep(enrolled)
  t.match(await mfa({ ...pick(pending), code: codeOf(second.body.secret) }), { status: 401 })

  clock.advance({ minutes: 10 })
  const late = await post(
    path,
    { code: codeOf(begun.body.secret) },
    { token: (await api.refresh(user.refreshToken)).body.access_token },
  )
  t.match(late, { status: 404, body: { code: 'not_found' } })
  await app.operations.runMaintenance()
  t.equal(await database.query((client) => client.totpFactor.count({ where: { confirmedAt: null } })), 0)
})

t.test('MFA-04: the first code is used, other sessions end, and a notice goes out', async (t) => {
  const { api, codeOf, firstStep, mfa, post } = await start(t)
  const user = await api.signUp()
  const other = await api.login({ email: user.email, password: PASSWORD, mode: 'json' })
  const token = user.accessToken
  const begun = await post<{ id: string; secret: string }>('/v1/me/factors/totp', {}, { token })
  const code = codeOf(begun.body.secret)
  const confirmed = await post<MfaBody>(`/v1/me/factors/totp/${begun.body.id}/confirm`, { code }, { token })
  t.equal(confirmed.body.recovery_codes?.length, 10)
  t.equal(new Set(confirmed.body.recovery_codes).size, 10)
  t.match(await api.refresh(other.body.refresh_token), { body: { code: 'session_ended', reason: 'factor_changed' } })
  t.match(await api.refresh(user.refreshToken), { status: 200 })
  const pending = await firstStep(user)
  t.match(await mfa({ ...pick(pending), code }), { status: 401, body: { reason: 'wrong_code' } }, 'it is used')
})

t.test('MFA-08: a recovery code counts once, also in parallel, and the user is warned of few', async (t) => {
  const { signUpWithTotp, firstStep, mfa } = await start(t, { settings: { RATE_LIMIT: 'off' } })
  const user = await signUpWithTotp()
  const [first = '', ...others] = user.recoveryCodes
  const tokens = await Promise.all(Array.from({ length: 10 }, () => firstStep(user)))
  const answers = await Promise.all(tokens.map((pending) => mfa({ ...pick(pending), recovery_code: first })))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  const right = answers.find(({ status }) => status === 200)
  t.match(decodeJwt(right?.body.access_token ?? ''), { acr: 'aal2', amr: ['pwd', 'rec', 'mfa'] })
  for (const [index, code] of others.slice(0, 6).entries()) {
    const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o')
    const answer = await mfa({ ...pick(await firstStep(user)), recovery_code: typed })
    t.match(answer, { status: 200 })
    t.strictSame(answer.body.warnings, index === 5 ? ['recovery_codes_low'] : undefined, `${8 - index} are left`)
  }
})

t.test('MFA-08: new recovery codes end the old ones', async (t) => {
  const { api, signInTwice, signUpWithTotp, firstStep, mfa, post } = await start(t)
  const user = await signUpWithTotp()
  const token = await signInTwice(user)
  const replaced = await post<MfaBody>('/v1/me/recovery-codes', {}, { token })
  t.equal(replaced.body.recovery_codes?.length, 10)
  const pending = await firstStep(user)
  t.match(await mfa({ ...pick(pending), recovery_code: user.recoveryCodes[0] }), { status: 401 })
  t.match(await mfa({ ...pick(pending), recovery_code: replaced.body.recovery_codes?.[0] }), { status: 200 })
  const without = await api.signUp()
  t.match(await post('/v1/me/recovery-codes', {}, { token: without.accessToken }), { status: 404 })
})

t.test('MFA-09: factors are listed, renamed and removed; the last takes the recovery codes with it', async (t) => {
  const { api, database, signInTwice, signUpWithTotp } = await start(t)
  const user = await signUpWithTotp()
  const token = await signInTwice(user)
  const factor = { id: user.factorId, type: 'totp', name: 'Phone' }
  const list = await api.call('/v1/me/factors', { token })
  t.match(list, { status: 200, body: { mfa: 'optional', factors: [factor], recovery_codes_left: 10 } })
  const path = `/v1/me/factors/${user.factorId}`
  const renamed = await api.call(path, { method: 'PATCH', body: { name: 'Old phone' }, token })
  t.match(renamed, { status: 200, body: { ...factor, name: 'Old phone' } })
  const stranger = await signInTwice(await signUpWithTotp())
  for (const method of ['PATCH', 'DELETE'] as const) {
    const call = { method, token: stranger, ...(method === 'PATCH' && { body: { name: 'x' } }) }
    t.match(await api.call(path, call), { status: 404 }, `${method} of another user's`)
  }
  t.match(await api.call(path, { method: 'DELETE', token }), { status: 204 })
  t.match(await api.login({ email: user.email, password: PASSWORD, mode: 'json' }), { status: 200 })
  const where = { where: { userId: user.userId } }
  t.equal(await database.query((client) => client.recoveryCode.count(where)), 0)
})

t.test('MFA=required: the last factor cannot be removed; MFA=off asks no one and keeps the factors', async (t) => {
  const started = await start(t)
  const { clock, database, signInTwice, signUpWithTotp } = started
  const user = await signUpWithTotp()
  const token = await signInTwice(user)
  const required = await startApp(t, { clock, database, join: true, settings: { MFA: 'required' } })
  const path = `/v1/me/factors/${user.factorId}`
  const refused = await required.api.call(path, { method: 'DELETE', token })
  t.match(refused, { status: 409, body: { code: 'last_factor' } })
  t.match(await required.api.whoami(token), { status: 200 }, 'nothing has changed')
  const off = await startApp(t, { clock, database, join: true, settings: { MFA: 'off' } })
  const login = await off.api.login({ email: user.email, password: PASSWORD, mode: 'json' })
  t.match(login, { status: 200 })
  t.match(decodeJwt(login.body.access_token ?? ''), { acr: 'aal1', amr: ['pwd'] })
  const list = await off.api.call('/v1/me/factors', { token: login.body.access_token })
  t.match(list, { body: { mfa: 'off', factors: [{ id: user.factorId }] } })
})

t.test('MFA-09: removing a factor needs one', async (t) => {
  const { api, clock, post, signUpWithTotp } = await start(t)
  const user = await signUpWithTotp()
  clock.advance({ minutes: 16 })
  const { access_token: token } = (await api.refresh(user.refreshToken)).body
  const path = `/v1/me/factors/${user.factorId}`
  const asked = { status: 401, body: { code: 'insufficient_user_authentication', acr_values: ['aal2'] } }
  t.match(await api.call(path, { method: 'DELETE', token }), asked)
  t.match(await api.call(path, { method: 'PATCH', body: { name: 'x' }, token }), asked)
  t.match(await post('/v1/me/recovery-codes', {}, { token }), asked)
  t.match(await post('/v1/me/factors/totp', {}, { token }), asked)
})

t.test('REF-14: in mode session, a change of factors rotates the session', async (t) => {
  const { api, codeOf, browser } = await start(t)
  const page = browser()
  const { email } = await api.signUp()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password: PASSWORD, mode: 'session' } })
  const before = page.cookies.get('sallyport_rt')
  t.ok(before)
  const begun = await page.call<{ id: string; secret: string }>('/v1/me/factors/totp', { method: 'POST', body: {} })
  const path = `/v1/me/factors/totp/${begun.body.id}/confirm`
  const confirmed = await page.call(path, { method: 'POST', body: { code: codeOf(begun.body.secret) } })
  t.match(confirmed, { status: 200 })
  t.not(page.cookies.get('sallyport_rt'), before)
  t.match(await page.call('/v1/whoami'), { status: 200, body: { amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' } })
})

t.test('REF-14: in mode session, a removal that is refused leaves the cookies of the session valid', async (t) => {
  const { api, clock, browser } = await start(t)
  const page = browser()
  const { email } = await api.signUp()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password: PASSWORD, mode: 'session' } })
  for (const id of [crypto.randomUUID(), 'none']) {
    t.match(await page.call(`/v1/me/factors/${id}`, { method: 'DELETE' }), { status: 404, body: { code: 'not_found' } })
  }
  clock.advance({ minutes: 11 })
  t.match(await page.call('/v1/whoami'), { status: 200 }, 'the access cookie is renewed')
})

t.test(
  'WEB-05: in the cookie modes, the second half passes the rule of other sites and replaces the browser’s sessions',
  async (t) => {
    const { api, browser, codeOf, config, signUpWithTotp, post } = await start(t)
    const user = await signUpWithTotp()
    const page = browser()
    const other = await api.signUp()
    await page.call('/v1/auth/login', {
      method: 'POST',
      body: { email: other.email, password: PASSWORD, mode: 'cookie' },
    })
    const refreshCookie = page.cookies.get('sallyport_rt') ?? ''
    const first = await page.call<{ mfa_token: string }>('/v1/auth/login', {
      ...{ method: 'POST', body: { email: user.email, password: PASSWORD, mode: 'cookie', remember: false } },
    })
    t.strictSame(first.setCookies, [], 'no cookie before the factor')
    const body = { mfa_token: first.body.mfa_token, code: codeOf(user.secret) }
    const foreign = await post('/v1/auth/mfa', body, { headers: { origin: 'https://evil.example' } })
    t.match(foreign, { status: 403, body: { code: 'cross_site_request' } })
    t.strictSame(foreign.setCookies, [])
    const second = await page.call<MfaBody>('/v1/auth/mfa', { method: 'POST', body })
    t.match(second, { status: 200, body: { session: { mode: 'cookie' }, user: { id: user.userId } } })
    t.notOk(second.body.refresh_token)
    t.notOk(
      second.setCookies.some((line) => /max-age/i.test(line)),
      'remember was false',
    )
    const replaced = await api.call('/v1/auth/refresh', {
      ...{ method: 'POST', cookies: { sallyport_rt: refreshCookie }, headers: { origin: config.server.publicUrl } },
    })
    t.match(replaced, { status: 401, body: { code: 'session_ended', reason: 'logout' } })
  },
)

t.test('MFA=required: a first factor is enrolled at the sign-in, and completes it', async (t) => {
  const { api, codeOf, post, clock, database } = await start(t, {
    settings: { MFA: 'required', EMAIL_VERIFICATION: 'off' },
  })
  const email = 'ada@example.com'
  const registered = await api.register({ email, password: PASSWORD, mode: 'json', device_name: 'Phone' })
  t.match(registered, { status: 401, body: { code: 'mfa_required', methods: [], enroll: ['totp', 'passkey'] } })
  const { mfa_token } = registered.body as unknown as { mfa_token: string }
  const early = await post('/v1/auth/mfa/enroll/totp/confirm', { mfa_token, code: '123456' })
  t.match(early, { status: 401, body: { code: 'flow_invalid', reason: 'expired' } })
  const first = await post<{ secret: string; uri: string }>('/v1/auth/mfa/enroll/totp', { mfa_token })
  const begun = await post<{ secret: string; uri: string }>('/v1/auth/mfa/enroll/totp', { mfa_token, name: 'Key' })
  t.match(begun, { status: 201, body: { uri: /^otpauth:\/\/totp\/Sallyport:ada/ } })
  const confirm = (code: string) => post<MfaBody>('/v1/auth/mfa/enroll/totp/confirm', { mfa_token, code })
  t.match(await confirm(codeOf(first.body.secret)), { status: 401, body: { reason: 'wrong_code' } }, 'it was replaced')
  const done = await confirm(codeOf(begun.body.secret))
  t.match(done, { status: 200, body: { session: { device_name: 'Phone' }, user: { email } } })
  t.equal(done.body.recovery_codes?.length, 10)
  t.match(decodeJwt(done.body.access_token ?? ''), { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  t.match(await api.whoami(done.body.access_token), { status: 200 })
  t.match(await confirm(codeOf(begun.body.secret, 1)), { status: 401, body: { code: 'flow_invalid' } })
  const events = await database.query((client) => client.auditEvent.findMany({ where: { event: 'user_registered' } }))
  t.equal(events.length, 1)
  clock.advance({ seconds: 30 })
  t.match(await api.login({ email, password: PASSWORD, mode: 'json' }), {
    body: { methods: ['totp', 'recovery_code'] },
  })
})

t.test('MFA-05: after a server error, the attempt is returned', async (t) => {
  const { database, codeOf, signUpWithTotp, firstStep, mfa } = await start(t)
  const user = await signUpWithTotp()
  const { mfa_token } = await firstStep(user)
  await database.query((client) => client.$executeRaw`ALTER TABLE totp_factor RENAME TO totp_factor_away`)
  t.match(await mfa({ mfa_token, code: codeOf(user.secret) }), { status: 500 })
  await database.query((client) => client.$executeRaw`ALTER TABLE totp_factor_away RENAME TO totp_factor`)
  const wrong = await mfa({ mfa_token, code: wrongTotp(codeOf(user.secret)) })
  t.match(wrong, { body: { reason: 'wrong_code', attempts_left: 4 } })
  t.match(await mfa({ mfa_token, code: codeOf(user.secret) }), { status: 200 })
})
