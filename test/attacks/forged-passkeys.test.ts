// Passkeys that were not made or shown for this server, by this user, for this ceremony, now: one answer for all of them,
// and never an error of the server.

import fc from 'fast-check'
import t from 'tap'
import { createAuthenticator, type Changes, type CreationOptions } from '../support/authenticator.js'
import { startPasskeyApp } from '../support/passkey-calls.js'
import { watchStatements } from '../support/statements.js'
import { openTestDatabase } from '../support/database.js'

// The tests send more wrong passkeys than a network may.
const settings = { RATE_LIMIT: 'off' }
const refused = { status: 401, body: { code: 'invalid_credentials' } }
const notRegistered = { status: 422, body: { code: 'validation_failed', errors: [{ code: 'not_accepted' }] } }

/** What is wrong with an answer, both to a new passkey and to a sign-in. */
const forgeries: Record<string, Changes> = {
  'another site': { origin: 'https://evil.example.com' },
  'a port of the same host': { origin: 'http://localhost:3001' },
  'a subdomain': { origin: 'http://app.localhost:3000' },
  'the same host over https': { origin: 'https://localhost:3000' },
  'an app that is not listed': { origin: `android:apk-key-hash:${'A'.repeat(43)}` },
  'another domain': { rpId: 'example.com' },
  'an empty domain': { rpId: '' },
  'no user present': { userPresent: false },
  'a user who was not verified': { userVerified: false },
  'a frame of another site': { crossOrigin: true },
  'a challenge of its own': { challenge: Buffer.alloc(38, 7).toString('base64url') },
  'an empty challenge': { challenge: '' },
  'another ceremony': { type: 'webauthn.get ' },
}

t.test('MFA-10: a forged sign-in is refused, whatever is wrong with it', async (t) => {
  const app = await startPasskeyApp(t, { settings })
  const ada = await app.api.signUp()
  const { holder } = await app.enroll(ada)
  const other = (await app.enroll(await app.api.signUp())).holder
  const wrong: Record<string, Changes> = {
    ...forgeries,
    'the type of a new passkey': { type: 'webauthn.create' },
    'a forged signature': { forged: true },
    'another user': { userHandle: other.userHandle },
    'an unknown user': { userHandle: 'AAAA' },
  }
  for (const [name, changes] of Object.entries(wrong)) {
    t.match(await app.login(holder.get(await app.requestOptions(), changes)), refused, name)
  }
  const [one, two] = [holder.get(await app.requestOptions()), other.get(await app.requestOptions())]
  t.match(await app.login({ ...one, id: two.id, rawId: two.id }), refused, 'the id of another passkey')
  t.match(await app.login({ ...one, rawId: two.id }), refused, 'two ids')
  const mixed = { ...one, response: { ...one.response, authenticatorData: two.response.authenticatorData } }
  t.match(await app.login({ ...mixed, response: { ...mixed.response, signature: two.response.signature } }), refused)
  t.equal((await app.login(one)).status, 200, 'the genuine one counts')
  t.match(await app.login(one), refused, 'it counts once')
  const handleless = holder.get(await app.requestOptions(), { userHandle: null })
  t.equal((await app.login(handleless)).status, 200, 'the user handle may be absent')
})

t.test('MFA-10: a forged passkey is not registered, whatever is wrong with it', async (t) => {
  const app = await startPasskeyApp(t, { settings })
  const { accessToken } = await app.api.signUp()
  const other = await app.api.signUp()
  const add = async (options: CreationOptions, changes: Changes = {}) =>
    app.add(accessToken, { credential: app.authenticator.create(options, changes).credential })
  for (const [name, changes] of Object.entries({ ...forgeries, 'the type of a sign-in': { type: 'webauthn.get' } })) {
    t.match(await add(await app.creationOptions(accessToken), changes), notRegistered, name)
  }
  t.match(await add(await app.creationOptions(other.accessToken)), notRegistered, "another user's challenge")
  const { challenge } = await app.requestOptions()
  t.match(
    await add({ ...(await app.creationOptions(accessToken)), challenge }),
    notRegistered,
    'a challenge of a sign-in',
  )
  const expired = await app.creationOptions(accessToken)
  app.clock.advance({ minutes: 5 })
  t.match(await add(expired), notRegistered, 'an expired challenge')
  const genuine = app.authenticator.create(await app.creationOptions(accessToken)).credential
  const renamed = { ...genuine, id: 'AAAAAAAAAAAAAAAAAAAAAA', rawId: 'AAAAAAAAAAAAAAAAAAAAAA' }
  t.match(
    await app.add(accessToken, { credential: renamed }),
    notRegistered,
    'another id than the authenticator has signed',
  )
  t.equal(await app.database.query((client) => client.passkey.count()), 0)
  t.equal((await app.add(accessToken, { credential: genuine })).status, 201, 'the genuine one is registered')
})

t.test('MFA-10: a challenge is for one ceremony, and expires', async (t) => {
  const app = await startPasskeyApp(t, { settings })
  const ada = await app.api.signUp()
  const { holder } = await app.enroll(ada)
  const { body } = await app.login(holder.get(await app.requestOptions()))
  const { challenge } = await app.creationOptions(body.access_token ?? '')
  const options = await app.requestOptions()
  t.match(await app.login(holder.get({ ...options, challenge })), refused, 'a challenge of a registration')
  app.clock.advance({ minutes: 4, seconds: 58 })
  t.equal((await app.login(holder.get(options))).status, 200)
  const late = await app.requestOptions()
  app.clock.advance({ minutes: 5 })
  t.match(await app.login(holder.get(late)), refused)
})

t.test('options need no row, and tell of no user', async (t) => {
  const database = watchStatements(await openTestDatabase())
  const app = await startPasskeyApp(t, { settings, database })
  await app.enroll(await app.api.signUp())
  database.take()
  await app.requestOptions()
  t.strictSame(database.take(), [])
})

// Verified, they would have the server call addresses in certificates that a client has made.
t.test('attestation statements decide nothing', async (t) => {
  const app = await startPasskeyApp(t, { settings })
  const attStmt = new Map<string, number | Buffer | Buffer[]>([
    ['alg', -7],
    ['sig', Buffer.alloc(70)],
    ['x5c', [Buffer.alloc(300, 0x30)]],
  ])
  for (const fmt of ['packed', 'fido-u2f', 'tpm', 'apple', 'android-key', 'android-safetynet', 'unknown']) {
    const { accessToken } = await app.api.signUp()
    const made = app.authenticator.create(await app.creationOptions(accessToken), { attestation: { fmt, attStmt } })
    t.equal((await app.add(accessToken, { credential: made.credential })).status, 201, fmt)
  }
})

t.test('an answer of any bytes is refused, and never an error of the server', async (t) => {
  const app = await startPasskeyApp(t, { settings })
  const ada = await app.api.signUp()
  // The encoding of its signatures is unique, unlike that of ES256 (DER), so that every changed bit is wrong.
  const { holder } = await app.enroll(ada, { algorithm: 'EdDSA' })
  const { holder: other } = await app.enroll(await app.api.signUp(), { algorithm: 'ES256' })
  const signIn = async () => (await app.login(holder.get(await app.requestOptions()))).body.access_token ?? ''
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('base64url'))
  const flip = (text: string, at: number, bit: number) => {
    const changed = Buffer.from(text, 'base64url')
    changed.writeUInt8(changed.readUInt8(at % changed.length) ^ (1 << bit), at % changed.length)
    return changed.toString('base64url')
  }
  const place = fc.record({ at: fc.nat(), bit: fc.integer({ min: 0, max: 7 }) })
  const members = ['clientDataJSON', 'authenticatorData', 'signature'] as const
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...members), fc.oneof(bytes, place), async (member, change) => {
      const credential = holder.get(await app.requestOptions())
      const value = credential.response[member]
      const changed = typeof change === 'string' ? change : flip(value, change.at, change.bit)
      const answer = await app.login({ ...credential, response: { ...credential.response, [member]: changed } })
      return answer.status === 401 || (answer.status === 422 && changed === '')
    }),
    { numRuns: 150 },
  )
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, place), async (change) => {
      const credential = other.get(await app.requestOptions())
      const { response } = credential
      const signature = typeof change === 'string' ? change : flip(response.signature, change.at, change.bit)
      return (await app.login({ ...credential, response: { ...response, signature } })).status < 500
    }),
    { numRuns: 100 },
  )
  let token = await signIn()
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, place), async (change) => {
      const { credential } = app.authenticator.create(await app.creationOptions(token))
      const value = credential.response.attestationObject
      const changed = typeof change === 'string' ? change : flip(value, change.at, change.bit)
      const { response } = credential
      const answer = await app.add(token, {
        credential: { ...credential, response: { ...response, attestationObject: changed } },
      })
      // A bit that is not judged, such as one of the authenticator's model: the token has become stale.
      if (answer.status === 201) token = await signIn()
      return answer.status === 201 || answer.status === 422
    }),
    { numRuns: 100 },
  )
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (credential) => {
      const answer = await app.login(credential)
      return answer.status === 422 || answer.status === 400
    }),
    { numRuns: 100 },
  )
})

t.test('wrong passkeys of one network are limited, and right ones are not', async (t) => {
  const app = await startPasskeyApp(t)
  const { holder } = await app.enroll(await app.api.signUp())
  const wrong = holder.get(await app.requestOptions(), { forged: true })
  for (let count = 0; count < 100; count += 1) await app.login(wrong)
  t.match(await app.login(wrong), { status: 429, body: { code: 'rate_limited' } })
  const from = '192.0.2.7'
  for (let count = 0; count < 3; count += 1) {
    t.equal((await app.login(holder.get(await app.requestOptions()), { from })).status, 200)
  }
})

t.test('a passkey of one server is worth nothing at another of the same domain', async (t) => {
  const app = await startPasskeyApp(t, { settings })
  const elsewhere = createAuthenticator('https://shop.localhost')
  const { accessToken } = await app.api.signUp()
  const { credential } = elsewhere.create(await app.creationOptions(accessToken))
  t.match(await app.add(accessToken, { credential }), notRegistered)
})
