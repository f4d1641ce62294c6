// passport-openidconnect: sign-in with name and address from the ID token, without PKCE, which it does not know.

import t from 'tap'
import { openApplication, startApplication } from '../support/relying-application.js'
import { startProvider } from '../support/relying-party.js'

const application = { folder: 'passport-openidconnect', callback: '/callback' }

t.test('passport-openidconnect: sign-in, by a client for which PKCE is optional', async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp({ name: 'Ada Lovelace' })
  const { url } = await startApplication(t, provider, { ...application, pkce: 'optional' })
  const browser = openApplication(provider, ada, { url })
  t.match(await browser.open('/'), { html: 'Not signed in' })
  const home = await browser.open('/login')
  t.match(home, { status: 200, url: `${url}/`, html: `Ada Lovelace <${ada.email}>` })
})

t.test('passport-openidconnect: another client is refused, because PKCE is required', async (t) => {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp()
  const { url } = await startApplication(t, provider, application)
  const refused = await openApplication(provider, ada, { url }).open('/login')
  t.match(refused, { status: 500, html: 'requires PKCE' })
})
