// Guesses of user codes, and a copy of the database, give nothing of what other users approve.

import * as client from 'openid-client'
import t from 'tap'
import { beginAt, decide, openDeviceBrowser, openSignedIn, poll, television } from '../support/device.js'
import { registerParty, startProvider } from '../support/relying-party.js'
import type { WebBrowser } from '../support/web-browser.js'

const WRONG = 'BBBB-BBBB'

t.test('user codes cannot be guessed: neither by one user nor from one address', async (t) => {
  const provider = await startProvider(t)
  const party = await registerParty(provider, television)
  const [ada, eve] = [await provider.api.signUp(), await provider.api.signUp()]
  const begun = await beginAt(party)

  const browsers = new Map<typeof eve, WebBrowser>()
  const guess = async (user: typeof eve, code: string) => {
    const browser = browsers.get(user) ?? openDeviceBrowser(provider)
    browsers.set(user, browser)
    const form = await openSignedIn(browser, user, '/device')
    return form.submit('/device', { user_code: code })
  }
  for (let tries = 0; tries < 10; tries += 1) {
    t.match(await guess(eve, WRONG), { status: 422, html: /not right, or has expired/ })
  }
  const refused = await guess(eve, begun.user_code)
  t.match(refused, { status: 429, html: /Too many wrong codes/ }, 'even the right one')
  t.notMatch(refused.html, /Television/)
  const events = await provider.database.query((queries) =>
    queries.auditEvent.findMany({ where: { userId: eve.userId } }),
  )
  t.ok(events.some(({ event }) => event === 'oauth_user_code_limited'))
  t.match(await guess(ada, begun.user_code), { status: 200, html: /Television/ }, 'another user is not shut out')

  for (let users = 0; users < 4; users += 1) {
    const another = await provider.api.signUp()
    for (let tries = 0; tries < 10; tries += 1) await guess(another, WRONG)
  }
  const last = await provider.api.signUp()
  t.match(await guess(last, WRONG), { status: 429 }, 'fifty from one address')
  provider.clock.advance({ minutes: 15 })
  t.match(await guess(last, WRONG), { status: 422 })
})

t.test('right codes are no guesses', async (t) => {
  const provider = await startProvider(t)
  const party = await registerParty(provider, television)
  const ada = await provider.api.signUp()
  const browser = openDeviceBrowser(provider)
  for (let devices = 0; devices < 12; devices += 1) {
    const begun = await beginAt(party)
    t.match(await decide(browser, ada, begun), { status: 200, html: /The device is connected/ })
  }
})

t.test('a form for a device that another page made up is refused', async (t) => {
  const provider = await startProvider(t)
  const party = await registerParty(provider, television)
  const ada = await provider.api.signUp()
  const begun = await beginAt(party)
  const browser = openDeviceBrowser(provider)
  await openSignedIn(browser, ada, '/device')
  const forge = async (origin: string) => {
    const cookie = [...browser.cookies].map(([key, value]) => `${key.slice(key.indexOf(' ') + 1)}=${value}`).join('; ')
    const body = new URLSearchParams({ xsrf: 'guessed', user_code: begun.user_code, confirm: 'yes' })
    const headers = { origin, cookie, accept: 'text/html' }
    return fetch(`${provider.issuer}/device`, { method: 'POST', body, headers, redirect: 'manual' })
  }
  t.equal((await forge(provider.issuer)).status, 400, 'without the token of the form')
  const elsewhere = await forge('https://evil.example.com')
  t.equal(elsewhere.status, 303)
  t.match(elsewhere.headers.get('location'), /^\/signin/, 'a form of another site is that of no user')
  t.match(await poll(provider, party, begun.device_code), { body: { error: 'authorization_pending' } })
})

t.test('a copy of the database redeems no device code', async (t) => {
  const provider = await startProvider(t)
  const party = await registerParty(provider, television)
  const ada = await provider.api.signUp()
  const browser = openDeviceBrowser(provider)
  await openSignedIn(browser, ada, '/device')
  provider.clock.advance({ minutes: 5 })
  const begun = await client.initiateDeviceAuthorization(party.config, { scope: 'openid', max_age: '60' })
  // The interaction names the device code while the user authenticates again.
  const asked = await decide(browser, ada, begun)
  t.equal(new URL(asked.url).pathname, '/account/confirm')
  const rows = await provider.database.query((queries) => queries.oAuthArtifact.findMany())
  t.ok(rows.some(({ kind }) => kind === 'Interaction'))
  t.notMatch(JSON.stringify(rows), new RegExp(begun.device_code))

  await asked.submit('/account/confirm', { password: ada.password })
  const named = rows.flatMap(({ payload }) => {
    const { deviceCode } = payload as { deviceCode?: string }
    return deviceCode === undefined ? [] : [deviceCode]
  })
  t.equal(named.length, 1)
  for (const name of named) {
    t.match(await poll(provider, party, name), { status: 400, body: { error: 'invalid_grant' } })
  }
  t.match(await poll(provider, party, begun.device_code), { status: 200 })
})
