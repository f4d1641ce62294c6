// Tokens that are bound to a key of the client (RFC 9449), as openid-client uses them over real HTTP.

import { calculateJwkThumbprint, decodeJwt, exportJWK } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { startApp, type Test } from '../support/app.js'
import { createProofKey, type ProofKey } from '../support/dpop.js'
import { findFreePort } from '../support/free-port.js'
import {
  errorOf,
  openBrowser,
  redemptionOf,
  registerParty,
  startProvider,
  type Provider,
} from '../support/relying-party.js'

const startBinding = (t: Test, settings: Record<string, string> = {}) =>
  startProvider(t, { settings: { DPOP: 'on', ...settings } })

const publicClient = { token_endpoint_auth_method: 'none' }

const service = {
  ...{ client_name: 'Billing', redirect_uris: [], grant_types: ['client_credentials'] },
  default_resource: 'https://orders.example.com',
}

/** A form to the token endpoint with a proof, or without one. */
async function ask(
  { issuer }: Pick<Provider, 'issuer'>,
  fields: Record<string, string>,
  { proof, at = issuer, headers = {} }: { proof?: string; at?: string; headers?: Record<string, string> } = {},
) {
  const response = await fetch(`${at}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { ...headers, ...(proof !== undefined && { dpop: proof }) },
  })
  const body = (await response.json()) as Record<string, string | undefined>
  return { status: response.status, body, nonce: response.headers.get('dpop-nonce') }
}

const confirmationOf = (token = '') => decodeJwt<{ cnf?: { jkt: string } }>(token).cnf

async function createResource({ app }: Provider): Promise<void> {
  const shared = { name: null, scopes: ['orders:read'], accessTtlSeconds: null, alg: null }
  await app.operator.clients.resources.create({ identifier: 'https://orders.example.com', ...shared })
}

/** A service that asks for a token of its own. */
async function startService(t: Test, settings?: Record<string, string>) {
  const provider = await startBinding(t, settings)
  await createResource(provider)
  const { clientId, secret } = await registerParty(provider, {
    ...service,
    token_endpoint_auth_method: 'client_secret_post',
  })
  const fields = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret ?? '' }
  return { provider, fields, url: `${provider.issuer}/oauth/token` }
}

/** The public client of a user, whose tokens are bound. */
async function signIn(t: Test) {
  const provider = await startBinding(t)
  const ada = await provider.api.signUp()
  const party = await registerParty(provider, publicClient)
  const { callback, checks } = await party.authorize(openBrowser(provider, ada))
  const pair = await client.randomDPoPKeyPair('ES256', { extractable: true })
  const handle = client.getDPoPHandle(party.config, pair)
  const tokens = await client.authorizationCodeGrant(party.config, callback, checks, undefined, { DPoP: handle })
  const thumbprint = await calculateJwkThumbprint(await exportJWK(pair.publicKey))
  return { provider, ada, party, handle, tokens, thumbprint }
}

t.test('a public client gets tokens that only its key can use', async (t) => {
  const { provider, ada, party, handle, tokens, thumbprint } = await signIn(t)
  t.ok(party.config.serverMetadata()['dpop_signing_alg_values_supported'])
  t.equal(tokens.token_type, 'dpop')
  t.strictSame(confirmationOf(tokens.access_token), { jkt: thumbprint })

  const claims = await client.fetchUserInfo(party.config, tokens.access_token, ada.userId, { DPoP: handle })
  t.equal(claims.email, ada.email)
  const asBearer = await fetch(`${provider.issuer}/oauth/userinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  })
  t.equal(asBearer.status, 401, 'the token alone is worth nothing')
  const thief = await createProofKey()
  const stolen = await fetch(`${provider.issuer}/oauth/userinfo`, {
    headers: {
      authorization: `DPoP ${tokens.access_token}`,
      dpop: await thief.prove('GET', `${provider.issuer}/oauth/userinfo`, { ath: await athOf(tokens.access_token) }),
    },
  })
  t.equal(stolen.status, 401, 'nor with another key')

  const { refresh_token: refreshToken = '' } = tokens
  const fields = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: party.clientId }
  t.match(await ask(provider, fields), { status: 400, body: { error: 'invalid_grant' } })
  const proof = await thief.prove('POST', `${provider.issuer}/oauth/token`)
  t.match(await ask(provider, fields, { proof }), { status: 400, body: { error: 'invalid_grant' } })
  const refreshed = await client.refreshTokenGrant(party.config, refreshToken, undefined, { DPoP: handle })
  t.strictSame(confirmationOf(refreshed.access_token), { jkt: thumbprint }, 'a stolen one has ended nothing')
  t.equal(decodeJwt(refreshed.access_token)['sid'], decodeJwt(tokens.access_token)['sid'])
})

async function athOf(token: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString('base64url')
}

t.test('an answer that was lost is given again, to a new proof of the same key', async (t) => {
  const { provider, party } = await signIn(t)
  const key = await createProofKey()
  const browser = openBrowser(provider, await provider.api.signUp())
  const { callback, checks } = await party.authorize(browser)
  const url = `${provider.issuer}/oauth/token`
  const code = {
    ...{ grant_type: 'authorization_code', client_id: party.clientId, code: callback.searchParams.get('code') ?? '' },
    ...{ redirect_uri: `${callback.origin}${callback.pathname}`, code_verifier: checks.pkceCodeVerifier },
  }
  const first = await ask(provider, code, { proof: await key.prove('POST', url) })
  const headers = { 'idempotency-key': 'f7c3bc1d808e04732adf679965ccc34ca7ae3441' }
  const refresh = {
    grant_type: 'refresh_token',
    client_id: party.clientId,
    refresh_token: first.body['refresh_token'] ?? '',
  }
  const answers = [
    await ask(provider, refresh, { proof: await key.prove('POST', url), headers }),
    await ask(provider, refresh, { proof: await key.prove('POST', url), headers }),
  ]
  t.match(answers, [{ status: 200 }, { status: 200 }])
  t.equal(answers[0]?.body['refresh_token'], answers[1]?.body['refresh_token'])
})

t.test('a client that authenticates binds access tokens, and its refresh tokens stay its own', async (t) => {
  const provider = await startBinding(t)
  const party = await registerParty(provider)
  const { callback, checks } = await party.authorize(openBrowser(provider, await provider.api.signUp()))
  const pair = await client.randomDPoPKeyPair()
  const handle = client.getDPoPHandle(party.config, pair)
  const tokens = await client.authorizationCodeGrant(party.config, callback, checks, undefined, { DPoP: handle })
  t.ok(confirmationOf(tokens.access_token))
  const unbound = await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')
  t.equal(unbound.token_type, 'bearer')
  t.equal(confirmationOf(unbound.access_token), undefined)
  const other = client.getDPoPHandle(party.config, await client.randomDPoPKeyPair())
  const bound = await client.refreshTokenGrant(party.config, unbound.refresh_token ?? '', undefined, { DPoP: other })
  t.ok(confirmationOf(bound.access_token))
})

t.test('a client that has to bind its tokens gets none without a proof', async (t) => {
  const provider = await startBinding(t, { OAUTH_REGISTRATION: 'open' })
  await createResource(provider)
  const key = await createProofKey()
  const prove = () => key.prove('POST', `${provider.issuer}/oauth/token`)
  const required = { dpop_bound_access_tokens: true }

  const party = await registerParty(provider, { ...publicClient, ...required })
  const authorization = await party.authorize(openBrowser(provider, await provider.api.signUp()))
  const code = redemptionOf(party, authorization)
  t.match(await ask(provider, code), { status: 400, body: { error: 'invalid_grant' } })
  const tokens = await ask(provider, code, { proof: await prove() })
  t.match(tokens, { status: 200, body: { token_type: 'DPoP' } }, 'the code is still good')
  const refresh = {
    ...{ grant_type: 'refresh_token', client_id: party.clientId },
    refresh_token: tokens.body['refresh_token'] ?? '',
  }
  t.match(await ask(provider, refresh), { status: 400, body: { error: 'invalid_grant' } })
  t.match(await ask(provider, refresh, { proof: await prove() }), { status: 200, body: { token_type: 'DPoP' } })

  const billing = await registerParty(provider, {
    ...{ ...service, ...required },
    token_endpoint_auth_method: 'client_secret_post',
  })
  const fields = { grant_type: 'client_credentials', client_id: billing.clientId, client_secret: billing.secret ?? '' }
  t.match(await ask(provider, fields), { status: 400, body: { error: 'invalid_grant' } })
  t.match(await ask(provider, fields, { proof: await prove() }), { status: 200, body: { token_type: 'DPoP' } })

  t.equal((await registerItself(provider))['dpop_bound_access_tokens'], true)
  const unable = await startProvider(t, { settings: { OAUTH_REGISTRATION: 'open' } })
  t.notOk('dpop_bound_access_tokens' in (await registerItself(unable)), 'it is told that there is no such thing')
})

async function registerItself({ issuer }: Provider): Promise<Record<string, unknown>> {
  const response = await fetch(`${issuer}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://app.example.com/callback'], dpop_bound_access_tokens: true }),
  })
  return (await response.json()) as Record<string, unknown>
}

t.test('a service binds its own tokens, and introspection tells to which key', async (t) => {
  const { credential, sha256 } = createVerifierCredential()
  const { provider, fields, url } = await startService(t, { VERIFIER_KEYS: `orders:${sha256}` })
  const key = await createProofKey()
  const { status, body } = await ask(provider, fields, { proof: await key.prove('POST', url) })
  t.match({ status, body }, { status: 200, body: { token_type: 'DPoP' } })
  const introspected = await fetch(`${provider.issuer}/oauth/introspect`, {
    method: 'POST',
    body: new URLSearchParams({ token: body['access_token'] ?? '' }),
    headers: { authorization: `Bearer ${credential}` },
  })
  t.match(await introspected.json(), { active: true, token_type: 'DPoP', cnf: { jkt: key.thumbprint } })
})

t.test('of ten requests with one proof at once, on two instances, one succeeds', async (t) => {
  const { provider, fields, url } = await startService(t)
  const port = await findFreePort()
  const second = await startApp(t, {
    settings: { OAUTH: 'on', DPOP: 'on', PUBLIC_URL: provider.issuer },
    join: true,
    clock: provider.clock,
  })
  await second.app.server.listen({ host: 'localhost', port })
  const instances = [provider.issuer, `http://localhost:${port}`]
  const key = await createProofKey()
  const proof = await key.prove('POST', url)
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, at) => ask(provider, fields, { proof, at: instances[at % 2] ?? '' })),
  )
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.ok(answers.every(({ status }) => status === 200 || status === 400))
  t.match(await ask(provider, fields, { proof, at: instances[1] ?? '' }), {
    status: 400,
    body: { error: 'invalid_grant' },
  })

  // A clock that is wrong: the server says which nonce shows that the proof is new, and every instance knows it.
  const iat = Math.floor(Date.now() / 1000) - 3600
  const late = await ask(provider, fields, { proof: await key.prove('POST', url, { iat }) })
  t.match(late, { status: 400, body: { error: 'use_dpop_nonce' } })
  const { nonce } = late
  const known = await ask(provider, fields, {
    proof: await key.prove('POST', url, { iat, nonce }),
    at: instances[1] ?? '',
  })
  t.equal(known.status, 200)
  const made = await ask(provider, fields, { proof: await key.prove('POST', url, { iat, nonce: 'made-up' }) })
  t.match(made, { status: 400, body: { error: 'use_dpop_nonce' } })
})

t.test('a proof is for one request: its method, its address and its key', async (t) => {
  const { provider, fields, url } = await startService(t)
  const key = await createProofKey()
  const wrong: [string, (key: ProofKey) => Promise<string>][] = [
    ['another method', ({ prove }) => prove('GET', url)],
    ['another address', ({ prove }) => prove('POST', `${provider.issuer}/oauth/userinfo`)],
    ['another server', ({ prove }) => prove('POST', 'https://evil.example.com/oauth/token')],
    ['no id', ({ prove }) => prove('POST', url, { jti: undefined })],
    ['no time', ({ prove }) => prove('POST', url, { iat: undefined })],
    ['no token', () => Promise.resolve('none')],
    ['a changed signature', async ({ prove }) => `${(await prove('POST', url)).slice(0, -8)}AAAAAAAA`],
  ]
  for (const [what, make] of wrong) {
    const answer = await ask(provider, fields, { proof: await make(key) })
    t.match(answer, { status: 400, body: { error: 'invalid_dpop_proof' } }, what)
  }
})

t.test('without DPOP=on, tokens are bearer tokens, and bound ones are refused', async (t) => {
  const provider = await startProvider(t)
  await createResource(provider)
  const { clientId, secret } = await registerParty(provider, {
    ...service,
    token_endpoint_auth_method: 'client_secret_post',
  })
  const key = await createProofKey()
  const fields = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret ?? '' }
  const answer = await ask(provider, fields, { proof: await key.prove('POST', `${provider.issuer}/oauth/token`) })
  t.match(answer, { status: 200, body: { token_type: 'Bearer' } })
  t.equal(confirmationOf(answer.body['access_token']), undefined)
  const { body } = await provider.api.call<Record<string, unknown>>('/.well-known/openid-configuration')
  t.equal(body['dpop_signing_alg_values_supported'], undefined)

  const bound = await signIn(t)
  const off = await startApp(t, { settings: { OAUTH: 'on', PUBLIC_URL: bound.provider.issuer }, join: true })
  const port = await findFreePort()
  await off.app.server.listen({ host: 'localhost', port })
  const refused = await fetch(`http://localhost:${port}/oauth/userinfo`, {
    headers: { authorization: `Bearer ${bound.tokens.access_token}` },
  })
  t.equal(refused.status, 401)
  const refresh = {
    grant_type: 'refresh_token',
    client_id: bound.party.clientId,
    refresh_token: bound.tokens.refresh_token ?? '',
  }
  t.match(await ask(bound.provider, refresh, { at: `http://localhost:${port}` }), { body: { error: 'invalid_grant' } })
  t.equal(
    await errorOf(client.refreshTokenGrant(bound.party.config, bound.tokens.refresh_token ?? '')),
    'invalid_grant',
  )
})
