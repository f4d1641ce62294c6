// npm run example:sso: Sallyport as an OpenID provider, two applications and a service. It is one process, which Ctrl-C stops.

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { mountOrders } from './orders.js'
import { createRelyingParty } from './relying-party.js'
import { createReport } from './report.js'

const { PORT = '3000', SHOP_PORT = '4001', WIKI_PORT = '4002', REPORT_PORT = '4003' } = process.env
const issuer = `http://localhost:${PORT}`
// To browsers, another site than Sallyport's, and two origins.
const shop = { name: 'Shop', url: `http://127.0.0.1:${SHOP_PORT}` }
const wiki = { name: 'Wiki', url: `http://127.0.0.1:${WIKI_PORT}` }
const report = { name: 'Report', url: `http://127.0.0.1:${REPORT_PORT}` }
const resource = `${shop.url}/api`

// Before anything is started: Sallyport would open its database first.
for (const [setting, port] of Object.entries({ PORT, SHOP_PORT, WIKI_PORT, REPORT_PORT })) {
  await requireFree(port, setting)
}

Object.assign(process.env, { PORT, PUBLIC_URL: issuer, OAUTH: 'on' })
await import('../../dist/main.js')

const runCommand = promisify(execFile)
const operate = fileURLToPath(new URL('../../dist/operate.js', import.meta.url))

// What an operator does once. Here at each start, because the secrets are kept nowhere.
for (const clientId of ['report', 'shop', 'wiki']) await forget('client:remove', '--client-id', clientId)
await forget('resource:remove', '--identifier', resource)
await command('resource:create', '--identifier', resource, '--name', shop.name, '--scopes', 'orders:read')
const secrets = {
  shop: await createClient('shop', [...ofApplication(shop), '--introspect']),
  wiki: await createClient('wiki', ofApplication(wiki)),
  report: await createClient('report', [
    ...['--client-name', report.name, '--grant-types', 'client_credentials'],
    ...['--default-resource', resource, '--scope', 'orders:read'],
  ]),
}

const shopApp = await createRelyingParty({
  ...{ ...shop, issuer, clientId: 'shop', clientSecret: secrets.shop },
  others: [wiki, report],
})
await mountOrders(shopApp, { issuer, audience: resource, credential: secrets.shop })
const wikiApp = await createRelyingParty({
  ...{ ...wiki, issuer, clientId: 'wiki', clientSecret: secrets.wiki },
  others: [shop, report],
})
const reportApp = await createReport({
  ...{ issuer, clientId: 'report', clientSecret: secrets.report },
  ordersUrl: `${resource}/orders`,
})
for (const [app, { name, url }] of [
  [shopApp, shop],
  [wikiApp, wiki],
  [reportApp, report],
]) {
  await app.listen({ host: '127.0.0.1', port: Number(new URL(url).port) })
  console.log(`  ${name} is at ${url}`)
}
console.log(`  Register at ${issuer}/register, or in an application.\n`)

/** An application with its own pages and server; its users are not asked for consent. */
function ofApplication({ name, url }) {
  return [
    ...['--client-name', name, '--first-party', '--grant-types', 'authorization_code'],
    ...['--redirect-uris', `${url}/callback`, '--post-logout-redirect-uris', `${url}/`],
    ...['--backchannel-logout-uri', `${url}/backchannel-logout`, '--backchannel-logout-session-required'],
  ]
}

/** Registers a client, and returns its secret. */
async function createClient(clientId, options) {
  const said = await command('client:create', '--client-id', clientId, ...options)
  return /spc_\S+/.exec(said)[0]
}

/** Removes what a previous start has left. */
function forget(...args) {
  return command(...args).catch(() => undefined)
}

async function command(...args) {
  const { stdout } = await runCommand(process.execPath, [operate, ...args])
  return stdout
}

async function requireFree(port, setting) {
  const probe = createServer().listen(Number(port), '127.0.0.1')
  try {
    await once(probe, 'listening')
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    console.error(`Port ${port} is taken. Stop what listens there, or set ${setting} to another port.`)
    process.exit(1)
  }
  probe.close()
  await once(probe, 'close')
}
