// The modules of the OpenID Foundation's "Dynamic OP" certification plan, by their names: clients register themselves, with
// response_type=code, private_key_jwt and the default response mode. Two things differ from the suite. PKCE is required of
// clients that register themselves, so they send it. And what this provider does not offer (request_uri, signed userinfo,
// pairwise subjects, logos) is shown to be announced so, and refused or left out as the specifications have it.

import { exportJWK, generateKeyPair, UnsecuredJWT, type CryptoKey, type JWK } from 'jose'
import * as client from 'openid-client'
import t, { type Test as Tap } from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { loopbackGet, startDocuments } from '../support/client-document.js'
import {
  authorizeInVain,
  checkCallback,
  checkIdToken,
  fetchUserInfo,
  redeem,
  requestOf,
  startSuite,
  type Changes,
  type Flow,
} from '../support/conformance.js'
import { CALLBACK, createParty, errorOf, type Party } from '../support/relying-party.js'

const suite = await startSuite(t, {
  publicGet: loopbackGet,
  settings: { OAUTH_REGISTRATION: 'open', RATE_LIMIT: 'off' },
})
const { provider, configuration } = suite
const { clock } = provider
const registrationEndpoint = String(configuration['registration_endpoint'])

interface Key {
  privateKey: CryptoKey
  jwk: JWK
}

async function createKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } }
}

const key = await createKey('first')

/** What the suite registers each of its clients with. */
const usual = {
  client_name: 'OIDF conformance test',
  redirect_uris: [CALLBACK],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  contacts: ['certification@example.com'],
  token_endpoint_auth_method: 'private_key_jwt',
}

interface Registration {
  status: number
  body: Record<string, unknown>
}

async function register(metadata: Record<string, unknown> = {}): Promise<Registration> {
  const body = JSON.stringify({ ...usual, jwks: { keys: [key.jwk] }, ...metadata })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(registrationEndpoint, { method: 'POST', body, headers })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** A client that has registered itself: OpenID Connect Registration, section 3.2. */
async function registered(t: Tap, metadata: Record<string, unknown> = {}, signsWith = key): Promise<Party> {
  const { status, body } = await register(metadata)
  t.equal(status, 201)
  t.notOk('client_secret' in body)
  const clientId = String(body['client_id'])
  const authentication = client.PrivateKeyJwt({ key: signsWith.privateKey, kid: String(signsWith.jwk.kid) })
  const config = await client.discovery(new URL(provider.issuer), clientId, {}, authentication, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is so marked to stand out; this is loopback
    execute: [client.allowInsecureRequests],
  })
  return createParty(config, { clientId, secret: null })
}

/** The request of most modules, with PKCE. */
async function challenged(party: Party, changes: Changes = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
  const request = requestOf(party, { code_challenge, code_challenge_method: 'S256', ...changes })
  return { request, pkceCodeVerifier }
}

async function authorize(t: Tap, party: Party, changes: Changes = {}): Promise<Flow> {
  const { request, pkceCodeVerifier } = await challenged(party, changes)
  const callback = new URL(await suite.openBrowser().goUntilElsewhere(request.address.href))
  checkCallback(t, provider, request, callback)
  return redeem(t, suite, party, { ...request, callback }, { pkceCodeVerifier })
}

/** What a user is shown who is not sent back. */
async function openErrorPage(party: Party, changes: Changes) {
  const { request } = await challenged(party, changes)
  return suite.openBrowser().open(request.address.href)
}

const supports = (name: string, value: string) => ((configuration[name] ?? []) as string[]).includes(value)

t.test('oidcc-idtoken-rs256', async (t) => {
  t.ok(supports('id_token_signing_alg_values_supported', 'RS256'))
  // The shared checks want the algorithm.
  await authorize(t, await registered(t, { id_token_signed_response_alg: 'RS256' }))
})

t.test('oidcc-idtoken-unsigned', async (t) => {
  t.notOk(supports('id_token_signing_alg_values_supported', 'none'), 'the module skips itself')
  const refused = await register({ id_token_signed_response_alg: 'none' })
  t.match(refused, { status: 400, body: { error: 'invalid_client_metadata' } })
})

t.test('oidcc-userinfo-rs256: not offered', async (t) => {
  t.notOk(configuration['userinfo_signing_alg_values_supported'])
  const { status, body } = await register({ userinfo_signed_response_alg: 'RS256' })
  t.equal(status, 201)
  t.notOk('userinfo_signed_response_alg' in body, 'the client is told that it is left out (RFC 7591, section 3.2.1)')
  const { tokens } = await authorize(t, await registered(t, { userinfo_signed_response_alg: 'RS256' }))
  const answer = await fetchUserInfo(suite, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  t.match(answer.headers.get('content-type'), /^application\/json/)
})

t.test('oidcc-ensure-redirect-uri-in-authorization-request', async (t) => {
  const page = await openErrorPage(await registered(t), { redirect_uri: null })
  t.equal(page.status, 400, 'an error page, and no redirect')
  t.match(page.html, /redirect_uri/)
})

const WITH_QUERY = `${CALLBACK}?foo=bar`

t.test('oidcc-redirect-uri-query-OK', async (t) => {
  const party = await registered(t, { redirect_uris: [WITH_QUERY] })
  // The library leaves the query out of the address that it redeems the code with.
  party.config[client.customFetch] = (url, { body, ...init }) => {
    const form = body instanceof URLSearchParams ? body : null
    if (form?.has('redirect_uri')) form.set('redirect_uri', WITH_QUERY)
    return fetch(url, { ...init, body: form })
  }
  const { callback } = await authorize(t, party, { redirect_uri: WITH_QUERY })
  t.equal(callback.searchParams.get('foo'), 'bar')
})

for (const [name, registeredUri, requestedUri] of [
  ['oidcc-redirect-uri-query-mismatch', WITH_QUERY, `${CALLBACK}?bar=foo`],
  ['oidcc-redirect-uri-query-added', CALLBACK, WITH_QUERY],
] as const) {
  t.test(name, async (t) => {
    const party = await registered(t, { redirect_uris: [registeredUri] })
    const page = await openErrorPage(party, { redirect_uri: requestedUri })
    t.equal(page.status, 400, 'an error page, and no redirect')
    t.match(page.html, /invalid_redirect_uri/)
  })
}

t.test('oidcc-redirect-uri-regfrag', async (t) => {
  const refused = await register({ redirect_uris: [`${CALLBACK}#foobar`] })
  t.match(refused, { status: 400, body: { error: 'invalid_redirect_uri' } })
})

// The rest of the module is that of the plan "Config OP": config.test.ts.
t.test('oidcc-discovery-endpoint-verification', async (t) => {
  t.equal(registrationEndpoint, `${provider.issuer}/oauth/register`)
  t.ok(supports('token_endpoint_auth_methods_supported', 'private_key_jwt'))
  t.ok(supports('token_endpoint_auth_signing_alg_values_supported', 'RS256'))
})

t.test('oidcc-server', async (t) => {
  const { callback, tokens } = await authorize(t, await registered(t))
  t.strictSame([...callback.searchParams.keys()].sort(), ['code', 'iss', 'state'])
  t.match(tokens.access_token, /^[\x21-\x7E]+$/)
})

for (const member of ['logo_uri', 'policy_uri', 'tos_uri']) {
  t.test(`oidcc-registration-${member.replace('_', '-')}: not shown`, async (t) => {
    const address = 'https://app.example.com/of-the-client'
    const party = await registered(t, { [member]: address })
    const { request } = await challenged(party)
    const page = await suite.openBrowser().open(request.address.href)
    t.match(page.url, /\/signin/, 'the registration succeeds, and leads to the login page')
    t.notMatch(page.html, address, 'which shows nothing of what strangers choose but names and hosts')
  })
}

/** A client whose keys are where it says, and can be others later. */
async function registeredWithAddress(t: Tap, metadata: Record<string, unknown> = {}) {
  const server = await startDocuments(t)
  const publish = ({ jwk }: Key) =>
    server.publish('/jwks', (response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] })),
    )
  const jwks_uri = publish(key)
  return { party: await registered(t, { jwks: undefined, jwks_uri, ...metadata }), server, publish }
}

t.test('oidcc-registration-jwks-uri', async (t) => {
  const { party, server } = await registeredWithAddress(t)
  await authorize(t, party)
  t.strictSame(server.takeAsked(), ['/jwks'], 'the keys are asked for once')
})

for (const [name, redirectUris] of [
  ['oidcc-registration-sector-uri', [CALLBACK]],
  ['oidcc-registration-sector-bad', ['https://other.example.com/callback']],
] as const) {
  t.test(name, async (t) => {
    t.strictSame(configuration['subject_types_supported'], ['public'], 'the module skips itself')
    const server = await startDocuments(t)
    const sector_identifier_uri = server.publish('/redirect_uris.json', (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(redirectUris))
    })
    const { status, body } = await register({ subject_type: 'pairwise', sector_identifier_uri })
    t.equal(status, 201)
    for (const member of ['subject_type', 'sector_identifier_uri']) t.notOk(member in body, 'the client is told so')
    t.strictSame(server.takeAsked(), [], 'and the address is not asked')
  })
}

t.test('oidcc-server-rotate-keys', async (t) => {
  const readKeys = async () => {
    const { keys } = (await (await fetch(String(configuration['jwks_uri']))).json()) as { keys: JWK[] }
    t.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length)
    for (const each of keys) for (const secret of ['d', 'p', 'q', 'k']) t.notOk(secret in each)
    return new Set(keys.map(({ kid }) => kid))
  }
  const before = await readKeys()
  // The suite reloads the key set, so it need not wait for the day that other verifiers are given.
  await runCommand(provider.app.operator, 'keys:rotate', ['--force'])
  const after = await readKeys()
  t.ok(
    [...after].some((kid) => !before.has(kid)),
    'there is a new key',
  )
  t.ok(
    [...before].every((kid) => after.has(kid)),
    'and the old ones are still there',
  )
  await authorize(t, await registered(t))
})

t.test('oidcc-refresh-token-rp-key-rotation', async (t) => {
  const metadata = { grant_types: ['authorization_code', 'refresh_token'] }
  const { party, publish, server } = await registeredWithAddress(t, metadata)
  const { tokens } = await authorize(t, party, { scope: 'openid offline_access', prompt: 'consent' })
  const next = await createKey('second')
  publish(next)
  server.takeAsked()
  const sign = async ({ privateKey, jwk }: Key) =>
    client.discovery(
      new URL(provider.issuer),
      party.clientId,
      {},
      client.PrivateKeyJwt({ key: privateKey, kid: String(jwk.kid) }),
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is so marked to stand out; this is loopback
      { execute: [client.allowInsecureRequests] },
    )
  const [rotated, former] = [await sign(next), await sign(key)]
  // As the suite, which waits: keys are asked for once a minute at most. The library has no clock but the process's own.
  const now = Date.now.bind(Date)
  t.intercept(Date, 'now', { value: () => now() + 61_000 })
  const refreshed = await client.refreshTokenGrant(rotated, tokens.refresh_token ?? '')
  await checkIdToken(t, provider, party, refreshed)
  t.strictSame(server.takeAsked(), ['/jwks'])
  const withFormer = client.refreshTokenGrant(former, refreshed.refresh_token ?? '')
  t.equal(await errorOf(withFormer), 'invalid_client', 'the former key counts no more')
})

for (const [name, changes] of [
  ['oidcc-request-uri-unsigned', {}],
  ['oidcc-request-uri-signed-rs256', { request_object_signing_alg: 'RS256' }],
] as const) {
  t.test(`${name}: not offered`, async (t) => {
    t.equal(configuration['request_uri_parameter_supported'], false)
    const server = await startDocuments(t)
    const party = await registered(t, { request_uris: [`${server.origin}/request.jwt`], ...changes })
    const { request } = await challenged(party, { request_uri: `${server.origin}/request.jwt` })
    t.equal(await authorizeInVain(t, suite.openBrowser(), request), 'request_uri_not_supported')
    t.strictSame(server.takeAsked(), [], 'the address is not asked')
  })
}

t.test('oidcc-ensure-request-object-with-redirect-uri: not offered', async (t) => {
  t.equal(configuration['request_parameter_supported'], false)
  const party = await registered(t)
  const object = new UnsecuredJWT({ client_id: party.clientId, redirect_uri: CALLBACK }).encode()
  const page = await openErrorPage(party, { request: object, redirect_uri: `${CALLBACK}/other` })
  t.equal(page.status, 400, 'an address that is not registered is never returned to')
})

t.test('oidcc-refresh-token', async (t) => {
  const metadata = { grant_types: ['authorization_code', 'refresh_token'] }
  const parties = [await registered(t, metadata), await registered(t, metadata)] as const
  const refreshTokens: string[] = []
  for (const party of parties) {
    const { tokens, claims } = await authorize(t, party, { scope: 'openid offline_access', prompt: 'consent' })
    clock.advance({ seconds: 1 })
    const refreshed = await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')
    const after = await checkIdToken(t, provider, party, refreshed)
    for (const name of ['iss', 'sub', 'aud', 'auth_time'] as const) t.strictSame(after[name], claims[name])
    t.not(refreshed.access_token, tokens.access_token)
    refreshTokens.push(refreshed.refresh_token ?? '')
  }
  const [first, second] = parties
  const [, ofSecond = ''] = refreshTokens
  t.equal(await errorOf(client.refreshTokenGrant(first.config, ofSecond)), 'invalid_grant', 'it is bound to the client')
  t.ok((await client.refreshTokenGrant(second.config, ofSecond)).access_token)
})

t.test('oidcc-ensure-client-assertion-with-iss-aud-succeeds', async (t) => {
  const { clientId } = await registered(t)
  const audiences: unknown[] = []
  const authentication = client.PrivateKeyJwt(
    { key: key.privateKey, kid: 'first' },
    {
      [client.modifyAssertion](_header, payload) {
        payload.aud = provider.issuer
        audiences.push(payload.aud)
      },
    },
  )
  const config = await client.discovery(new URL(provider.issuer), clientId, {}, authentication, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is so marked to stand out; this is loopback
    execute: [client.allowInsecureRequests],
  })
  await authorize(t, createParty(config, { clientId, secret: null }))
  t.strictSame(audiences, [provider.issuer])
})
