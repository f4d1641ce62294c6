// The OpenID provider over time and over several instances: keys rotate, and each instance has what the others made.

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import {
  askForTokens,
  openBrowser,
  redemptionOf,
  registerParty,
  startInstance,
  startProvider,
} from '../support/relying-party.js'
import { until } from '../support/until.js'

const publicClient = { token_endpoint_auth_method: 'none' }

t.test('a code that one instance issued is redeemed at another, once, and its tokens hold at both', async (t) => {
  const provider = await startProvider(t)
  const other = { issuer: await startInstance(t, provider) }
  const party = await registerParty(provider, publicClient)
  const redemption = redemptionOf(party, await party.authorize(openBrowser(provider, await provider.api.signUp())))
  const { status, body } = await askForTokens(other, redemption)
  t.equal(status, 200)
  for (const { issuer } of [provider, other]) {
    const headers = { authorization: `Bearer ${body['access_token'] ?? ''}` }
    t.equal((await fetch(`${issuer}/oauth/userinfo`, { headers })).status, 200)
  }
  const refresh = { grant_type: 'refresh_token', client_id: party.clientId, refresh_token: body['refresh_token'] ?? '' }
  t.equal((await askForTokens(provider, refresh)).status, 200)
  t.match(await askForTokens(provider, redemption), { status: 400, body: { error: 'invalid_grant' } })
  t.match(await askForTokens(other, refresh), { status: 400, body: { error: 'invalid_grant' } })
})

t.test('a client that is disabled at one instance is refused by the other within a second', async (t) => {
  const provider = await startProvider(t)
  const other = { issuer: await startInstance(t, provider) }
  const party = await registerParty(provider)
  const tokens = await party.signIn(openBrowser(provider, await provider.api.signUp()))
  const headers = { authorization: `Bearer ${tokens.access_token}` }
  const basic = { authorization: `Basic ${btoa(`${party.clientId}:${party.secret ?? ''}`)}` }
  const refresh = () => askForTokens(other, { grant_type: 'refresh_token', refresh_token: 'spr_nonsense' }, basic)
  t.match(await refresh(), { status: 400, body: { error: 'invalid_grant' } }, 'it is known there')
  t.equal((await fetch(`${other.issuer}/oauth/userinfo`, { headers })).status, 200)
  await provider.app.operator.clients.disable(party.clientId)
  await until(async () => (await fetch(`${other.issuer}/oauth/userinfo`, { headers })).status === 401)
  await until(async () => (await refresh()).status === 401)
  t.match(await refresh(), { body: { error: 'invalid_client' } })
})

t.test('keys of ID tokens rotate: earlier ID tokens are still verified, and accepted as a hint', async (t) => {
  const provider = await startProvider(t)
  const party = await registerParty(provider)
  const browser = openBrowser(provider, await provider.api.signUp())
  const before = await party.signIn(browser)
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/.well-known/jwks.json`), { cooldownDuration: 0 })
  const expected = { issuer: provider.issuer, audience: party.clientId }
  await jwtVerify(before.id_token ?? '', keys, expected)

  provider.clock.advance({ days: 2 })
  await runCommand(provider.app.operator, 'keys:rotate', [])
  const after = await party.signIn(browser)
  const kids = [before, after].map(({ id_token: idToken = '' }) => decodeProtectedHeader(idToken).kid)
  t.not(kids[0], kids[1], 'another key signs')
  t.match((await jwtVerify(after.id_token ?? '', keys, expected)).payload, { sub: before.claims()?.sub })
  await jwtVerify(before.id_token ?? '', keys, expected)
  const silent = await party.signIn(browser, { prompt: 'none', id_token_hint: before.id_token ?? '' })
  t.equal(silent.claims()?.sub, before.claims()?.sub)
  t.ok(await client.fetchUserInfo(party.config, after.access_token, after.claims()?.sub ?? ''))
})

t.test('requests that are under way while the keys rotate are answered', async (t) => {
  const provider = await startProvider(t)
  const party = await registerParty(provider)
  const browser = openBrowser(provider, await provider.api.signUp())
  let { refresh_token: token = '' } = await party.signIn(browser)
  provider.clock.advance({ days: 2 })
  const rotation = runCommand(provider.app.operator, 'keys:rotate', [])
  for (let refreshes = 0; refreshes < 10; refreshes += 1) {
    token = (await client.refreshTokenGrant(party.config, token)).refresh_token ?? ''
  }
  t.match((await rotation).join(), /./)
  t.ok((await client.refreshTokenGrant(party.config, token)).id_token)
})

t.test('PUBLIC_URL with a path: every address of the provider is below it', async (t) => {
  const provider = await startProvider(t, { basePath: '/auth' })
  const ada = await provider.api.signUp()
  const goodbye = 'https://app.example.com/goodbye'
  const party = await registerParty(provider, { first_party: false, post_logout_redirect_uris: [goodbye] })
  const metadata = party.config.serverMetadata()
  for (const [name, value] of Object.entries(metadata)) {
    if (!name.endsWith('_endpoint') && name !== 'jwks_uri') continue
    t.ok(typeof value === 'string' && value.startsWith(`${provider.issuer}/`), name)
  }
  const browser = openBrowser(provider, ada)
  const tokens = await party.signIn(browser, { scope: 'openid email offline_access' })
  t.ok(browser.shown.every((path) => path.startsWith('/auth/')))
  t.equal(tokens.claims()?.iss, provider.issuer)
  t.match(await client.fetchUserInfo(party.config, tokens.access_token, tokens.claims()?.sub ?? ''), {
    email: ada.email,
  })
  t.ok((await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')).access_token)
  // Times of authentication are whole seconds.
  provider.clock.advance({ seconds: 1 })
  const again = await party.signIn(browser, { prompt: 'login' })
  t.ok(browser.shown.includes('/auth/account/confirm'))
  const address = client.buildEndSessionUrl(party.config, {
    id_token_hint: again.id_token ?? '',
    post_logout_redirect_uri: goodbye,
  })
  const page = await browser.open(address.href)
  t.equal((await page.submit('/auth/oauth/logout/confirm', {})).url, goodbye)
  const bare = await browser.open(`${provider.issuer}/oauth/logout`)
  t.equal(bare.status, 200)
})
