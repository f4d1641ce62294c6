// Sallyport signs in with another Sallyport as its provider: two clean starts, configured as docs/social-login.md says.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { SECRET_KEY } from '../support/app.js'
import { needsEmbedded } from '../support/database.js'
import { findFreePort } from '../support/free-port.js'
import { createFolder, runOperate, startProcess } from '../support/process.js'
import { signInOn } from '../support/relying-party.js'
import { createWebBrowser } from '../support/web-browser.js'

t.test('EML-13, EML-15: a user of one Sallyport signs in at another', { skip: needsEmbedded }, async (t) => {
  const [homePort, shopPort] = [await findFreePort(), await findFreePort()]
  const [homeUrl, shopUrl] = [`http://localhost:${homePort}`, `http://localhost:${shopPort}`]
  const homeData = { DATA_DIR: createFolder(t), SECRET_KEY }

  const callback = `${shopUrl}/v1/auth/social/home/callback`
  const command = ['client:create', '--client-name', 'Shop', '--redirect-uris', callback]
  await runOperate(t, ['migrate'], homeData)
  const { stdout, stderr } = await runOperate(t, command, homeData)
  const [, clientId = ''] = /client_id:\s+(\S+)/.exec(stdout) ?? []
  const [, secret = ''] = /client_secret, which is shown only once:\s+(\S+)/.exec(stdout) ?? []
  t.match(secret, /^spc_/, stderr)
  const home = await startProcess(t, { ...homeData, PORT: String(homePort), PUBLIC_URL: homeUrl, OAUTH: 'on' })

  const file = join(createFolder(t), 'providers.json')
  const entry = { id: 'home', kind: 'oidc', name: 'Home', issuer: homeUrl, client_id: clientId }
  writeFileSync(file, JSON.stringify({ providers: [{ ...entry, client_secret_env: 'HOME_SECRET' }] }))
  const shop = await startProcess(t, {
    ...{ DATA_DIR: createFolder(t), SECRET_KEY, PORT: String(shopPort), PUBLIC_URL: shopUrl },
    ...{ PROVIDERS: file, HOME_SECRET: secret, RETURN_TO: 'https://shop.example.com' },
  })
  const { body } = await shop.api.call('/v1/auth/providers')
  t.match(body, { providers: [{ id: 'home', name: 'Home', href: `${shopUrl}/v1/auth/social/home` }] })

  const ada = { email: 'ada@example.com', password: PASSWORD }
  t.match(await home.api.call('/v1/auth/register', { method: 'POST', body: { ...ada, name: 'Ada' } }), { status: 201 })
  const nothing = () => null
  const atHome = createWebBrowser(homeUrl, (page) => signInOn(page, ada))
  const atShop = createWebBrowser(shopUrl, nothing)
  const signIn = async () => {
    const address = `${shopUrl}/v1/auth/social/home?mode=session&return_to=${encodeURIComponent('https://shop.example.com/')}`
    const authorize = await atShop.goUntilElsewhere(address)
    t.equal(new URL(authorize).origin, homeUrl)
    const back = await atHome.goUntilElsewhere(authorize)
    t.ok(back.startsWith(`${callback}?`), back)
    return atShop.goUntilElsewhere(back)
  }
  t.equal(await signIn(), 'https://shop.example.com/')
  const me = await atShop.open('/v1/me')
  t.match(JSON.parse(me.html), { email: 'ada@example.com', name: 'Ada', email_verified: false })

  const { id } = JSON.parse(me.html) as { id: string }
  t.equal(await signIn(), 'https://shop.example.com/', 'at home the session still lives')
  t.match(JSON.parse((await atShop.open('/v1/me')).html), { id }, 'the same user')
})
