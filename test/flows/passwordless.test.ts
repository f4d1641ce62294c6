import t from 'tap'
import { PASSWORD, type ProblemBody, type TokenBody } from '../support/api.js'
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
  const signIn = async () => (await app.login(holder.get(await app.requestOptions()))).body.access_token
  return { ...user, holder, passkey, enrolledBy: refreshToken, signIn }
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
  const { body } = await app.api.refresh(ada.enrolledBy)
  t.match(await removePassword(app, body.access_token), refused, 'a session of the password alone')
  const token = await ada.signIn()
  app.clock.advance({ minutes: 16 })
  t.match(await removePassword(app, token), { status: 401 })
})
