// The OpenID provider, as openid-client uses it over real HTTP, with the hosted pages.

import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import { CALLBACK, openBrowser, registerParty, startProvider } from '../support/relying-party.js'

t.test('discovery tells what is there, and the keys of both kinds of token', async (t) => {
  const { api, issuer } = await startProvider(t)
  const { body } = await api.call<Record<string, unknown>>('/.well-known/openid-configuration')
  t.match(body, {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    userinfo_endpoint: `${issuer}/oauth/userinfo`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    response_types_supported: ['code'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    code_challenge_methods_supported: ['S256'],
  })
  const metadata = await api.call<Record<string, unknown>>('/.well-known/oauth-authorization-server')
  t.equal(metadata.body['token_endpoint'], body['token_endpoint'])
  t.equal(metadata.headers['access-control-allow-origin'], '*')
  const { body: keySet } = await api.call<{ keys: { alg: string }[] }>('/.well-known/jwks.json')
  t.same(keySet.keys.map(({ alg }) => alg).sort(), ['ES256', 'ES256', 'ES256', 'ES256', 'RS256', 'RS256'])
})

t.test('a user signs in on the hosted pages, and the client gets an ID token and the claims', async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp({ name: 'Ada' })
  const { userId } = ada
  const party = await registerParty(provider)
  const browser = openBrowser(provider, ada)
  const tokens = await party.signIn(browser)

  t.same(browser.shown, ['/signin', '/signin'], 'a first-party client asks for no consent')
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/.well-known/jwks.json`))
  const { payload, protectedHeader } = await jwtVerify(tokens.id_token ?? '', keys, {
    issuer: provider.issuer,
    audience: party.clientId,
  })
  t.match(payload, { sub: userId, email: ada.email, name: 'Ada', email_verified: false, amr: ['pwd'], acr: 'aal1' })
  t.type(payload['sid'], 'string')
  t.type(payload['auth_time'], 'number')
  t.equal(protectedHeader.alg, 'RS256')

  const access = decodeJwt(tokens.access_token)
  t.match(access, { sub: userId, client_id: party.clientId, aud: provider.issuer, scope: 'openid profile email' })
  t.equal(decodeProtectedHeader(tokens.access_token).typ, 'at+jwt')
  t.match(tokens.refresh_token, /^spr_/)

  const claims = await client.fetchUserInfo(party.config, tokens.access_token, userId)
  t.match(claims, { sub: userId, email: ada.email, email_verified: false })
  t.match(await provider.api.whoami(tokens.access_token), { status: 403, body: { code: 'forbidden' } })
})

t.test('a client that asks for ES256 gets ID tokens that a key of their own has signed', async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp()
  const party = await registerParty(provider, { id_token_signed_response_alg: 'ES256' })
  const signedIn = await party.signIn(openBrowser(provider, ada))
  const refreshed = await client.refreshTokenGrant(party.config, signedIn.refresh_token ?? '')

  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/.well-known/jwks.json`))
  const accessKey = decodeProtectedHeader(signedIn.access_token)
  for (const { id_token: idToken = '' } of [signedIn, refreshed]) {
    const { protectedHeader } = await jwtVerify(idToken, keys, { issuer: provider.issuer, audience: party.clientId })
    t.equal(protectedHeader.alg, 'ES256')
    t.not(protectedHeader.kid, accessKey.kid, 'another key than that of access tokens')
  }
  await t.rejects(registerParty(provider, { id_token_signed_response_alg: 'EdDSA' }), /RS256, ES256/)
})

t.test('a second client signs the user in without asking (single sign-on)', async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp()
  const [first, second] = [await registerParty(provider), await registerParty(provider)]
  const browser = openBrowser(provider, ada)
  const one = await first.signIn(browser)
  const shown = browser.shown.length
  const two = await second.signIn(browser, { prompt: 'none' })
  t.equal(browser.shown.length, shown, 'no page is shown')
  t.not(one.claims()?.['sid'], two.claims()?.['sid'], 'each client knows the browser by a name of its own')
  t.equal((await first.signIn(browser)).claims()?.['sid'], one.claims()?.['sid'], 'and keeps it')

  const stranger = openBrowser(provider, ada)
  const refused = await second.authorize(stranger, { prompt: 'none' })
  t.equal(refused.callback.searchParams.get('error'), 'login_required')
  t.equal(refused.callback.searchParams.get('iss'), provider.issuer)
})

t.test('a client that is not first-party asks for consent, once', async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp()
  const party = await registerParty(provider, { first_party: false })
  const browser = openBrowser(provider, ada)
  await party.signIn(browser, { scope: 'openid email' })
  t.match(browser.shown.join(), /\/consent\//)
  const shown = browser.shown.length
  await party.signIn(browser, { scope: 'openid email' })
  t.equal(browser.shown.length, shown, 'what was granted is remembered')
  await party.signIn(browser, { scope: 'openid email offline_access' })
  t.equal(browser.shown.length, shown + 1, 'more is asked for')
})

t.test('prompt=login and max_age ask the user to authenticate again, in the same session', async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp()
  const party = await registerParty(provider)
  const browser = openBrowser(provider, ada)
  const first = await party.signIn(browser)
  provider.clock.advance({ seconds: 5 })
  const again = await party.signIn(browser, { prompt: 'login' })
  t.equal(browser.shown.at(-1), '/account/confirm')
  t.equal(again.claims()?.sub, first.claims()?.sub)
  t.equal(again.claims()?.['sid'], first.claims()?.['sid'])
  t.ok(Number(again.claims()?.auth_time) > Number(first.claims()?.auth_time))

  const shown = browser.shown.length
  await party.signIn(browser, { max_age: '60' })
  t.equal(browser.shown.length, shown, 'it is not longer ago')
  provider.clock.advance({ seconds: 61 })
  const fresh = await party.signIn(browser, { max_age: '60' })
  t.equal(browser.shown.length, shown + 1)
  t.ok(Number(fresh.claims()?.auth_time) > Number(again.claims()?.auth_time))
})

t.test('the redirect address has to be one of the client, whatever else is wrong', async (t) => {
  const provider = await startProvider(t)
  const party = await registerParty(provider)
  const browser = openBrowser(provider, await provider.api.signUp())
  const address = client.buildAuthorizationUrl(party.config, {
    redirect_uri: 'https://evil.example.com/',
    scope: 'openid',
  })
  const page = await browser.open(address.href)
  t.equal(page.status, 400)
  t.match(page.html, /invalid_redirect_uri/)
  const unknown = new URL(address)
  unknown.searchParams.set('client_id', 'unknown')
  unknown.searchParams.set('redirect_uri', CALLBACK)
  t.match(await browser.open(unknown.href), { status: 400, html: /invalid_client/ })
})
