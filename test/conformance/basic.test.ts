// The modules of the OpenID Foundation's "Basic OP" certification plan, by their names, with response_type=code,
// client_secret_basic and the default response mode. Each checks what the module checks.

import { UnsecuredJWT } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import { newClientSchema } from '../../src/features/clients/clients.js'
import { askForTokens, CALLBACK, errorOf, registerParty } from '../support/relying-party.js'
import {
  authorize,
  authorizeInVain,
  checkCallback,
  checkIdToken,
  fetchUserInfo,
  loginsIn,
  redeem,
  requestOf,
  startSuite,
  suiteMetadata,
} from '../support/conformance.js'

const suite = await startSuite(t)
const { provider, user, first, second, configuration } = suite
const { clock } = provider

t.test('oidcc-server', async (t) => {
  const { callback, tokens } = await authorize(t, suite, first, suite.openBrowser())
  t.strictSame([...callback.searchParams.keys()].sort(), ['code', 'iss', 'state'])
  t.equal(callback.hash, '')
  t.match(tokens.access_token, /^[\x21-\x7E]+$/)
})

t.test('oidcc-response-type-missing', async (t) => {
  const browser = suite.openBrowser()
  const error = await authorizeInVain(t, browser, requestOf(first, { response_type: null }))
  t.ok(error === 'invalid_request' || error === 'unsupported_response_type', String(error))
})

t.test('oidcc-idtoken-signature', async (t) => {
  const { tokens } = await authorize(t, suite, first, suite.openBrowser())
  const [header = '', payload = '', signature = ''] = (tokens.id_token ?? '').split('.')
  const other = signature.startsWith('A') ? 'B' : 'A'
  const forged = { ...tokens, id_token: [header, payload, other + signature.slice(1)].join('.') }
  await t.rejects(checkIdToken(t, provider, first, forged as typeof tokens))
})

t.test('oidcc-idtoken-unsigned', (t) => {
  t.notOk(
    (configuration['id_token_signing_alg_values_supported'] as string[]).includes('none'),
    'the module skips itself',
  )
  const asked = { client_name: 'Unsigned', redirect_uris: [CALLBACK], id_token_signed_response_alg: 'none' }
  t.notOk(newClientSchema.safeParse(asked).success, 'and no client can be registered for it')
  t.end()
})

for (const [name, method, place] of [
  ['oidcc-userinfo-get', 'GET', 'header'],
  ['oidcc-userinfo-post-header', 'POST', 'header'],
  ['oidcc-userinfo-post-body', 'POST', 'body'],
] as const) {
  t.test(name, async (t) => {
    const { tokens, claims } = await authorize(t, suite, first, suite.openBrowser(), { scope: 'openid email' })
    const { access_token: accessToken } = tokens
    const answer = await fetchUserInfo(suite, {
      method,
      ...(place === 'header' && { headers: { authorization: `Bearer ${accessToken}` } }),
      ...(place === 'body' && { body: new URLSearchParams({ access_token: accessToken }) }),
    })
    t.equal(answer.status, 200)
    t.match(answer.headers.get('content-type'), /^application\/json/)
    t.match(await answer.json(), { sub: claims.sub, email: user.email })
  })
}

t.test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async (t) => {
  const { claims } = await authorize(t, suite, first, suite.openBrowser(), { nonce: null })
  t.notOk('nonce' in claims)
})

const { email } = user
for (const [name, scope, expected] of [
  ['oidcc-scope-profile', 'openid profile', { name: 'Ada' }],
  ['oidcc-scope-email', 'openid email', { email, email_verified: false }],
  // Scopes that discovery does not list: the suite skips the module, and the request is answered all the same.
  ['oidcc-scope-address', 'openid address', {}],
  ['oidcc-scope-phone', 'openid phone', {}],
  ['oidcc-scope-all', 'openid profile email address phone', { name: 'Ada', email, email_verified: false }],
  ['oidcc-ensure-other-scope-order-succeeds', 'email openid', { email, email_verified: false }],
] as const) {
  t.test(name, async (t) => {
    const { tokens, claims } = await authorize(t, suite, first, suite.openBrowser(), { scope })
    const { sub, ...others } = await client.fetchUserInfo(first.config, tokens.access_token, claims.sub)
    t.equal(sub, claims.sub)
    t.strictSame(others, expected)
    const supported = configuration['scopes_supported'] as string[]
    t.strictSame(
      tokens.scope?.split(' ').sort(),
      scope
        .split(' ')
        .filter((word) => supported.includes(word))
        .sort(),
    )
  })
}

for (const display of ['page', 'popup']) {
  t.test(`oidcc-display-${display}`, async (t) => {
    const browser = suite.openBrowser()
    await authorize(t, suite, first, browser, { display })
    t.equal(loginsIn(browser), 2, 'the pages of the sign-in are shown')
  })
}

t.test('oidcc-prompt-login', async (t) => {
  const browser = suite.openBrowser()
  const before = await authorize(t, suite, first, browser)
  clock.advance({ seconds: 1 })
  const logins = loginsIn(browser)
  const after = await authorize(t, suite, first, browser, { prompt: 'login' })
  t.equal(loginsIn(browser), logins + 1, 'the user is asked to authenticate again')
  t.equal(after.claims.sub, before.claims.sub)
  t.ok(Number(after.claims.auth_time) > Number(before.claims.auth_time))
})

t.test('oidcc-prompt-none-not-logged-in', async (t) => {
  const browser = suite.openBrowser()
  const error = await authorizeInVain(t, browser, requestOf(first, { prompt: 'none' }))
  t.equal(error, 'login_required')
  t.strictSame(browser.shown, [])
})

t.test('oidcc-prompt-none-logged-in', async (t) => {
  const browser = suite.openBrowser()
  const before = await authorize(t, suite, first, browser)
  const shown = browser.shown.length
  clock.advance({ seconds: 1 })
  const after = await authorize(t, suite, first, browser, { prompt: 'none' })
  t.equal(browser.shown.length, shown, 'no page is shown')
  t.equal(after.claims.sub, before.claims.sub)
  t.equal(after.claims.auth_time, before.claims.auth_time)
})

t.test('oidcc-max-age-1', async (t) => {
  const browser = suite.openBrowser()
  const before = await authorize(t, suite, first, browser)
  clock.advance({ seconds: 2 })
  const logins = loginsIn(browser)
  const after = await authorize(t, suite, first, browser, { max_age: '1' })
  t.equal(loginsIn(browser), logins + 1)
  t.ok(Number(after.claims.auth_time) > Number(before.claims.auth_time))
  t.ok(clock.now().getTime() / 1000 - Number(after.claims.auth_time) < 60, 'auth_time is recent')
})

t.test('oidcc-max-age-10000', async (t) => {
  const browser = suite.openBrowser()
  const before = await authorize(t, suite, first, browser)
  clock.advance({ seconds: 1 })
  const shown = browser.shown.length
  const after = await authorize(t, suite, first, browser, { max_age: '10000' })
  t.equal(browser.shown.length, shown)
  t.type(after.claims.auth_time, 'number')
  t.equal(after.claims.auth_time, before.claims.auth_time)
  t.equal(after.claims.sub, before.claims.sub)
})

for (const [name, parameters] of [
  ['oidcc-ensure-request-with-unknown-parameter-succeeds', { extra: 'foobar' }],
  ['oidcc-ui-locales', { ui_locales: 'se' }],
  ['oidcc-claims-locales', { claims_locales: 'se' }],
  ['oidcc-ensure-request-with-acr-values-succeeds', { acr_values: '1 2' }],
] as const) {
  t.test(name, async (t) => {
    await authorize(t, suite, first, suite.openBrowser(), parameters)
  })
}

t.test('oidcc-id-token-hint', async (t) => {
  const browser = suite.openBrowser()
  const before = await authorize(t, suite, first, browser)
  const hint = before.tokens.id_token ?? ''
  const after = await authorize(t, suite, first, browser, { prompt: 'none', id_token_hint: hint })
  t.equal(after.claims.sub, before.claims.sub)
})

t.test('oidcc-login-hint', async (t) => {
  const browser = suite.openBrowser()
  const page = await browser.open(requestOf(first, { login_hint: user.email }).address.href)
  t.match(page.html, `value="${user.email}"`, 'the address is filled in')
  await authorize(t, suite, first, browser, { login_hint: user.email })
})

for (const [name, seconds] of [
  ['oidcc-codereuse', 0],
  ['oidcc-codereuse-30seconds', 30],
] as const) {
  t.test(name, async (t) => {
    const { callback, tokens } = await authorize(t, suite, first, suite.openBrowser())
    clock.advance({ seconds })
    const fields = { grant_type: 'authorization_code', redirect_uri: CALLBACK }
    const code = callback.searchParams.get('code') ?? ''
    const authorization = `Basic ${btoa(`${first.clientId}:${first.secret ?? ''}`)}`
    const { status, body, headers } = await askForTokens(provider, { ...fields, code }, { authorization })
    t.equal(status, 400)
    t.match(headers.get('content-type'), /^application\/json/)
    t.equal(body['error'], 'invalid_grant')
    t.match(body['error_description'], /^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/)
    const userInfo = await fetchUserInfo(suite, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    t.equal(userInfo.status, 401, 'the access token is revoked')
  })
}

t.test('oidcc-ensure-registered-redirect-uri', async (t) => {
  const page = await suite.openBrowser().open(requestOf(first, { redirect_uri: `${CALLBACK}/other` }).address.href)
  t.equal(page.status, 400, 'an error page, and no redirect')
  t.match(page.html, /invalid_redirect_uri/)
})

t.test('oidcc-ensure-post-request-succeeds', async (t) => {
  const browser = suite.openBrowser()
  const request = requestOf(first)
  const { origin, pathname, searchParams } = request.address
  // As the form of another site: browsers do not send cookies of SameSite=Lax with it.
  const answer = await fetch(`${origin}${pathname}`, {
    ...{ method: 'POST', body: searchParams, redirect: 'manual' },
    headers: { origin: 'https://app.example.com' },
  })
  t.equal(answer.status, 303)
  const next = new URL(answer.headers.get('location') ?? '', origin)
  const callback = new URL(await browser.goUntilElsewhere(next.href))
  checkCallback(t, provider, request, callback)
  await redeem(t, suite, first, { ...request, callback })
})

t.test('oidcc-server-client-secret-post', async (t) => {
  const metadata = { ...suiteMetadata, token_endpoint_auth_method: 'client_secret_post' }
  const party = await registerParty(provider, metadata, (secret) => client.ClientSecretPost(secret ?? ''))
  await authorize(t, suite, party, suite.openBrowser())
})

t.test('oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported', async (t) => {
  const request = requestOf(first, { request_uri: 'https://app.example.com/request.jwt' })
  t.equal(await authorizeInVain(t, suite.openBrowser(), request), 'request_uri_not_supported')
  t.equal(configuration['request_uri_parameter_supported'], false)
})

t.test('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', async (t) => {
  const object = new UnsecuredJWT({ client_id: first.clientId, scope: 'openid', response_type: 'code' }).encode()
  t.equal(await authorizeInVain(t, suite.openBrowser(), requestOf(first, { request: object })), 'request_not_supported')
  t.equal(configuration['request_parameter_supported'], false)
})

t.test('oidcc-claims-essential', async (t) => {
  const claims = JSON.stringify({ userinfo: { name: { essential: true } } })
  await authorize(t, suite, first, suite.openBrowser(), { claims })
  t.equal(configuration['claims_parameter_supported'], false, 'the suite warns of a missing name, and says no more')
})

t.test('oidcc-ensure-request-object-with-redirect-uri', async (t) => {
  const object = new UnsecuredJWT({ client_id: first.clientId, redirect_uri: CALLBACK }).encode()
  const request = requestOf(first, { request: object, redirect_uri: `${CALLBACK}/other` })
  const page = await suite.openBrowser().open(request.address.href)
  t.equal(page.status, 400, 'an address that is not registered is never returned to')
})

t.test('oidcc-refresh-token', async (t) => {
  const flows = [
    { party: first, flow: await authorize(t, suite, first, suite.openBrowser(), { scope: 'openid offline_access' }) },
    { party: second, flow: await authorize(t, suite, second, suite.openBrowser(), { scope: 'openid offline_access' }) },
  ]
  t.ok((configuration['grant_types_supported'] as string[]).includes('refresh_token'))
  const refreshTokens: string[] = []
  for (const { party, flow } of flows) {
    t.match(flow.tokens.refresh_token, /^[\x20-\x7E]+$/)
    clock.advance({ seconds: 1 })
    const refreshed = await client.refreshTokenGrant(party.config, flow.tokens.refresh_token ?? '')
    const claims = await checkIdToken(t, provider, party, refreshed)
    // OpenID Connect Core, section 12.2.
    for (const name of ['iss', 'sub', 'aud', 'auth_time', 'azp'] as const) t.strictSame(claims[name], flow.claims[name])
    t.ok(claims.iat >= flow.claims.iat)
    t.ok(claims.nonce === undefined || claims.nonce === flow.claims.nonce)
    t.not(refreshed.access_token, flow.tokens.access_token)
    await client.fetchUserInfo(party.config, refreshed.access_token, claims.sub)
    refreshTokens.push(refreshed.refresh_token ?? '')
  }
  const [, ofSecond = ''] = refreshTokens
  t.equal(await errorOf(client.refreshTokenGrant(first.config, ofSecond)), 'invalid_grant', 'it is bound to the client')
  t.ok((await client.refreshTokenGrant(second.config, ofSecond)).access_token)
})

t.test('oidcc-ensure-request-with-valid-pkce-succeeds', async (t) => {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const challenge = {
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }
  const request = requestOf(first, challenge)
  const callback = new URL(await suite.openBrowser().goUntilElsewhere(request.address.href))
  checkCallback(t, provider, request, callback)
  await redeem(t, suite, first, { ...request, callback }, { pkceCodeVerifier })
})
