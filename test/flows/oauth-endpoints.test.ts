// What the endpoints of the OpenID provider offer besides the usual: pushed requests, keys of clients, other ways back.

import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import {
  askForTokens,
  CALLBACK,
  errorOf,
  openBrowser,
  registerParty,
  startProvider,
  type Party,
} from '../support/relying-party.js'

const provider = await startProvider(t)
const { issuer } = provider
const publicClient = { token_endpoint_auth_method: 'none' }
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

async function pkce() {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
  return { pkceCodeVerifier, code_challenge: challenge, code_challenge_method: 'S256' }
}

t.test('RFC 9126: a pushed request serves one authorization of its client', async (t) => {
  const [party, other] = [await registerParty(provider), await registerParty(provider)]
  const browser = openBrowser(provider, await provider.api.signUp())
  const { pkceCodeVerifier, ...challenge } = await pkce()
  const address = await client.buildAuthorizationUrlWithPAR(party.config, {
    ...{ redirect_uri: CALLBACK, scope: 'openid email', state: 'kept', ...challenge },
  })
  t.strictSame([...address.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  t.match(address.searchParams.get('request_uri'), /^urn:ietf:params:oauth:request_uri:/)

  const ofAnother = new URL(address)
  ofAnother.searchParams.set('client_id', other.clientId)
  const refused = { status: 400, html: /invalid_request_object/ }
  t.match(await browser.open(ofAnother.href), refused, 'on a page, as no address is named to return to')

  const callback = await browser.goUntilElsewhere(address.href)
  const tokens = await client.authorizationCodeGrant(party.config, new URL(callback), {
    ...{ pkceCodeVerifier, expectedState: 'kept', idTokenExpected: true },
  })
  t.equal(tokens.scope, 'openid email')
  t.match(await browser.open(address.href), { status: 400, html: /invalid_request_uri/ }, 'it was used')
})

t.test('RFC 9126: what is wrong with a pushed request is told at once', async (t) => {
  const party = await registerParty(provider)
  const push = async (fields: Record<string, string>, headers: Record<string, string> = basicOf(party)) => {
    const usual = { client_id: party.clientId, response_type: 'code', redirect_uri: CALLBACK, scope: 'openid' }
    const body = new URLSearchParams({ ...usual, ...fields })
    const response = await fetch(`${issuer}/oauth/par`, { method: 'POST', body, headers })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const { code_challenge, code_challenge_method } = await pkce()
  const right = { code_challenge, code_challenge_method }
  t.match(await push(right), { status: 201, body: { expires_in: Number } })
  const wrong: [Record<string, string>, string][] = [
    [{}, 'invalid_request'],
    [{ ...right, redirect_uri: 'https://evil.example.com/' }, 'invalid_request'],
    [{ ...right, response_type: 'token' }, 'unsupported_response_type'],
    [{ ...right, request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'request_uri_not_supported'],
    [{ ...right, resource: 'https://unknown.example.com' }, 'invalid_target'],
  ]
  for (const [fields, error] of wrong) t.match(await push(fields), { status: 400, body: { error } }, error)
  t.match(await push({ ...right, client_id: '' }), { status: 400, body: { error: 'invalid_request' } })
  t.match(await push(right, {}), { status: 401, body: { error: 'invalid_client' } }, 'without its secret')
  const stranger = { authorization: `Basic ${btoa(`${party.clientId}:wrong`)}` }
  t.match(await push(right, stranger), { status: 401, body: { error: 'invalid_client' } })
})

t.test('private_key_jwt: a client authenticates by a key of its own, at every endpoint', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const key = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const party = await registerParty(
    provider,
    { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } },
    () => client.PrivateKeyJwt({ key: privateKey, kid: 'one' }),
  )
  const tokens = await party.signIn(openBrowser(provider, await provider.api.signUp()))
  t.ok((await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')).id_token)
  t.match((await client.buildAuthorizationUrlWithPAR(party.config, await pushable())).href, /request_uri=/)

  const { privateKey: foreign } = await generateKeyPair('ES256')
  const ask = (assertion: string, fields: Record<string, string> = {}) =>
    askForTokens(provider, {
      ...{ grant_type: 'refresh_token', refresh_token: 'spr_unknown' },
      ...{ client_id: party.clientId, client_assertion_type: JWT_BEARER, client_assertion: assertion, ...fields },
    })
  const known = { status: 400, body: { error: 'invalid_grant' } }
  const refused = { status: 401, body: { error: 'invalid_client' } }
  const assert = (claims: Record<string, unknown> = {}, by: CryptoKey = privateKey) =>
    assertionOf({ iss: party.clientId, sub: party.clientId, aud: issuer, ...claims }, by)
  t.match(await ask(await assert()), known)
  t.match(await ask(await assert({ aud: `${issuer}/oauth/token` })), known, 'many clients name the endpoint')
  t.match(await ask(await assert({}, foreign)), refused, 'another key')
  t.match(await ask(await assert({ aud: 'https://other.example.com' })), refused)
  t.match(await ask(await assert({ sub: 'another' })), { status: 400, body: { error: 'invalid_request' } })
  t.match(await ask(await assert({ exp: 1 })), refused)
  t.match(await ask('nonsense'), { status: 400, body: { error: 'invalid_request' } })
  t.match(await askForTokens(provider, { grant_type: 'refresh_token', client_id: party.clientId }), refused)
})

t.test('RFC 7523: of many requests with one assertion, one is answered', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true })
  const key = { ...(await exportJWK(publicKey)), kid: 'one', use: 'sig' }
  const resource = 'https://bills.example.com'
  await provider.app.operator.clients.resources.create({
    ...{ identifier: resource, name: null, scopes: ['bills:read'], accessTtlSeconds: null, alg: null },
  })
  const party = await registerParty(
    provider,
    {
      ...{ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } },
      ...{ grant_types: ['client_credentials'], redirect_uris: [], default_resource: resource },
    },
    () => client.PrivateKeyJwt({ key: privateKey, kid: 'one' }),
  )
  t.ok((await client.clientCredentialsGrant(party.config)).access_token)
  const assertion = await assertionOf({ iss: party.clientId, sub: party.clientId, aud: issuer }, privateKey, 'EdDSA')
  const ask = () =>
    askForTokens(provider, {
      ...{ grant_type: 'client_credentials', client_assertion_type: JWT_BEARER, client_assertion: assertion },
    })
  const statuses = (await Promise.all(Array.from({ length: 10 }, ask))).map(({ status }) => status)
  t.equal(statuses.filter((status) => status === 200).length, 1)
  t.ok(
    statuses.every((status) => status === 200 || status === 400 || status === 401),
    statuses.join(),
  )
})

t.test('response_mode=form_post: a page sends the answer, by a script that its policy names', async (t) => {
  const party = await registerParty(provider)
  const browser = openBrowser(provider, await provider.api.signUp())
  await party.signIn(browser)
  const { pkceCodeVerifier, ...challenge } = await pkce()
  const address = client.buildAuthorizationUrl(party.config, {
    ...{ redirect_uri: CALLBACK, scope: 'openid', state: 'kept', response_mode: 'form_post', ...challenge },
  })
  const cookie = [...browser.cookies].map(([name, value]) => `${name.split(' ')[1] ?? ''}=${value}`).join('; ')
  const response = await fetch(address, { headers: { cookie }, redirect: 'manual' })
  const html = await response.text()
  t.equal(response.status, 200)
  const policy = response.headers.get('content-security-policy') ?? ''
  const script = /<script>([^]*?)<\/script>/.exec(html)?.[1] ?? ''
  t.ok(policy.includes(`'sha256-${await sha256(script)}'`), policy)
  t.match(policy, /default-src 'none'/)
  t.notMatch(policy, /unsafe-inline|form-action/, 'the form leads to another site')
  t.match(response.headers.get('cache-control'), /no-store/)
  t.match(html, `action="${CALLBACK}"`)
  const fields = [...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value])
  const { code = '', ...others } = Object.fromEntries(fields) as Record<string, string>
  t.strictSame(others, { state: 'kept', iss: issuer })
  const redeemed = await askForTokens(
    provider,
    { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: pkceCodeVerifier },
    basicOf(party),
  )
  t.equal(redeemed.status, 200)
})

t.test('pages of a client’s redirect addresses may ask, without cookies; no others may', async (t) => {
  const party = await registerParty(provider, publicClient)
  const tokens = await party.signIn(openBrowser(provider, await provider.api.signUp()))
  const { origin } = new URL(CALLBACK)
  const bearer = { authorization: `Bearer ${tokens.access_token}` }
  const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) })
  const refresh = form({ grant_type: 'refresh_token', refresh_token: 'spr_unknown', client_id: party.clientId })
  const pushed = form({ client_id: party.clientId, response_type: 'code' })
  const requests: [path: string, init: RequestInit][] = [
    ['/oauth/token', refresh],
    ['/oauth/par', pushed],
    ['/oauth/userinfo', { headers: bearer }],
    ['/oauth/userinfo', { method: 'POST', headers: bearer }],
  ]
  for (const [path, init] of requests) {
    const method = init.method ?? 'GET'
    const ask = async (from: string) => {
      const headers = { ...(init.headers as Record<string, string> | undefined), origin: from }
      return (await fetch(`${issuer}${path}`, { ...init, headers })).headers
    }
    const own = await ask(origin)
    t.equal(own.get('access-control-allow-origin'), origin, `${method} ${path}`)
    t.notOk(own.has('access-control-allow-credentials'))
    t.match(own.get('vary'), /origin/i)
    t.notOk((await ask('https://evil.example.com')).has('access-control-allow-origin'), `${method} ${path}`)

    const preflight = await fetch(`${issuer}${path}`, {
      method: 'OPTIONS',
      headers: {
        ...{ origin, 'access-control-request-method': method },
        'access-control-request-headers': 'authorization, idempotency-key',
      },
    })
    t.ok(preflight.ok, `OPTIONS ${path}`)
    t.equal(preflight.headers.get('access-control-allow-origin'), origin)
    t.match(preflight.headers.get('access-control-allow-methods'), method)
    t.match(preflight.headers.get('access-control-allow-headers'), /authorization.*idempotency-key/i)
    t.notOk(preflight.headers.has('access-control-allow-credentials'))
  }
  for (const path of ['openid-configuration', 'oauth-authorization-server', 'jwks.json']) {
    const { headers } = await fetch(`${issuer}/.well-known/${path}`, { headers: { origin: 'https://any.example.com' } })
    t.equal(headers.get('access-control-allow-origin'), '*', path)
  }
})

t.test('ten redemptions with a wrong verifier end nothing, and the right one is still answered', async (t) => {
  const party = await registerParty(provider, publicClient)
  const authorization = await party.authorize(openBrowser(provider, await provider.api.signUp()))
  const wrong = { ...authorization, checks: { ...authorization.checks, pkceCodeVerifier: 'x'.repeat(43) } }
  for (let attempt = 0; attempt < 10; attempt += 1) t.equal(await errorOf(party.redeem(wrong)), 'invalid_grant')
  t.ok((await party.redeem(authorization)).access_token)
})

/** The error with which a client is sent back. */
function basicOf({ clientId, secret }: Party): Record<string, string> {
  return { authorization: `Basic ${btoa(`${clientId}:${secret ?? ''}`)}` }
}

async function pushable(): Promise<Record<string, string>> {
  const { code_challenge, code_challenge_method } = await pkce()
  return { redirect_uri: CALLBACK, scope: 'openid', code_challenge, code_challenge_method }
}

async function assertionOf(claims: Record<string, unknown>, key: CryptoKey, alg = 'ES256'): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ jti: crypto.randomUUID(), iat: now, exp: now + 60, ...claims })
    .setProtectedHeader({ alg, kid: 'one' })
    .sign(key)
}

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64')
}
