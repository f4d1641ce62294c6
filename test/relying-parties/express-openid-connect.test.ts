// express-openid-connect: sign-in, name and address from the ID token, refresh, logout, and back-channel logout.

import { decodeJwt } from 'jose'
import t from 'tap'
import type { Test } from '../support/app.js'
import { openApplication, startApplication } from '../support/relying-application.js'
import { startProvider } from '../support/relying-party.js'

async function startSignedIn(t: Test) {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp({ name: 'Ada Lovelace' })
  const application = await startApplication(t, provider, {
    folder: 'express-openid-connect',
    callback: '/callback',
    backchannelLogout: '/backchannel-logout',
  })
  const browser = openApplication(provider, ada, application)
  const home = await browser.open('/login')
  return { provider, ada, application, browser, home, signedIn: `Ada Lovelace <${ada.email}>` }
}

t.test('express-openid-connect: sign-in, with name and address from the ID token', async (t) => {
  const { home, signedIn, application, browser } = await startSignedIn(t)
  t.match(home, { status: 200, url: `${application.url}/`, html: signedIn })
  t.match(await browser.open('/'), { html: signedIn }, 'and it lasts')
})

t.test('express-openid-connect: refresh', async (t) => {
  const { provider, ada, browser, application } = await startSignedIn(t)
  provider.clock.advance({ minutes: 1 })
  const first = decodeJwt((await browser.open('/refresh')).html)
  provider.clock.advance({ minutes: 1 })
  const second = decodeJwt((await browser.open('/refresh')).html)
  t.match(first, { sub: ada.userId, client_id: application.clientId })
  t.match(second, { sub: ada.userId, sid: first['sid'] })
  t.not(second.jti, first.jti)
})

t.test('express-openid-connect: logout, here and at the provider', async (t) => {
  const { provider, browser, application } = await startSignedIn(t)
  const left = await browser.open('/logout')
  t.match(left, { status: 200, url: `${application.url}/`, html: 'Not signed in' })
  t.equal(await provider.database.query((tx) => tx.refreshTokenFamily.count({ where: { endedAt: null } })), 1)
})

t.test('express-openid-connect: back-channel logout ends this session, and no later one', async (t) => {
  const { provider, ada, browser, signedIn } = await startSignedIn(t)
  await provider.app.operator.administration.ban(ada.email, { until: null, reason: null })
  t.match(await browser.open('/'), { html: signedIn }, 'the application has its own session')
  await provider.app.backchannelLogout.deliverDue()
  t.match(await browser.open('/'), { html: 'Not signed in' })

  await provider.app.operator.administration.unban(ada.email)
  t.match(await browser.open('/login'), { status: 200, html: signedIn })
})
