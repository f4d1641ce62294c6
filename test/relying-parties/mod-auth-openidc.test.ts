// Apache with mod_auth_openidc, as Debian has them: sign-in, claims for the pages, refresh, logout, back-channel logout.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from '../support/app.js'
import { findFreePort } from '../support/free-port.js'
import { createFolder } from '../support/process.js'
import { openApplication } from '../support/relying-application.js'
import { registerParty, startProvider, type Provider } from '../support/relying-party.js'
import { until } from '../support/until.js'

const apache = '/usr/sbin/apache2'
const modules = '/usr/lib/apache2/modules'
const isInstalled = existsSync(apache) && existsSync(join(modules, 'mod_auth_openidc.so'))
const needsApache = isInstalled ? false : 'needs Apache: apt-get install apache2 libapache2-mod-auth-openidc'
const settingsFile = fileURLToPath(new URL('mod-auth-openidc/openidc.conf', import.meta.url))

/** A page that says what the module tells pages. */
const page = `<!--#echo var="OIDC_CLAIM_name" --> is <!--#echo var="REMOTE_USER" -->
<a href="/oidc/callback?refresh=/&amp;access_token=<!--#echo var="OIDC_access_token" encoding="url" -->">Refresh</a>`

async function startSignedIn(t: Test) {
  const provider = await startProvider(t)
  const ada = await provider.api.signUp({ name: 'Ada Lovelace' })
  const { url } = await startApache(t, provider)
  const browser = openApplication(provider, ada, { url })
  await browser.open('/')
  return { provider, ada, url, browser }
}

async function isReachable(url: string): Promise<boolean> {
  try {
    await fetch(url, { redirect: 'manual' })
    return true
  } catch {
    return false
  }
}

function refreshLinkOf(html: string): string {
  return /href="([^"]+)"/.exec(html)?.[1]?.replace('&amp;', '&') ?? ''
}

// The module sends only navigations to the provider, and fetch of Node calls its requests something else.
const navigation = 'RequestHeader set Sec-Fetch-Mode navigate early'

function configurationOf(folder: string, port: number): string {
  const names = [
    ...['mpm_event', 'authz_core', 'authn_core', 'authz_user', 'auth_openidc'],
    ...['headers', 'mime', 'dir', 'filter', 'include'],
  ]
  return `
    ServerRoot ${folder}
    ServerName 127.0.0.1
    Listen 127.0.0.1:${port}
    PidFile ${folder}/pid
    DefaultRuntimeDir ${folder}
    ErrorLog ${folder}/log
    DocumentRoot ${folder}/pages
    StartServers 1
    ${names.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
    ${navigation}
    TypesConfig /dev/null
    DirectoryIndex index.html
    AddOutputFilter INCLUDES .html
    AddType text/html .html
    <Directory ${folder}/pages>
      Options +Includes
    </Directory>
    User www-data
    Group www-data
    Include ${settingsFile}`
}

async function startApache(t: Test, provider: Provider): Promise<{ url: string }> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const { clientId, secret } = await registerParty(provider, {
    redirect_uris: [`${url}/oidc/callback`],
    post_logout_redirect_uris: [`${url}/`],
    backchannel_logout_uri: `${url}/oidc/callback?logout=backchannel`,
    backchannel_logout_session_required: true,
  })
  const folder = createFolder(t)
  // Apache's workers are another user where it is started by root.
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'pages'))
  writeFileSync(join(folder, 'pages', 'index.html'), page)
  writeFileSync(join(folder, 'apache.conf'), configurationOf(folder, port))
  const server = spawn(apache, ['-f', join(folder, 'apache.conf'), '-DFOREGROUND'], {
    env: {
      ISSUER: provider.issuer,
      URL: url,
      CLIENT_ID: clientId,
      CLIENT_SECRET: secret ?? '',
      PASSPHRASE: 'of a test',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = once(server, 'close')
  t.teardown(async () => {
    server.kill()
    await ended
  })
  await until(async () => server.exitCode !== null || (await isReachable(url)))
  if (server.exitCode !== null) throw new Error(`Apache has ended: ${readFileSync(join(folder, 'log'), 'utf8')}`)
  return { url }
}

t.test('mod_auth_openidc: sign-in, with claims for the pages, and refresh', { skip: needsApache }, async (t) => {
  const { ada, url, browser } = await startSignedIn(t)
  const home = await browser.open('/')
  t.match(home, { status: 200, url: `${url}/`, html: `Ada Lovelace is ${ada.email}` })
  const refreshed = await browser.open(refreshLinkOf(home.html))
  t.match(refreshed, { status: 200, url: `${url}/`, html: `Ada Lovelace is ${ada.email}` })
  t.not(refreshLinkOf(refreshed.html), refreshLinkOf(home.html), 'there is another access token')
})

t.test('mod_auth_openidc: logout, here and at the provider', { skip: needsApache }, async (t) => {
  const { provider, url, browser } = await startSignedIn(t)
  const shownBefore = browser.shown.length
  await browser.open(`/oidc/callback?logout=${encodeURIComponent(`${url}/`)}`)
  t.strictSame(browser.shown.slice(shownBefore), ['/oauth/logout', '/signin', '/signin'], 'the user signs in again')
  t.equal(await provider.database.query((tx) => tx.refreshTokenFamily.count({ where: { endReason: 'logout' } })), 2)
})

t.test('mod_auth_openidc: back-channel logout', { skip: needsApache }, async (t) => {
  const { provider, ada, browser } = await startSignedIn(t)
  await provider.app.operator.administration.endSessions(ada.email)
  const shownBefore = browser.shown.length
  await browser.open('/')
  t.equal(browser.shown.length, shownBefore, 'Apache has its own session')
  await provider.app.backchannelLogout.deliverDue()
  await browser.open('/')
  t.strictSame(browser.shown.slice(shownBefore), ['/signin', '/signin'])
})
