import t from 'tap'
import { PASSWORD, type ProblemBody, type TokenBody } from '../support/api.js'
import { signUpAs } from '../support/authenticated.js'
import { startPasskeyApp, type PasskeyApp } from '../support/passkey-calls.js'

const NEXT_PASSWORD = 'violet otters juggle paper lanterns'

const removePassword = ({ api }: PasskeyApp, token: string | undefined) =>
  api.call<ProblemBody>('/v1/me/password', { method: 'DELETE', token })

const setPassword = ({ api }: PasskeyApp, token: string | undefined, body: object) =>
  api.call<TokenBody>('/v1/me/password', { method: 'PUT', token, body })

/** A user who has signed in with their passkey. */
async function signUpWithPasskey(app: PasskeyApp) {
  const user = await app.api.signUp()
  const { holder, passkey, refreshToken } = await app.enroll(user)
  const open = async () => (await app.login(holder.get(await app.requestOptions()))).body
  const signIn = async () => (await open()).access_token
  return { ...user, holder, passkey, enrolledBy: refreshToken, open, signIn }
}

t.test('a user with a passkey can do without a password, and set one again', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await signUpWithPasskey(app)
  const token = await ada.signIn()
  t.equal((await removePassword(app, token)).status, 204)
  t.match(await app.api.refresh(ada.enrolledBy), { body: { code: 'session_ended', reason: 'password_changed' } })
  t.match(await app.api.whoami(token), { body: { code: 'token_stale' } })
  t.match(await app.api.login({ email: ada.email, password: PASSWORD, mode: 'json' }), {
    status: 401,
    body: { code: 'invalid_credentials' },
  })
  const notices = await app.database.query((client) => client.mail.findMany({ where: { kind: 'password_removed' } }))
  t.match(notices, [{ email: ada.email }])

  const again = await ada.signIn()
  t.equal((await removePassword(app, again)).status, 204, 'there is nothing left to remove')
  t.match(await setPassword(app, again, { current_password: PASSWORD, new_password: NEXT_PASSWORD }), { status: 401 })
  t.equal((await setPassword(app, again, { new_password: NEXT_PASSWORD })).status, 204)
  t.match(await app.api.login({ email: ada.email, password: NEXT_PASSWORD, mode: 'json' }), {
    status: 401,
    body: { code: 'mfa_required', methods: ['passkey', 'recovery_code'] },
  })
})

t.test('a user with a password has to show it for another one', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await signUpWithPasskey(app)
  t.match(await setPassword(app, await ada.signIn(), { new_password: NEXT_PASSWORD }), {
    status: 422,
    body: { code: 'validation_failed', errors: [{ path: '/current_password' }] },
  })
})

t.test('the password is not removed without a passkey that signs in by itself', async (t) => {
  const app = await startPasskeyApp(t)
  const bob = await app.api.signUp()
  t.match(await removePassword(app, bob.accessToken), { status: 409, body: { code: 'last_way_in' } })
  const ada = await signUpWithPasskey(app)
  const token = await ada.signIn()
  for (const data of [{ userVerifying: false }, { userVerifying: true, rpId: 'example.com' }]) {
    await app.database.query((client) => client.passkey.update({ where: { id: ada.passkey.id }, data }))
    t.match(await removePassword(app, token), { status: 409, body: { code: 'last_way_in' } })
  }
})

t.test('MFA-11: the password is removed only just after the passkey was shown', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await signUpWithPasskey(app)
  const refused = { status: 401, body: { code: 'insufficient_user_authentication', acr_values: ['phr'] } }
  const byPassword = await signUpAs(app, { factors: ['passkey'] })
  t.match(await removePassword(app, byPassword.accessToken), refused, 'a session of the password alone')
  const token = await ada.signIn()
  app.clock.advance({ minutes: 16 })
  t.match(await removePassword(app, token), { status: 401 })
})

t.test('REF-14: a shown refresh token is rotated, and a copy of it is useless, in modes json and cookie', async (t) => {
  const app = await startPasskeyApp(t)
  const { api, clock } = app
  const ada = await signUpWithPasskey(app)
  const key = 'a'.repeat(16)
  const { access_token: token, refresh_token: refreshToken } = await ada.open()
  const removed = await api.call<TokenBody>('/v1/me/password', {
    ...{ method: 'DELETE', token, headers: { 'idempotency-key': key } },
    body: { refresh_token: refreshToken },
  })
  t.match(removed, { status: 200, body: { refresh_token: /^spr_/ } })
  t.match(await api.whoami(removed.body.access_token), { status: 200, body: { acr: 'phr' } })
  clock.advance({ hours: 1 })
  const again = await api.refresh(refreshToken, { key })
  t.equal(again.body.refresh_token, removed.body.refresh_token, 'an answer that was lost is had again')
  t.match(await api.refresh(removed.body.refresh_token), { status: 200 })
  clock.advance({ minutes: 1 })
  t.match(await api.refresh(refreshToken), { status: 401, body: { code: 'refresh_token_reused' } })

  const bob = await signUpWithPasskey(app)
  const page = app.browser()
  const credential = bob.holder.get(await app.requestOptions())
  const login = { method: 'POST' as const, body: { credential, mode: 'cookie' } }
  const signedIn = await page.call<TokenBody>('/v1/auth/passkey', login)
  const copy = page.cookies.get('sallyport_rt')
  const inPage = await page.call<TokenBody>('/v1/me/password', { method: 'DELETE', token: signedIn.body.access_token })
  t.match(inPage, { status: 200, body: { access_token: /^ey/, refresh_token: undefined } })
  t.not(page.cookies.get('sallyport_rt'), copy)
  t.match(await api.whoami(inPage.body.access_token), { status: 200 })
})

t.test('REF-14: in mode session the removal replaces both cookies', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await signUpWithPasskey(app)
  const page = app.browser()
  const credential = ada.holder.get(await app.requestOptions())
  await page.call('/v1/auth/passkey', { method: 'POST', body: { credential, mode: 'session' } })
  const before = new Map(page.cookies)
  t.match(await page.call('/v1/me/password', { method: 'DELETE' }), {
    status: 204,
    body: '',
    setCookies: { length: 2 },
  })
  for (const name of ['sallyport_rt', 'sallyport_at']) t.not(page.cookies.get(name), before.get(name), name)
  t.match(await page.call('/v1/whoami'), { status: 200, setCookies: { length: 0 } })
})

t.test('a refresh token of another session is no part of the removal, and a refusal rotates none', async (t) => {
  const app = await startPasskeyApp(t)
  const { api } = app
  const [ada, bob] = [await signUpWithPasskey(app), await api.signUp()]
  const remove = (token: string | undefined, shown: string | undefined) =>
    api.call<ProblemBody>('/v1/me/password', { method: 'DELETE', token, body: { refresh_token: shown } })
  t.match(await remove(bob.accessToken, bob.refreshToken), { status: 409, body: { code: 'last_way_in' } })
  t.match(await remove(await ada.signIn(), bob.refreshToken), { status: 204 })
  t.match(await api.refresh(bob.refreshToken), { status: 200 })
})
