import t from 'tap'
import type { Answer, TokenBody } from './support/api.js'
import { startPasskeyApp, type PasskeyApp, type PasskeyBody } from './support/passkey-calls.js'
import { createMetrics } from '../src/platform/metrics/metrics.js'
import { startApp } from './support/app.js'
import type { RequestOptions } from './support/authenticator.js'
import { parseMetrics } from './support/metrics.js'

/** The claims of an access token. */
async function claimsOf({ api }: Pick<PasskeyApp, 'api'>, { body }: Answer<TokenBody>) {
  return (await api.whoami(body.access_token)).body
}

t.test('MFA-10: a passkey is registered, and signs in by itself', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp({ name: 'Ada' })
  const options = await app.creationOptions(ada.accessToken)
  t.match(options, {
    rp: { id: 'localhost', name: 'Sallyport' },
    user: { name: ada.email, displayName: 'Ada' },
    pubKeyCredParams: [{ alg: -8 }, { alg: -7 }, { alg: -257 }],
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    attestation: 'none',
    excludeCredentials: [],
  })
  t.equal(options.pubKeyCredParams.length, 3)
  t.equal(Buffer.from(options.user.id, 'base64url').length, 32)
  t.notMatch(JSON.stringify(options), new RegExp(ada.userId))
  const { holder, passkey, accessToken } = await app.enroll(ada)
  t.match(passkey, { type: 'passkey', name: 'Passkey', backed_up: false, user_verifying: true, last_used_at: null })
  t.equal(passkey.recovery_codes?.length, 10)

  const request = await app.requestOptions()
  t.match(request, { rpId: 'localhost', userVerification: 'required' })
  t.notOk('allowCredentials' in request)
  const signedIn = await app.login(holder.get(request))
  t.match(signedIn, { status: 200, body: { user: { id: ada.userId } } })
  t.match(await claimsOf(app, signedIn), { acr: 'phr', amr: ['hwk', 'user'] })
  t.equal((await app.api.whoami(accessToken)).status, 200, 'the other session goes on')
})

t.test('MFA-10: EdDSA, and a passkey that is synchronized', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp()
  const made = { algorithm: 'EdDSA', backupEligible: true, backedUp: true } as const
  const { holder, passkey } = await app.enroll(ada, made)
  t.equal(passkey.backed_up, true)
  const signedIn = await app.login(holder.get(await app.requestOptions(), { backedUp: false }))
  t.match(await claimsOf(app, signedIn), { acr: 'phr', amr: ['swk', 'user'] })
  const [stored] = await app.database.query((client) => client.passkey.findMany())
  t.match(stored, { backupEligible: true, backedUp: false, lastUsedAt: Date })
})

t.test(
  'MFA-04: another passkey excludes the first, ends other sessions, and has no further recovery codes',
  async (t) => {
    const app = await startPasskeyApp(t)
    const ada = await app.api.signUp()
    const first = await app.enroll(ada)
    const other = await app.login(first.holder.get(await app.requestOptions()))
    const own = await app.login(first.holder.get(await app.requestOptions()))
    const token = own.body.access_token ?? ''
    const options = await app.creationOptions(token)
    t.match(options.excludeCredentials, [{ id: first.holder.id, type: 'public-key', transports: ['internal'] }])
    const { credential } = app.authenticator.create(options)
    const second = await app.add(token, { credential, name: 'Key ring' })
    t.match(second, { status: 201, body: { name: 'Key ring' } })
    t.notOk('recovery_codes' in second.body)
    t.match(await app.api.whoami(other.body.access_token), { body: { code: 'session_ended' } })
    t.match(await app.api.whoami(token), { body: { code: 'token_stale' } })
    const mails = await app.database.query((client) => client.mail.findMany({ where: { kind: 'factor_added' } }))
    t.strictSame(
      mails.map(({ email, params }) => ({ email, params })),
      ['Passkey', 'Key ring'].map((factor_name) => ({ email: ada.email, params: { factor: 'passkey', factor_name } })),
    )
  },
)

t.test('MFA-11: a credential is registered once, over all users', async (t) => {
  const app = await startPasskeyApp(t)
  const [ada, bob] = [await app.api.signUp(), await app.api.signUp()]
  const { holder } = await app.enroll(ada)
  const credentialId = Buffer.from(holder.id, 'base64url')
  const again = app.authenticator.create(await app.creationOptions(bob.accessToken), { credentialId })
  t.match(await app.add(bob.accessToken, { credential: again.credential }), {
    status: 422,
    body: { code: 'validation_failed', errors: [{ path: '/credential', code: 'not_accepted' }] },
  })
  t.match(await app.login(holder.get(await app.requestOptions())), { status: 200, body: { user: { id: ada.userId } } })
  t.match(await app.api.whoami(bob.accessToken), { status: 200 }, 'nothing has changed for the other user')
})

t.test('MFA-11: adding a passkey needs a recent authentication', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp()
  const made = app.authenticator.create(await app.creationOptions(ada.accessToken))
  app.clock.advance({ minutes: 16 })
  const token = (await app.api.refresh(ada.refreshToken)).body.access_token ?? ''
  const refused = { status: 401, body: { code: 'insufficient_user_authentication', max_age: 900 } }
  t.match(await app.add(token, { credential: made.credential }), refused)
  t.match(await app.api.call('/v1/me/passkeys/options', { method: 'POST', token }), refused)
})

t.test('a user who is banned is told so by a right passkey, and signs in nowhere', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp()
  const { holder } = await app.enroll(ada)
  await app.app.operator.administration.ban(ada.email, { until: null, reason: null })
  t.match(await app.login(holder.get(await app.requestOptions())), { status: 403, body: { code: 'account_banned' } })
})

t.test('MFA-10: a challenge counts once, also at another instance and at once', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp()
  const { holder } = await app.enroll(ada, { backupEligible: true })
  const other = await startApp(t, { clock: app.clock, join: true })
  const credential = holder.get(await app.requestOptions())
  const body = { credential, mode: 'json' }
  const elsewhere = () => other.api.call<TokenBody>('/v1/auth/passkey', { method: 'POST', body })
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, turn) => (turn % 2 ? elsewhere() : app.login(credential))),
  )
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.equal(answers.filter(({ status, body }) => status === 401 && body.code === 'invalid_credentials').length, 9)
  t.match(await elsewhere(), { status: 401 })
  const fresh = holder.get(await app.requestOptions())
  const used = await other.api.call<TokenBody>('/v1/auth/passkey', {
    method: 'POST',
    body: { credential: fresh, mode: 'json' },
  })
  t.equal(used.status, 200, 'a challenge of one instance is answered at the other')
})

t.test('metrics: sign-ins are counted by their way in', async (t) => {
  const metrics = await createMetrics()
  const app = await startPasskeyApp(t, { metrics })
  const ada = await app.api.signUp()
  const { holder } = await app.enroll(ada)
  await app.login(holder.get(await app.requestOptions()))
  await app.login(holder.get(await app.requestOptions(), { forged: true }))
  const { body } = await app.api.login({ email: ada.email, password: ada.password, mode: 'json' })
  const { mfa_token } = body as unknown as { mfa_token: string }
  const path = '/v1/auth/mfa'
  const options = await app.api.call<{ options: RequestOptions }>(`${path}/options`, {
    method: 'POST',
    body: { mfa_token },
  })
  const credential = holder.get(options.body.options)
  t.equal((await app.api.call(path, { method: 'POST', body: { mfa_token, credential } })).status, 200)
  const { value } = parseMetrics((await metrics.read()).text)
  t.equal(value('sallyport_sign_ins_total', 'method="passkey"'), 1)
  t.equal(value('sallyport_sign_ins_total', 'method="password"'), 1)
  t.equal(value('sallyport_sign_ins_total', 'method="mail"'), 0)
  t.equal(value('sallyport_logins_total', 'result="wrong_credentials"'), 1)
})

t.test('only of a passkey that is not registered is the client told that it is unknown', async (t) => {
  const app = await startPasskeyApp(t)
  const { holder, passkey } = await app.enroll(await app.api.signUp())
  const forged = await app.login(holder.get(await app.requestOptions(), { forged: true }))
  t.match(forged, { status: 401, body: { code: 'invalid_credentials' } })
  t.notOk('unknown_credential' in forged.body)
  await app.database.query((client) => client.passkey.delete({ where: { id: passkey.id } }))
  const unknown = await app.login(holder.get(await app.requestOptions()))
  t.match(unknown, { status: 401, body: { code: 'invalid_credentials', unknown_credential: true } })
})

t.test('challenges that were answered are deleted once they have expired', async (t) => {
  const app = await startPasskeyApp(t)
  const { holder } = await app.enroll(await app.api.signUp())
  await app.login(holder.get(await app.requestOptions()))
  const count = () => app.database.query((client) => client.spentChallenge.count())
  t.equal(await count(), 2)
  await app.app.operations.runMaintenance()
  t.equal(await count(), 2)
  app.clock.advance({ minutes: 6 })
  await app.app.operations.runMaintenance()
  t.equal(await count(), 0)
})

t.test(
  'a counter that goes back is a copy of a key that cannot be copied, and is ignored of one that can',
  async (t) => {
    const app = await startPasskeyApp(t)
    const [ada, bob] = [await app.api.signUp(), await app.api.signUp()]
    const { holder: single } = await app.enroll(ada)
    const { holder: synchronized } = await app.enroll(bob, { backupEligible: true })
    const use = async (holder: typeof single, counter: number) =>
      app.login(holder.get(await app.requestOptions(), { counter }))
    t.equal((await use(single, 7)).status, 200)
    for (const counter of [7, 6, 0])
      t.match(await use(single, counter), { status: 401, body: { code: 'invalid_credentials' } })
    t.equal((await use(single, 8)).status, 200, 'the key itself goes on')
    t.equal((await use(synchronized, 7)).status, 200)
    t.equal((await use(synchronized, 3)).status, 200)
    const events = await app.app.operator.audit.find({ userId: null, events: null, since: null, limit: 100 })
    const named = (name: string) => events.filter(({ event }) => event === name)
    t.match(named('passkey_counter_refused'), [{ userId: ada.userId, times: 3 }])
    t.match(named('passkey_counter_ignored'), [{ userId: bob.userId, detail: { counter: 3, last_counter: 7 } }])
    const copies = await app.database.query((client) => client.mail.findMany({ where: { kind: 'passkey_copied' } }))
    t.match(copies, [{ email: ada.email }], 'the owner is told once')
  },
)

t.test('MFA-10: whether a passkey can be copied never changes', async (t) => {
  const app = await startPasskeyApp(t)
  const { holder } = await app.enroll(await app.api.signUp())
  const flipped = holder.get(await app.requestOptions(), { backupEligible: true, backedUp: true })
  t.match(await app.login(flipped), { status: 401, body: { code: 'invalid_credentials' } })
  t.equal((await app.login(holder.get(await app.requestOptions()))).status, 200)
})

t.test('signals tell browsers which passkeys count, and the present name', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp({ name: 'Ada' })
  const { holder, accessToken } = await app.enroll(ada)
  t.strictSame((await app.api.call('/v1/me/passkeys/signals', { token: accessToken })).body, {
    rp_id: 'localhost',
    user_id: holder.userHandle,
    accepted_credential_ids: [holder.id],
    name: ada.email,
    display_name: 'Ada',
  })
})

t.test('related origins are published, without apps', async (t) => {
  const origins = ['https://example.com', 'https://example.de']
  const { api } = await startApp(t, {
    settings: {
      PUBLIC_URL: 'https://auth.example.com',
      PASSKEY_RP_ID: 'example.com',
      PASSKEY_ORIGINS: [...origins, `android:apk-key-hash:${'A'.repeat(43)}`].join(','),
    },
  })
  t.strictSame((await api.call('/.well-known/webauthn')).body, { origins })
})

t.test('a changed domain orphans passkeys, whose number is known', async (t) => {
  const app = await startPasskeyApp(t)
  const ada = await app.api.signUp()
  const { holder } = await app.enroll(ada)
  const settings = { PUBLIC_URL: 'https://auth.example.com' }
  const moved = await startApp(t, { clock: app.clock, join: true, settings })
  t.equal(await app.app.passkeys.countOrphaned(), 0)
  t.equal(await moved.app.passkeys.countOrphaned(), 1)
  const { body } = await moved.api.call<{ options: { challenge: string; rpId: string; userVerification: string } }>(
    '/v1/auth/passkey/options',
    { method: 'POST' },
  )
  const credential = holder.get(body.options, { origin: 'https://auth.example.com' })
  const answer = await moved.api.call<PasskeyBody>('/v1/auth/passkey', {
    method: 'POST',
    body: { credential, mode: 'json' },
  })
  t.match(answer, { status: 401, body: { code: 'invalid_credentials' } })
})
