import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import t from 'tap'
import { Secret } from '../../../src/platform/crypto/secret.js'
import type { JWTPayload } from 'jose'
import { createTestClock } from '../../support/clock.js'
import { newChecks, problemOf, settingsOf, startProvider } from '../../support/upstream-calls.js'
import { startUpstream, type Upstream } from '../../support/upstream-provider.js'

const REFUSED = 'provider_response_invalid'

t.test('EML-13: an OpenID provider tells who the person is, by its issuer and their subject', async (t) => {
  const upstream = await startUpstream(t)
  const { signIn, counted } = await startProvider(settingsOf(upstream))
  t.strictSame(await signIn((address) => upstream.signInAs('ada', address)), {
    identity: {
      ...{ provider: 'upstream', issuer: upstream.issuer, subject: 'ada' },
      ...{ email: 'ada@example.com', isEmailVerified: true, isAuthoritative: false },
      ...{ name: 'Ada', tenant: null, amr: [] },
    },
  })
  t.strictSame(await signIn((address) => upstream.refuse(address)), { denied: true })
  t.strictSame(counted, ['succeeded', 'denied'])
})

t.test('EML-15: state, nonce and PKCE S256 are in the request, and the verifier is not', async (t) => {
  const upstream = await startUpstream(t)
  const { provider } = await startProvider(settingsOf(upstream))
  const checks = newChecks()
  const { searchParams, origin } = await provider.authorizationUrl(checks)
  t.equal(origin, upstream.origin)
  t.match(Object.fromEntries(searchParams), {
    ...{ response_type: 'code', client_id: upstream.clientId, redirect_uri: checks.redirectUri },
    ...{ scope: 'openid email profile', state: checks.state, nonce: checks.nonce, code_challenge_method: 'S256' },
  })
  t.equal(searchParams.get('code_challenge')?.length, 43)
  t.notOk(searchParams.toString().includes(checks.codeVerifier))
  t.notOk(searchParams.has('response_mode'))
})

t.test('EML-15: a callback with another state, verifier or nonce is refused', async (t) => {
  const upstream = await startUpstream(t)
  const { signIn, counted } = await startProvider(settingsOf(upstream))
  const asAda = (address: URL) => upstream.signInAs('ada', address)
  const { state, nonce, codeVerifier } = newChecks()
  for (const checks of [{ state }, { nonce }, { codeVerifier }]) {
    t.equal(await problemOf(signIn(asAda, { checks })), REFUSED, Object.keys(checks).join())
  }
  const changes: Record<string, (all: URLSearchParams) => void> = {
    'no state': (all) => all.delete('state'),
    'two states': (all) => all.append('state', 'x'),
    'no code': (all) => all.delete('code'),
    'another code': (all) => all.set('code', 'x'),
    'an ID token of the address': (all) => all.set('id_token', 'x'),
    'a denial with another state': (all) => {
      all.set('error', 'access_denied')
      all.set('state', 'x')
    },
    'an error': (all) => all.set('error', 'server_error'),
  }
  for (const [name, change] of Object.entries(changes)) {
    const parameters = (all: URLSearchParams) => {
      change(all)
      return all
    }
    t.equal(await problemOf(signIn(asAda, { parameters })), REFUSED, name)
  }
  t.ok(counted.every((result) => result === 'invalid'))
  t.match(await signIn(asAda), { identity: { subject: 'ada' } })
})

t.test('EML-15: iss of the callback is checked, and has to be there where the provider says so', async (t) => {
  const upstream = await startUpstream(t)
  const { signIn } = await startProvider(settingsOf(upstream))
  const ada = () => problemOf(signIn((address) => upstream.signInAs('ada', address)))
  t.equal(await ada(), 'none')
  for (const issParameter of [
    'missing',
    { wrong: 'https://evil.example.com' },
    { wrong: `${upstream.issuer}/` },
  ] as const) {
    upstream.switches.issParameter = issParameter
    t.equal(await ada(), REFUSED)
    t.equal(await problemOf(signIn((address) => upstream.refuse(address))), REFUSED, 'a denial too')
  }
  const silent = await startUpstream(t)
  silent.switches.announcesIss = false
  const other = await startProvider(settingsOf(silent))
  silent.switches.issParameter = 'missing'
  t.equal(await problemOf(other.signIn((address) => silent.signInAs('ada', address))), 'none')
  silent.switches.issParameter = { wrong: upstream.issuer }
  t.equal(await problemOf(other.signIn((address) => silent.signInAs('ada', address))), REFUSED)
})

t.test('EML-14: the issuer is that of the settings, whatever the token says', async (t) => {
  const [upstream, other] = [await startUpstream(t), await startUpstream(t)]
  const { signIn } = await startProvider(settingsOf(upstream))
  const ada = () => problemOf(signIn((address) => upstream.signInAs('ada', address)))
  for (const iss of [
    other.issuer,
    `${upstream.issuer}/`,
    upstream.issuer.toUpperCase(),
    undefined,
    [upstream.issuer],
  ]) {
    upstream.switches.idToken = (claims) => ({ ...claims, iss }) as JWTPayload
    t.equal(await ada(), REFUSED, String(iss))
  }
  // A token of another provider that is genuine there.
  const foreign = await other.mintIdToken('ada')
  upstream.switches.idToken = (claims) => claims
  t.equal(await ada(), 'none')
  t.equal(
    await problemOf(startProvider(settingsOf(upstream)).then(({ provider }) => provider.verifyIdToken(shown(foreign)))),
    'id_token_invalid',
  )
})

t.test('EML-14: a discovery document of another issuer is refused', async (t) => {
  const upstream = await startUpstream(t)
  upstream.switches.discovery = (document) => ({ ...document, issuer: 'https://accounts.google.com' })
  const { provider } = await startProvider(settingsOf(upstream))
  t.equal(await problemOf(provider.authorizationUrl(newChecks())), 'provider_unavailable')
})

t.test('EML-15: an ID token with anything wrong is refused', async (t) => {
  const upstream = await startUpstream(t)
  const { signIn } = await startProvider(settingsOf(upstream, { audiences: ['an-app'] }))
  const ada = () => problemOf(signIn((address) => upstream.signInAs('ada', address)))
  const wrong: Record<string, JWTPayload> = {
    'another audience': { aud: 'another' },
    'the audience of an app, which does not redeem codes': { aud: 'an-app' },
    'another audience besides': { aud: [upstream.clientId, 'another'] },
    'no audience': { aud: undefined as never },
    'no nonce': { nonce: undefined },
    'another nonce': { nonce: 'x' },
    expired: { exp: Math.floor(Date.now() / 1000) - 31 },
    'no end': { exp: undefined as never },
    'not yet': { nbf: Math.floor(Date.now() / 1000) + 600 },
    'no subject': { sub: undefined as never },
    'an empty subject': { sub: '' },
    'a long subject': { sub: 'a'.repeat(256) },
    'another at_hash': { at_hash: 'x' },
  }
  for (const [name, change] of Object.entries(wrong)) {
    upstream.switches.idToken = (claims) => ({ ...claims, ...change })
    t.equal(await ada(), REFUSED, name)
  }
  upstream.switches.idToken = (claims) => claims
  for (const signer of ['other', 'hmac', 'none'] as const) {
    upstream.switches.signer = signer
    t.equal(await ada(), REFUSED, signer)
  }
  upstream.switches.signer = 'published'
  t.equal(await ada(), 'none')
})

t.test('EML-13: email_verified is true or it is not, and the text "true" is not', async (t) => {
  const upstream = await startUpstream(t)
  const { signIn } = await startProvider(settingsOf(upstream, { authoritative: true }))
  for (const value of [true, false, undefined, 'false', 'true', 1, null, {}]) {
    upstream.people.set('ada', { email: 'Ada@Example.com', email_verified: value })
    t.match(
      await signIn((address) => upstream.signInAs('ada', address)),
      { identity: { email: 'ada@example.com', isEmailVerified: value === true, isAuthoritative: value === true } },
      JSON.stringify(value),
    )
  }
  for (const email of ['', 'ada', 'ada@example.com\n', ['ada@example.com'], null, undefined, 'a!b@example.com']) {
    upstream.people.set('ada', { email, email_verified: true })
    const expected = typeof email === 'string' && email.trim() === 'ada@example.com' ? 'ada@example.com' : null
    t.match(await signIn((address) => upstream.signInAs('ada', address)), { identity: { email: expected } })
  }
})

t.test('EML-13: an address that is not in the ID token is asked for, together with its flag', async (t) => {
  const upstream = await startUpstream(t)
  const settings = settingsOf(upstream)
  const { signIn } = await startProvider(settings)
  const ada = () => signIn((address) => upstream.signInAs('ada', address))
  upstream.switches.idToken = (claims) => ({ ...claims, email: undefined, email_verified: true })
  upstream.people.set('ada', { email: 'ada@example.com', email_verified: false, name: 'Ada' })
  t.match(await ada(), { identity: { email: 'ada@example.com', isEmailVerified: false, name: 'Ada' } })
  t.ok(upstream.asked.includes('GET /me'))
  upstream.switches.trouble.userinfo = 'error'
  t.equal(await problemOf(ada()), 'provider_unavailable')
  upstream.switches.trouble.userinfo = undefined
  // The person at the address for users has to be the one of the token.
  upstream.switches.idToken = (claims) => ({ ...claims, email: undefined, sub: 'bob' })
  t.equal(await problemOf(ada()), REFUSED)
})

t.test('EML-15: form_post is asked for where the settings say so, and its parameters are judged alike', async (t) => {
  const upstream = await startUpstream(t)
  const { provider, signIn } = await startProvider(settingsOf(upstream, { responseMode: 'form_post' }))
  t.equal(provider.responseMode, 'form_post')
  const checks = newChecks()
  const address = await provider.authorizationUrl(checks)
  t.equal(address.searchParams.get('response_mode'), 'form_post')
  const callback = await upstream.signInAs('ada', address)
  t.match(callback, { method: 'POST', url: checks.redirectUri })
  t.match(await provider.redeem(callback.parameters, checks), { identity: { subject: 'ada' } })
  upstream.switches.issParameter = { wrong: 'https://evil.example.com' }
  t.equal(await problemOf(signIn((address) => upstream.signInAs('ada', address))), REFUSED)
})

t.test('EML-14: keys are read again for one that is unknown, at most once a second', async (t) => {
  const upstream = await startUpstream(t)
  const { signIn, clock } = await startProvider(settingsOf(upstream))
  const ada = () => problemOf(signIn((address) => upstream.signInAs('ada', address)))
  const reads = () => upstream.asked.filter((request) => request === 'GET /jwks').length
  t.equal(await ada(), 'none')
  t.equal(await ada(), 'none')
  t.equal(reads(), 1)
  await upstream.rotateKeys()
  clock.advance({ seconds: 1 })
  t.equal(await ada(), 'none')
  t.equal(reads(), 2)
  await upstream.rotateKeys()
  t.equal(await ada(), REFUSED, 'within the same second')
  t.equal(reads(), 2)
  clock.advance({ seconds: 1 })
  t.equal(await ada(), 'none')
  t.equal(reads(), 3)
})

t.test('the discovery document and the keys are kept for an hour, and longer where the provider is away', async (t) => {
  const clock = createTestClock()
  const upstream = await startUpstream(t, { clock })
  const { signIn } = await startProvider(settingsOf(upstream), { clock })
  const ada = () => problemOf(signIn((address) => upstream.signInAs('ada', address)))
  const reads = (path: string) => upstream.asked.filter((request) => request === `GET ${path}`).length
  const discovery = '/.well-known/openid-configuration'
  t.equal(await ada(), 'none')
  clock.advance({ minutes: 59 })
  t.equal(await ada(), 'none')
  t.strictSame([reads(discovery), reads('/jwks')], [1, 1])
  clock.advance({ minutes: 2 })
  t.equal(await ada(), 'none')
  t.strictSame([reads(discovery), reads('/jwks')], [2, 2])
  clock.advance({ hours: 2 })
  upstream.switches.trouble.discovery = 'error'
  t.equal(await ada(), 'none')
})

t.test('EML-14: of many tenants each has its issuer, and only those in the list are accepted', async (t) => {
  const upstream = await startUpstream(t, { tenants: true, clientAuthentication: 'client_secret_post' })
  const tenants = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'] as const
  const person = { oid: 'the-object-id', email: 'ada@example.com', name: 'Ada' }
  const settings = settingsOf(upstream, { preset: 'microsoft', tenants: [...tenants] })
  const { signIn } = await startProvider(settings)
  const ada = () => signIn((address) => upstream.signInAs('ada', address))
  const issuerOf = (tid: string) => upstream.issuer.replace('{tenantid}', tid)
  for (const tid of tenants) {
    upstream.people.set('ada', { ...person, tid })
    upstream.switches.issParameter = { wrong: issuerOf(tid) }
    t.match(await ada(), {
      identity: { issuer: issuerOf(tid), subject: 'the-object-id', tenant: tid, isEmailVerified: false },
    })
  }
  upstream.switches.issParameter = { wrong: issuerOf(tenants[0]) }
  t.equal(await problemOf(ada()), REFUSED, 'the callback is of another tenant than the token')
  upstream.switches.issParameter = 'missing'
  t.equal(await problemOf(ada()), REFUSED, 'it says that it sends iss')
  const other = '33333333-3333-4333-8333-333333333333'
  upstream.people.set('ada', { ...person, tid: other })
  upstream.switches.issParameter = { wrong: issuerOf(other) }
  t.equal(await problemOf(ada()), REFUSED, 'a tenant that is not in the list')
  // All would fit but the issuer of the token.
  upstream.people.set('ada', { ...person, tid: tenants[0] })
  upstream.switches.issParameter = { wrong: issuerOf(tenants[1]) }
  upstream.switches.idToken = (claims) => ({ ...claims, tid: tenants[1] })
  t.equal(await problemOf(ada()), REFUSED, 'a tenant that is not the one of the issuer')
  upstream.switches.idToken = (claims) => ({ ...claims, iss: upstream.issuer, tid: '{tenantid}' })
  t.equal(await problemOf(ada()), REFUSED, 'the template itself')
  const all = await startProvider({ ...settings, tenants: ['*'] })
  upstream.switches.idToken = (claims) => claims
  upstream.people.set('ada', { ...person, tid: other })
  upstream.switches.issParameter = { wrong: issuerOf(other) }
  t.match(await all.signIn((address) => upstream.signInAs('ada', address)), { identity: { tenant: other } })
})

t.test("Apple's secret is a JWT that is made for each request", async (t) => {
  const upstream = await startUpstream(t, { clientAuthentication: 'client_secret_post' })
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const { signIn, provider } = await startProvider(
    settingsOf(upstream, {
      ...{ preset: 'apple', responseMode: 'query', scopes: ['openid', 'email', 'profile'] },
      ...{ clientSecret: new Secret(pem), apple: { teamId: 'TEAM000001', keyId: 'KEY0000001' } },
    }),
  )
  t.equal(provider.preset, 'apple')
  upstream.switches.acceptsSecret = (secret) => secret.split('.').length === 3
  upstream.people.set('ada', { email: 'ada@example.com', email_verified: 'true' })
  t.match(await signIn((address) => upstream.signInAs('ada', address)), {
    identity: { isEmailVerified: true, isAuthoritative: true },
  })
  await judgeSecret(t, upstream, publicKey)
})

async function judgeSecret(t: Tap, upstream: Upstream, publicKey: KeyObject): Promise<void> {
  const secret = String(upstream.redemptions[0]?.body.client_secret)
  t.strictSame(decodeProtectedHeader(secret), { alg: 'ES256', kid: 'KEY0000001' })
  const { payload } = await jwtVerify(secret, createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })))
  t.match(payload, { iss: 'TEAM000001', sub: upstream.clientId, aud: upstream.issuer })
  t.equal(Number(payload.exp) - Number(payload.iat), 300)
}

t.test('Apple tells the name once, beside the code, and it is no more than a name', async (t) => {
  const upstream = await startUpstream(t)
  upstream.people.set('ada', { email: 'ada@example.com', email_verified: true })
  const { signIn } = await startProvider(settingsOf(upstream))
  const user = { name: { firstName: 'Ada', lastName: 'Lovelace' }, email: 'evil@example.com' }
  for (const [text, name] of [
    [JSON.stringify(user), 'Ada Lovelace'],
    [JSON.stringify({ name: { firstName: 'Ada\n', lastName: 7 } }), 'Ada'],
    ['{"name":', null],
    ['null', null],
    ['[]', null],
  ] as const) {
    const parameters = (all: URLSearchParams) => new URLSearchParams([...all, ['user', text]])
    const { identity } = (await signIn((address) => upstream.signInAs('ada', address), { parameters })) as never
    t.match(identity, { name, email: 'ada@example.com' })
  }
})

function shown(idToken: string) {
  return { idToken, nonce: null, accessToken: null, name: null }
}

type Tap = Pick<typeof t, 'strictSame' | 'match' | 'equal'>
