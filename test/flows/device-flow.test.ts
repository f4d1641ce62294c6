// The device flow (RFC 8628), as openid-client uses it over real HTTP, with the hosted page.

import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import t from 'tap'

import type { Test } from '../support/app.js'
import { beginAt, decide, DEVICE_CODE, openDeviceBrowser, openSignedIn, poll, television } from '../support/device.js'
import { createFactorCalls } from '../support/factor-calls.js'
import { errorOf, registerParty, startProvider } from '../support/relying-party.js'

async function startTelevision(t: Test, metadata: Record<string, unknown> = {}) {
  const provider = await startProvider(t)
  const party = await registerParty(provider, { ...television, ...metadata })
  const ada = await provider.api.signUp()
  return { provider, party, ada, browser: openDeviceBrowser(provider) }
}

t.test('a user signs in on the page, confirms the code, and the device gets tokens that last', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const begun = await beginAt(party)
  t.equal(begun.verification_uri, `${provider.issuer}/device`)
  t.match(begun.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
  t.equal(begun.expires_in, 600)

  const form = await openSignedIn(browser, ada, begun.verification_uri)
  t.match(form.html, /Enter the code that the device shows you/)
  const typed = begun.user_code.toLowerCase().replace('-', ' ')
  const shown = await form.submit('/device', { user_code: typed })
  t.match(shown.html, /Television/)
  t.match(shown.html, new RegExp(begun.user_code))
  t.match(shown.html, /see your e-mail address/)
  t.match(shown.html, /127\.0\.0\.1|::1/)
  const done = await shown.submit('/device', { confirm: 'yes' })
  t.match(done, { status: 200, html: /The device is connected/ })

  const tokens = await client.pollDeviceAuthorizationGrant(party.config, { ...begun, interval: 0 })
  t.match(tokens.claims(), { sub: ada.userId, email: ada.email, amr: ['pwd'] })
  t.match(decodeJwt(tokens.access_token), { client_id: party.clientId, scope: 'openid email' })
  const refreshed = await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')
  t.equal(decodeJwt(refreshed.access_token)['sid'], decodeJwt(tokens.access_token)['sid'])
  await client.fetchUserInfo(party.config, refreshed.access_token, ada.userId)
})

t.test('the discovery and the metadata of clients know the grant', async (t) => {
  const { provider, party } = await startTelevision(t)
  const server = party.config.serverMetadata()
  t.equal(server.device_authorization_endpoint, `${provider.issuer}/oauth/device_authorization`)
  t.ok(server.grant_types_supported?.includes('urn:ietf:params:oauth:grant-type:device_code'))
  const without = await registerParty(provider)
  t.equal(await errorOf(beginAt(without)), 'invalid_request', 'a client that is not registered for it')
})

t.test('the link with the code fills in the form, approves nothing, and survives the sign-in', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const begun = await beginAt(party)
  const link = begun.verification_uri_complete ?? ''
  const signIn = await browser.open(link)
  t.equal(new URL(signIn.url).pathname, '/signin')
  const form = await openSignedIn(browser, ada, link)
  t.match(form.html, new RegExp(`value="${begun.user_code}"`))
  t.match(await poll(provider, party, begun.device_code), { status: 400, body: { error: 'authorization_pending' } })
  const strange = await browser.open('/device?user_code=%22%3E%3Cscript%3E')
  t.notMatch(strange.html, /<script>|%3Cscript/)
})

t.test('a second factor is asked for in between', async (t) => {
  const { provider, party, browser } = await startTelevision(t)
  const { signUpWithTotp, codeOf } = createFactorCalls(provider)
  const ada = await signUpWithTotp()
  const begun = await beginAt(party)
  await decide(browser, { ...ada, code: () => codeOf(ada.secret) }, begun)
  t.ok(browser.shown.includes('/mfa'))
  const { body } = await poll(provider, party, begun.device_code)
  t.match(decodeJwt(body['id_token'] ?? ''), { sub: ada.userId, amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' })
})

t.test('max_age has the user authenticate again, and leads back to the page of the device', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  await openSignedIn(browser, ada, '/device')
  provider.clock.advance({ minutes: 5 })
  const begun = await client.initiateDeviceAuthorization(party.config, { scope: 'openid', max_age: '60' })
  const asked = await decide(browser, ada, begun)
  t.equal(new URL(asked.url).pathname, '/account/confirm')
  t.match(await poll(provider, party, begun.device_code), { body: { error: 'authorization_pending' } })
  const done = await asked.submit('/account/confirm', { password: ada.password })
  t.match(done, { status: 200, html: /The device is connected/ })
  provider.clock.advance({ seconds: 5 })
  t.match(await poll(provider, party, begun.device_code), { status: 200 })
})

t.test('a refusal is told to the device', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const begun = await beginAt(party)
  const page = await decide(browser, ada, begun, 'abort')
  t.match(page, { status: 200, html: /The device is not connected/ })
  t.match(await poll(provider, party, begun.device_code), { status: 400, body: { error: 'access_denied' } })
  const again = await openSignedIn(browser, ada, '/device')
  const used = await again.submit('/device', { user_code: begun.user_code })
  t.match(used, { status: 422, html: /was used before/ }, 'it is not decided on again')
})

t.test('a device that polls too fast is told to slow down, until the code is approved', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const begun = await beginAt(party)
  const next = () => poll(provider, party, begun.device_code)
  t.match(await next(), { status: 400, body: { error: 'authorization_pending' } })
  t.match(await next(), { status: 400, body: { error: 'slow_down' } })
  provider.clock.advance({ seconds: 5 })
  t.match(await next(), { status: 400, body: { error: 'authorization_pending' } })
  await decide(browser, ada, begun)
  t.match(await next(), { status: 200 })
})

t.test('a code expires by the clock of the database', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const begun = await beginAt(party)
  await openSignedIn(browser, ada, '/device')
  provider.clock.advance({ minutes: 10 })
  t.match(await poll(provider, party, begun.device_code), { status: 400, body: { error: 'expired_token' } })
  const form = await openSignedIn(browser, ada, '/device')
  const page = await form.submit('/device', { user_code: begun.user_code })
  t.match(page, { status: 422, html: /not right, or has expired/ })
})

t.test('of ten polls for an approved code at once, one gets tokens, and they stay good', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const begun = await beginAt(party)
  await decide(browser, ada, begun)
  const polls = await Promise.all(Array.from({ length: 10 }, () => poll(provider, party, begun.device_code)))
  const won = polls.filter(({ status }) => status === 200)
  t.equal(won.length, 1)
  for (const { status, body } of polls.filter((each) => each.status !== 200)) {
    t.match({ status, body }, { status: 400, body: { error: 'invalid_grant' } })
  }
  t.match(await poll(provider, party, begun.device_code), { status: 400, body: { error: 'invalid_grant' } })
  await client.refreshTokenGrant(party.config, won[0]?.body['refresh_token'] ?? '')
})

t.test('a device stays signed in when the browser that approved it signs out, and ends with the user', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const begun = await beginAt(party)
  const approved = await decide(browser, ada, begun)
  const { body } = await poll(provider, party, begun.device_code)
  const account = await browser.open(new URL('/account', approved.url).href)
  await account.submit('/account/sign-out', {})
  const refreshed = await client.refreshTokenGrant(party.config, body['refresh_token'] ?? '')
  await provider.app.operator.administration.ban(ada.email, { until: null, reason: null })
  const ended = client.refreshTokenGrant(party.config, refreshed.refresh_token ?? '')
  t.equal(await errorOf(ended), 'invalid_grant')
})

t.test('after a change of the password, an approval opens nothing', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const begun = await beginAt(party)
  await decide(browser, ada, begun)
  const changed = await provider.api.call('/v1/me/password', {
    method: 'PUT',
    token: ada.accessToken,
    body: { current_password: ada.password, new_password: 'violet otters juggle paper lanterns' },
  })
  t.ok(changed.status < 300)
  t.match(await poll(provider, party, begun.device_code), { status: 400, body: { error: 'invalid_grant' } })
})

t.test('what a user confirmed is consented to, and a first-party device is confirmed as well', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  await decide(browser, ada, await beginAt(party))
  t.notMatch(browser.shown.join(), /\/consent\//, 'what the page has shown is not asked for twice')
  const ours = await registerParty(provider, { ...television, first_party: true })
  const begun = await beginAt(ours)
  t.match(await poll(provider, ours, begun.device_code), { body: { error: 'authorization_pending' } })
  await decide(browser, ada, begun)
  t.match(await poll(provider, ours, begun.device_code), { status: 200 })
})

t.test('a device code is for the client that it was issued to', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const other = await registerParty(provider, television)
  const begun = await beginAt(party)
  await decide(browser, ada, begun)
  t.match(await poll(provider, other, begun.device_code), { status: 400, body: { error: 'invalid_grant' } })
  t.match(await poll(provider, party, begun.device_code), { status: 200 }, 'and is not spent by another')
})

t.test('of users who confirm one code at once, the device belongs to the one who is told so', async (t) => {
  const { provider, party } = await startTelevision(t)
  const begun = await beginAt(party)
  const users = await Promise.all(Array.from({ length: 4 }, () => provider.api.signUp()))
  const shown = await Promise.all(
    users.map(async (user) => {
      const form = await openSignedIn(openDeviceBrowser(provider), user, '/device')
      return form.submit('/device', { user_code: begun.user_code })
    }),
  )
  const pages = await Promise.all(shown.map((page) => page.submit('/device', { confirm: 'yes' })))
  const winners = users.filter((_user, at) => pages[at]?.html.includes('The device is connected'))
  t.equal(winners.length, 1)
  const { body } = await poll(provider, party, begun.device_code)
  t.equal(decodeJwt(body['access_token'] ?? '').sub, winners[0]?.userId)
})

t.test('a request that is wrong is refused, and never an error of the server', async (t) => {
  const { provider, party, ada, browser } = await startTelevision(t)
  const { issuer } = provider
  await openSignedIn(browser, ada, '/device')
  const cookie = [...browser.cookies].map(([key, value]) => `${key.slice(key.indexOf(' ') + 1)}=${value}`).join('; ')
  const send = async (path: string, body: BodyInit, type?: string) => {
    const headers = { origin: issuer, cookie, ...(type !== undefined && { 'content-type': type }) }
    const { status } = await fetch(`${issuer}${path}`, { method: 'POST', body, headers, redirect: 'manual' })
    return status
  }
  const form = (text: string) => new URLSearchParams(text)
  const { clientId } = party
  t.strictSame(
    {
      noForm: await send('/device', '{}', 'application/json'),
      twice: await send('/device', form('user_code=a&user_code=b')),
      empty: await send('/device', form('')),
      noClient: await send('/oauth/device_authorization', form('')),
      unknownClient: await send('/oauth/device_authorization', form('client_id=unknown')),
      json: await send('/oauth/device_authorization', '{}', 'application/json'),
      badScope: await send('/oauth/device_authorization', form(`client_id=${clientId}&scope=%00`)),
      badResource: await send('/oauth/device_authorization', form(`client_id=${clientId}&resource=%00`)),
      noCode: await send('/oauth/token', form(`client_id=${clientId}&grant_type=${encodeURIComponent(DEVICE_CODE)}`)),
    },
    {
      ...{ noForm: 400, twice: 400, empty: 400, noClient: 400, unknownClient: 401, json: 400, badScope: 400 },
      ...{ badResource: 400, noCode: 400 },
    },
  )
  for (const path of ['/device/unknown', '/device?user_code=%00', '/device?user_code=a&user_code=b']) {
    const { status } = await browser.open(path)
    t.ok(status < 500, `${path}: ${status}`)
  }
})
