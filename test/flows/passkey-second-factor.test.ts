import t from 'tap'
import { PASSWORD, type Answer, type ProblemBody, type SignedUp, type TokenBody } from '../support/api.js'
import type { CreationOptions, RequestOptions } from '../support/authenticator.js'
import { startPasskeyApp, type PasskeyApp, type PasskeyBody } from '../support/passkey-calls.js'

type MfaBody = ProblemBody & { mfa_token: string; methods: string[]; enroll?: string[] }

const post = <Body>({ api }: Pick<PasskeyApp, 'api'>, path: string, body: object) =>
  api.call<Body>(path, { method: 'POST', body })

/** The first half of a sign-in, which waits for a second factor. */
async function beginSignIn(app: PasskeyApp, { email }: Pick<SignedUp, 'email'>): Promise<MfaBody> {
  const answer: Answer = await app.api.login({ email, password: PASSWORD, mode: 'json' })
  return answer.body as MfaBody
}

const show = (app: PasskeyApp, { mfa_token }: MfaBody, credential: object) =>
  post<TokenBody>(app, '/v1/auth/mfa', { mfa_token, credential })

async function optionsFor(app: PasskeyApp, { mfa_token }: MfaBody): Promise<RequestOptions> {
  return (await post<{ options: RequestOptions }>(app, '/v1/auth/mfa/options', { mfa_token })).body.options
}

const remove = ({ api }: PasskeyApp, token: string | undefined, id: string) =>
  api.call<ProblemBody>(`/v1/me/factors/${id}`, { method: 'DELETE', token })

t.test('MFA-07: a passkey completes a sign-in with a password, with and without user verification', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp()
  const { holder } = await app.enroll(ada)
  const first = await beginSignIn(app, ada)
  t.match(first, { code: 'mfa_required', methods: ['passkey', 'recovery_code'] })
  const options = await optionsFor(app, first)
  t.match(options, { userVerification: 'preferred', allowCredentials: [{ id: holder.id }] })
  const present = await show(app, first, holder.get(options, { userVerified: false }))
  t.match((await app.api.whoami(present.body.access_token)).body, { acr: 'aal2', amr: ['pwd', 'hwk', 'mfa'] })
  const second = await beginSignIn(app, ada)
  const verified = await show(app, second, holder.get(await optionsFor(app, second)))
  t.match((await app.api.whoami(verified.body.access_token)).body, { acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] })
})

t.test('MFA-10: a second factor is the passkey of the user who signs in, for a challenge of this step', async (t) => {
  const app = await startPasskeyApp(t)
  const [ada, bob] = [await app.api.signUp(), await app.api.signUp()]
  const [{ holder }, { holder: other }] = [await app.enroll(ada), await app.enroll(bob)]
  const pending = await beginSignIn(app, ada)
  const refused = { status: 401, body: { code: 'flow_invalid', reason: 'wrong_code' } }
  const options = await optionsFor(app, pending)
  t.match(await show(app, pending, other.get(options)), refused, 'a passkey of another user')
  t.match(await show(app, pending, holder.get(await app.requestOptions())), refused, 'a challenge of a first factor')
  t.match(await show(app, pending, holder.get(options, { forged: true })), refused)
  t.match(await app.login(holder.get(options)), { status: 401, body: { code: 'invalid_credentials' } })
  const credential = holder.get(options)
  t.equal((await show(app, pending, credential)).status, 200)
  t.match(await show(app, await beginSignIn(app, ada), credential), refused, 'a challenge counts once')
})

t.test('a passkey is the first factor that a sign-in requires', async (t) => {
  const app = await startPasskeyApp(t, { settings: { MFA: 'required' } })
  const email = 'ada@example.com'
  const registered = await app.api.register({ email, password: PASSWORD, mode: 'json' })
  t.match(registered, { status: 401, body: { code: 'mfa_required', enroll: ['totp', 'passkey'] } })
  const { mfa_token } = registered.body as unknown as MfaBody
  const path = '/v1/auth/mfa/enroll/passkey'
  const { body } = await post<{ options: CreationOptions }>(app, `${path}/options`, { mfa_token })
  const { credential, holder } = app.authenticator.create(body.options)
  const enrolled = await post<TokenBody & { recovery_codes: string[] }>(app, path, {
    mfa_token,
    credential,
    name: 'Key',
  })
  t.match(enrolled, { status: 200, body: { user: { email } } })
  t.equal(enrolled.body.recovery_codes.length, 10)
  t.match((await app.api.whoami(enrolled.body.access_token)).body, { acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] })
  t.match(await post(app, path, { mfa_token, credential }), { status: 401, body: { code: 'flow_invalid' } })
  const again = await app.login(holder.get(await app.requestOptions()))
  t.match(again, { status: 200 }, 'no second factor is asked for')
  const { factors } = (
    await app.api.call<{ factors: PasskeyBody[] }>('/v1/me/factors', { token: again.body.access_token })
  ).body
  t.match(factors, [{ type: 'passkey', name: 'Key', backed_up: false, user_verifying: true }])
  t.match(await remove(app, again.body.access_token, factors[0]?.id ?? ''), {
    status: 409,
    body: { code: 'last_factor' },
  })
})

t.test('a passkey is renamed and removed, and one of another user is not', async (t) => {
  const app = await startPasskeyApp(t)
  const [ada, bob] = [await app.api.signUp(), await app.api.signUp()]
  const { holder, passkey } = await app.enroll(ada)
  await app.enroll(bob)
  const token = (await app.login(holder.get(await app.requestOptions()))).body.access_token
  const path = `/v1/me/factors/${passkey.id}`
  const renamed = await app.api.call<PasskeyBody>(path, { method: 'PATCH', token, body: { name: 'Key ring' } })
  t.match(renamed, { status: 200, body: { id: passkey.id, name: 'Key ring' } })
  const [, others] = await app.database.query((client) => client.passkey.findMany({ orderBy: { createdAt: 'asc' } }))
  for (const id of [others?.id ?? '', 'not-an-id']) {
    t.match(await remove(app, token, id), { status: 404, body: { code: 'not_found' } })
  }
  t.ok([200, 204].includes((await remove(app, token, passkey.id)).status))
  t.match(await app.login(holder.get(await app.requestOptions())), { status: 401 })
  t.equal((await app.api.login({ email: ada.email, password: PASSWORD, mode: 'json' })).status, 200)
  t.equal(await app.database.query((client) => client.recoveryCode.count({ where: { userId: ada.userId } })), 0)
})

t.test('the last passkey of a user without a password is not removed', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp()
  const { holder, passkey } = await app.enroll(ada)
  const signIn = async () => (await app.login(holder.get(await app.requestOptions()))).body.access_token
  t.equal((await app.api.call('/v1/me/password', { method: 'DELETE', token: await signIn() })).status, 204)
  t.match(await remove(app, await signIn(), passkey.id), { status: 409, body: { code: 'last_way_in' } })
  const token = (await signIn()) ?? ''
  const { credential } = app.authenticator.create(await app.creationOptions(token))
  t.equal((await app.add(token, { credential })).status, 201)
  t.ok((await remove(app, await signIn(), passkey.id)).status < 300)
})

t.test('passkeys are deleted with their user', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp()
  const { holder } = await app.enroll(ada)
  const token = (await app.login(holder.get(await app.requestOptions()))).body.access_token
  const answer = await app.api.call('/v1/me', { method: 'DELETE', token, body: { password: PASSWORD } })
  t.equal(answer.status, 204)
  t.equal(await app.database.query((client) => client.passkey.count()), 0)
})

t.test('EML-12: the passkey of an account whose address was never verified opens it no more', async (t) => {
  const settings = { EMAIL_VERIFICATION: 'later', SIGN_IN_METHODS: 'password,otp' }
  const app = await startPasskeyApp(t, { settings })
  const mallory = await app.api.signUp()
  const { holder } = await app.enroll(mallory)
  await app.app.delivery.deliverDue()
  const asked = await app.api.call<{ flow_token: string }>('/v1/auth/otp', {
    method: 'POST',
    body: { email: mallory.email, mode: 'json' },
  })
  await app.app.delivery.deliverDue()
  const mail = app.app.delivery.inbox?.list().find(({ text }) => /\d{4} \d{4}/.test(text) && text.includes('otp'))
  t.ok(mail)
  const [code] = /\d{4} \d{4}/.exec(mail?.text ?? '') ?? []
  const verified = await app.api.call<TokenBody>('/v1/auth/otp/verify', {
    method: 'POST',
    body: { code, flow_token: asked.body.flow_token },
  })
  t.equal(verified.status, 200)
  t.match(await app.login(holder.get(await app.requestOptions())), { status: 401 })
})

t.test('REF-14: in mode session, a new passkey rotates the session', async (t) => {
  const { api, browser, authenticator } = await startPasskeyApp(t)
  const page = browser()
  const { email } = await api.signUp()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password: PASSWORD, mode: 'session' } })
  const before = page.cookies.get('sallyport_rt')
  const { body } = await page.call<{ options: CreationOptions }>('/v1/me/passkeys/options', { method: 'POST' })
  const { credential } = authenticator.create(body.options)
  t.match(await page.call('/v1/me/passkeys', { method: 'POST', body: { credential } }), { status: 201 })
  t.not(page.cookies.get('sallyport_rt'), before)
  t.match(await page.call('/v1/whoami'), { status: 200 })
})
