// A thief who has a session of a user with second factors, and the password, wants to make the account their own.

import t from 'tap'
import { PASSWORD, type TokenBody } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createFactorCalls, wrongTotp } from '../support/factor-calls.js'
import { readFamily } from '../support/rows.js'

const refused = { status: 401, body: { code: 'insufficient_user_authentication' } }

t.test('MFA-09: the password and a stolen session remove no factor, add none, and change no credential', async (t) => {
  const app = await startApp(t)
  const calls = createFactorCalls(app)
  const user = await calls.signUpWithTotp()
  const { api } = app
  app.clock.advance({ minutes: 16 })
  const { access_token: token } = (await api.refresh(user.refreshToken)).body
  const before = await readFamily(app.database, user.sessionId)
  const reauthenticate = (body: object) => calls.post('/v1/auth/reauthenticate', body, { token })
  t.match(await reauthenticate({ password: PASSWORD }), refused)
  t.match(await reauthenticate({ code: wrongTotp(calls.codeOf(user.secret)) }), { status: 401 })
  t.match(await reauthenticate({ recovery_code: 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF' }), { status: 401 })

  const factor = `/v1/me/factors/${user.factorId}`
  const next = { current_password: PASSWORD, new_password: 'violet otters juggle paper lanterns' }
  const attempts: [string, Parameters<typeof api.call>[1]][] = [
    [factor, { method: 'DELETE' }],
    [factor, { method: 'PATCH', body: { name: 'Mine' } }],
    ['/v1/me/factors/totp', { method: 'POST', body: {} }],
    ['/v1/me/passkeys/options', { method: 'POST' }],
    ['/v1/me/recovery-codes', { method: 'POST' }],
    ['/v1/me/email', { method: 'POST', body: { email: 'thief@example.com', mode: 'json' } }],
    ['/v1/me/password', { method: 'PUT', body: next }],
  ]
  for (const [path, call] of attempts) t.match(await api.call(path, { token, ...call }), refused, path)
  const after = await readFamily(app.database, user.sessionId)
  t.strictSame([after.amr, after.acr, after.authenticatedAt], [before.amr, before.acr, before.authenticatedAt])
})

t.test('TOK-17: what one session has shown elevates no other session of the user', async (t) => {
  const app = await startApp(t)
  const calls = createFactorCalls(app)
  const user = await calls.signUpWithTotp()
  const { mfa_token } = await calls.firstStep(user)
  const { body: other } = await calls.mfa({ mfa_token, code: calls.codeOf(user.secret) })
  app.clock.advance({ minutes: 16 })
  const { body } = await app.api.refresh(user.refreshToken)
  const code = calls.codeOf(user.secret)
  const own = await calls.post<TokenBody>('/v1/auth/reauthenticate', { code }, { token: body.access_token })
  t.equal(own.status, 200)
  const change = { method: 'POST' as const, body: { email: 'ada.king@example.com', mode: 'json' } }
  t.match(await app.api.call('/v1/me/email', { ...change, token: own.body.access_token }), { status: 202 })
  const { body: stolen } = await app.api.refresh(other.refresh_token)
  t.match(await app.api.call('/v1/me/email', { ...change, token: stolen.access_token }), refused)
})

t.test('BRW-02: another site cannot have a browser authenticate again', async (t) => {
  const app = await startApp(t)
  const { email, password } = await app.api.signUp()
  const page = app.browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  const answer = await page.call('/v1/auth/reauthenticate', {
    method: 'POST',
    body: { password },
    headers: { origin: 'https://evil.example' },
  })
  t.match(answer, { status: 403, body: { code: 'cross_site_request' }, setCookies: [] })
})
