// What clients do with the tokens of the OpenID provider: both promises hold for them, too.

import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import { createVerifier, VerificationError } from '../../src/sdk/verifier/verifier.js'
import { runCommand } from '../../src/commands/commands.js'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { until } from '../support/until.js'
import { askForTokens, errorOf, openBrowser, registerParty, startProvider } from '../support/relying-party.js'

const publicClient = { token_endpoint_auth_method: 'none' }

async function signIn(t: Parameters<typeof startProvider>[0], metadata: Record<string, unknown> = publicClient) {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp()
  const party = await registerParty(provider, metadata)
  const tokens = await party.signIn(openBrowser(provider, ada))
  const refresh = (token = '', headers: Record<string, string> = {}, others: Record<string, string> = {}) =>
    askForTokens(
      provider,
      { grant_type: 'refresh_token', refresh_token: token, client_id: party.clientId, ...others },
      headers,
    )
  return { provider, ada, party, tokens, refresh }
}

t.test('a refresh rotates, and the ID token still names the session', async (t) => {
  const { party, tokens, provider } = await signIn(t, {})
  provider.clock.advance({ minutes: 1 })
  const refreshed = await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')
  t.not(refreshed.refresh_token, tokens.refresh_token)
  t.match(refreshed.claims(), { sub: tokens.claims()?.sub, sid: tokens.claims()?.['sid'] })
  t.equal(refreshed.claims()?.auth_time, tokens.claims()?.auth_time)
  t.equal(decodeJwt(refreshed.access_token)['sid'], decodeJwt(tokens.access_token)['sid'])
  await client.fetchUserInfo(party.config, refreshed.access_token, tokens.claims()?.sub ?? '')
})

t.test('a refresh can ask for less, and unknown scopes are left out', async (t) => {
  const { tokens, refresh } = await signIn(t)
  const less = await refresh(tokens.refresh_token, {}, { scope: 'openid nonsense' })
  t.match(less, { status: 200, body: { scope: 'openid' } })
  t.equal(decodeJwt(less.body['access_token'] ?? '')['scope'], 'openid')
  const again = await refresh(less.body['refresh_token'])
  t.equal(decodeJwt(again.body['access_token'] ?? '')['scope'], 'openid profile email', 'the session has not lost any')
})

t.test('a lost answer is given again: by its key after a day, without one for a moment', async (t) => {
  const { provider, tokens, refresh } = await signIn(t)
  const key = { 'idempotency-key': 'f7c3bc1d808e04732adf679965ccc34ca7ae3441' }
  const first = await refresh(tokens.refresh_token, key)
  provider.clock.advance({ days: 1 })
  const repeated = await refresh(tokens.refresh_token, key)
  t.match(repeated, { status: 200, body: { refresh_token: first.body['refresh_token'] } })
  const next = await refresh(first.body['refresh_token'])
  t.equal((await refresh(first.body['refresh_token'])).body['refresh_token'], next.body['refresh_token'])
  t.match(await refresh(next.body['refresh_token'], { 'idempotency-key': 'short' }), {
    status: 400,
    body: { error: 'invalid_request' },
  })
})

t.test('a stolen refresh token is found at its next use, and the session ends', async (t) => {
  const { provider, tokens, refresh } = await signIn(t)
  const second = await refresh(tokens.refresh_token)
  provider.clock.advance({ minutes: 1 })
  t.match(await refresh(tokens.refresh_token), {
    status: 400,
    body: { error: 'invalid_grant', error_description: 'refresh_token_reused' },
  })
  t.match(await refresh(second.body['refresh_token']), {
    status: 400,
    body: { error: 'invalid_grant', error_description: 'session_ended' },
  })
})

t.test('a refresh token is for its client, and not for our own routes', async (t) => {
  const { provider, tokens, refresh } = await signIn(t)
  const other = await registerParty(provider, publicClient)
  t.match(await refresh(tokens.refresh_token, {}, { client_id: other.clientId }), {
    status: 400,
    body: { error: 'invalid_grant' },
  })
  t.match(await provider.api.refresh(tokens.refresh_token ?? ''), {
    status: 401,
    body: { code: 'refresh_token_invalid' },
  })
  const ours = await provider.api.signUp()
  t.match(await refresh(ours.refreshToken), { status: 400, body: { error: 'invalid_grant' } })
  t.match(await refresh(tokens.refresh_token), { status: 200 }, 'none of this has ended the session')
})

t.test('client credentials: scopes by resource, and a token without a user', async (t) => {
  const provider = await startProvider(t)
  const { resources } = provider.app.operator.clients
  const resource = 'https://orders.example.com'
  await resources.create({
    identifier: resource,
    name: 'Orders',
    scopes: ['orders:read', 'orders:write'],
    accessTtlSeconds: 120,
    alg: null,
  })
  const machine = { grant_types: ['client_credentials'], redirect_uris: [], scope: 'orders:read' }
  const party = await registerParty(provider, machine)
  const tokens = await client.clientCredentialsGrant(party.config, { resource, scope: 'orders:read orders:write' })
  t.equal(tokens.expires_in, 120)
  t.equal(tokens.scope, 'orders:read')
  const claims = decodeJwt(tokens.access_token)
  t.match(claims, { sub: party.clientId, client_id: party.clientId, aud: resource, scope: 'orders:read' })
  t.notOk('sid' in claims)
  t.equal(
    await errorOf(client.clientCredentialsGrant(party.config, { resource: 'https://unknown.example.com' })),
    'invalid_target',
  )
  const wrong = `Basic ${btoa(`${party.clientId}:wrong`)}`
  t.match(await askForTokens(provider, { grant_type: 'client_credentials' }, { authorization: wrong }), {
    status: 401,
    body: { error: 'invalid_client' },
  })
})

t.test('alg: a resource gets ES256, whatever SIGNING_ALGORITHM is, and its keys rotate with the others', async (t) => {
  const provider = await startProvider(t, { settings: { SIGNING_ALGORITHM: 'EdDSA' } })
  const { clients } = provider.app.operator
  const [resource, other] = ['https://orders.example.com', 'https://bills.example.com']
  const common = { name: null, scopes: ['read'], accessTtlSeconds: null }
  await clients.resources.create({ ...common, identifier: resource, alg: 'ES256' })
  await clients.resources.create({ ...common, identifier: other, alg: null })
  const party = await registerParty(provider, {
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  })
  const browser = openBrowser(provider, await provider.api.signUp())
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/.well-known/jwks.json`), { cooldownDuration: 0 })
  const check = async (token: string, audience: string) =>
    (
      await jwtVerify(token, keys, {
        ...{ issuer: provider.issuer, audience, typ: 'at+jwt' },
        currentDate: provider.clock.now(),
      })
    ).protectedHeader
  const own = async (audience: string) =>
    check((await client.clientCredentialsGrant(party.config, { resource: audience })).access_token, audience)

  t.match([await own(resource), await own(other)], [{ alg: 'ES256' }, { alg: 'EdDSA' }])
  const tokens = await party.signIn(browser, { resource, scope: 'openid read' })
  const first = await check(tokens.access_token, resource)
  t.equal(first.alg, 'ES256')
  await client.fetchUserInfo(party.config, tokens.access_token, tokens.claims()?.sub ?? '')

  provider.clock.advance({ days: 2 })
  await runCommand(provider.app.operator, 'keys:rotate', [])
  const refreshed = await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')
  const second = await check(refreshed.access_token, resource)
  t.equal(second.alg, 'ES256')
  t.not(second.kid, first.kid)
  await client.fetchUserInfo(party.config, refreshed.access_token, tokens.claims()?.sub ?? '')
  await runCommand(provider.app.operator, 'keys:revoke', ['--kid', second.kid ?? ''])
  await t.rejects(client.fetchUserInfo(party.config, refreshed.access_token, tokens.claims()?.sub ?? ''))
})

t.test('a verifier feels the end of a client’s session within a second', async (t) => {
  const { credential, sha256 } = createVerifierCredential()
  const provider = await startProvider(t, { settings: { VERIFIER_KEYS: `orders:${sha256}` } })
  const party = await registerParty(provider)
  const ada = await provider.api.signUp()
  const tokens = await party.signIn(openBrowser(provider, ada))
  const verifier = createVerifier({ issuer: provider.issuer, audience: provider.issuer, credential })
  t.teardown(async () => verifier.close())
  await verifier.ready()
  t.match(await verifier.verify(tokens.access_token), { client_id: party.clientId })
  await provider.api.call('/v1/me/apps/' + party.clientId, { method: 'DELETE', token: ada.accessToken })
  await until(async () => {
    const refused = await verifier.verify(tokens.access_token).catch((error: unknown) => error)
    return refused instanceof VerificationError && refused.code === 'session_ended'
  })
})

t.test('a logout at the provider ends the browser’s session, and what clients were given in it', async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp()
  const goodbye = 'https://app.example.com/goodbye'
  const party = await registerParty(provider, { post_logout_redirect_uris: [goodbye] })
  const browser = openBrowser(provider, ada)
  const tokens = await party.signIn(browser)
  const offline = await party.signIn(browser, { scope: 'openid offline_access' })
  const address = client.buildEndSessionUrl(party.config, {
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: goodbye,
    state: 'bye',
  })
  const page = await browser.open(address.href)
  t.match(page.html, /Sign out/)
  const { url } = await page.submit('/oauth/logout/confirm', {})
  t.equal(url, `${goodbye}?state=bye`)
  t.equal(await errorOf(client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')), 'invalid_grant')
  const gone = await party.authorize(browser, { prompt: 'none' })
  t.equal(gone.callback.searchParams.get('error'), 'login_required')
  await client.refreshTokenGrant(party.config, offline.refresh_token ?? '')
})

t.test('a user who is banned, and a client that is disabled, get nothing more', async (t) => {
  const { provider, ada, party, tokens, refresh } = await signIn(t)
  await provider.app.operator.clients.disable(party.clientId)
  t.match(await refresh(tokens.refresh_token), { status: 401, body: { error: 'invalid_client' } })
  await provider.app.operator.clients.enable(party.clientId)
  const { status, body } = await refresh(tokens.refresh_token)
  t.equal(status, 200)
  await provider.app.operator.administration.ban(ada.email, { until: null, reason: null })
  t.match(await refresh(body['refresh_token']), { status: 400, body: { error: 'invalid_grant' } })
})
