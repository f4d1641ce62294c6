// Clients that register nowhere: their id is the address of a document that says what they are.

import { exportJWK, generateKeyPair, type CryptoKey } from 'jose'
import * as client from 'openid-client'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import type { Test } from '../support/app.js'
import { agentDocument, loopbackGet, startDocuments } from '../support/client-document.js'
import { createParty, errorOf, openBrowser, startProvider, type Provider } from '../support/relying-party.js'
import { createWebBrowser } from '../support/web-browser.js'

const REDIRECT = 'http://127.0.0.1:49152/callback'
const toAgent = { redirect_uri: REDIRECT, scope: 'openid offline_access' }

async function start(t: Test, settings: Record<string, string> = {}) {
  const provider = await startProvider(t, { publicGet: loopbackGet, settings: { OAUTH_CIMD: 'on', ...settings } })
  return { provider, documents: await startDocuments(t), ada: await provider.api.signUp() }
}

/** A client as it finds the provider. */
async function discover({ issuer }: Provider, clientId: string, authenticate = client.None()) {
  const config = await client.discovery(new URL(issuer), clientId, {}, authenticate, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is so marked to stand out; this is loopback
    execute: [client.allowInsecureRequests],
  })
  return createParty(config, { clientId, secret: null })
}

const eventsOf = ({ database }: Provider, event: string) =>
  database.query((queries) => queries.auditEvent.findMany({ where: { event } }))

t.test('a user signs in to a client that was never registered', async (t) => {
  const { provider, documents, ada } = await start(t)
  const clientId = documents.publish('/client.json', agentDocument)
  const party = await discover(provider, clientId)
  t.equal(party.config.serverMetadata()['client_id_metadata_document_supported'], true)
  const browser = openBrowser(provider, ada)
  const tokens = await party.signIn(browser, toAgent)
  t.equal(tokens.claims()?.aud, clientId)
  t.equal(tokens.claims()?.sub, ada.userId)
  t.match(browser.shown.join(), /\/consent\//)
  const refreshed = await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')
  t.not(refreshed.refresh_token, tokens.refresh_token)
  t.strictSame(documents.takeAsked(), ['/client.json'], 'it was read once')

  const { body } = await provider.api.call<{ apps: unknown[] }>('/v1/me/apps', { token: ada.accessToken })
  t.match(body.apps, [{ client_id: clientId, name: 'Agent' }])
  t.match(await provider.app.operator.clients.find(clientId), {
    ...{ createdBy: 'metadata-document', firstParty: false, usedAt: Date },
    metadata: { pkce: 'required', lost_answer: 'until_used', application_type: 'native' },
  })
  t.match(await runCommand(provider.app.operator, 'client:list', []), [/by metadata-document$/])
  t.match(await eventsOf(provider, 'client_created'), [{ actorKind: 'user', actorId: null }])
  t.equal((await eventsOf(provider, 'client_document_changed')).length, 0)
})

t.test('the user is always asked, and told which host answers for the client', async (t) => {
  const { provider, documents, ada } = await start(t)
  const callback = `${documents.origin}/callback`
  const agent = await discover(provider, documents.publish('/client.json', agentDocument))
  const web = await discover(provider, documents.publish('/web.json', { ...agentDocument, redirect_uris: [callback] }))
  const toWeb = { ...toAgent, redirect_uri: callback }
  const pages: string[] = []
  const signIn = openBrowser(provider, ada)
  const { host } = new URL(documents.origin)
  for (let count = 0; count < 2; count += 1) {
    const shown = signIn.shown.length
    await agent.signIn(signIn, toAgent)
    await web.signIn(signIn, toWeb)
    t.equal(signIn.shown.slice(shown).filter((path) => path.startsWith('/consent/')).length, 2)
  }
  const browser = createWebBrowser(provider.issuer, (page) => {
    if (page.html.includes('name="password"')) {
      return page.submit('/signin/password', { email: ada.email, password: ada.password })
    }
    const { pathname } = new URL(page.url)
    if (pathname === '/signin') return page.submit(pathname, { email: ada.email })
    if (!pathname.startsWith('/consent/')) return null
    pages.push(page.html)
    return page.submit(pathname, { decision: 'refuse' })
  })
  await agent.authorize(browser, toAgent)
  await web.authorize(browser, toWeb)
  const [local = '', own = ''] = pages
  t.match(local, `Agent (${host})`)
  t.match(local, 'a program on your own computer (127.0.0.1:49152)')
  t.match(own, `Agent (${host})`)
  t.notMatch(own, 'your own computer')
})

t.test('a document is read again when it is no longer current, and its changes count', async (t) => {
  const { provider, documents, ada } = await start(t)
  const clientId = documents.publish('/client.json', agentDocument, { 'cache-control': 'max-age=3600' })
  const party = await discover(provider, clientId)
  const browser = openBrowser(provider, ada)
  await party.signIn(browser, toAgent)
  documents.publish('/client.json', { ...agentDocument, client_name: 'Renamed', redirect_uris: ['http://localhost/'] })
  provider.clock.advance({ minutes: 59 })
  await party.signIn(browser, toAgent)
  t.equal(documents.takeAsked().length, 1)

  provider.clock.advance({ minutes: 2 })
  await t.rejects(party.signIn(browser, toAgent), /redirect_uri/, 'it may no longer return there')
  t.equal(documents.takeAsked().length, 1)
  t.match(await provider.app.operator.clients.find(clientId), { name: 'Renamed' })
  t.match(await eventsOf(provider, 'client_document_changed'), [
    { detail: { client_id: clientId, changed: 'client_name redirect_uris' } },
  ])
})

t.test('sessions go on while a document cannot be had, and no new one begins', async (t) => {
  const { provider, documents, ada } = await start(t)
  const clientId = documents.publish('/client.json', agentDocument)
  const party = await discover(provider, clientId)
  const browser = openBrowser(provider, ada)
  const { refresh_token: first = '' } = await party.signIn(browser, toAgent)
  documents.publish('/client.json', (response) => response.writeHead(500).end())
  provider.clock.advance({ minutes: 6 })
  await t.rejects(party.authorize(browser, toAgent), /status 500/)
  const { refresh_token: second = '' } = await client.refreshTokenGrant(party.config, first)
  t.not(second, first)

  documents.publish('/client.json', agentDocument)
  await t.rejects(party.authorize(browser, toAgent), /status 500/, 'it is not asked again at once')
  provider.clock.advance({ minutes: 1 })
  await party.signIn(browser, toAgent)
})

t.test('such a client is disabled, and its sessions end, as those of others', async (t) => {
  const { provider, documents, ada } = await start(t)
  const clientId = documents.publish(
    '/a-long-path-of-a-client/with-more-than-100-characters/client.json',
    agentDocument,
  )
  const party = await discover(provider, clientId)
  const browser = openBrowser(provider, ada)
  const removed = await party.signIn(browser, toAgent)
  const path = `/v1/me/apps/${encodeURIComponent(clientId)}`
  t.equal((await provider.api.call(path, { method: 'DELETE', token: ada.accessToken })).status, 204)
  t.equal(await errorOf(client.refreshTokenGrant(party.config, removed.refresh_token ?? '')), 'invalid_grant')

  const live = await party.signIn(browser, toAgent)
  await runCommand(provider.app.operator, 'client:disable', ['--client-id', clientId])
  t.equal(await errorOf(client.refreshTokenGrant(party.config, live.refresh_token ?? '')), 'invalid_client')
  provider.clock.advance({ minutes: 6 })
  documents.takeAsked()
  await t.rejects(party.authorize(browser, toAgent), /client is invalid/)
  t.strictSame(documents.takeAsked(), [], 'its document is not asked for either')
  await runCommand(provider.app.operator, 'client:enable', ['--client-id', clientId])
  await party.signIn(browser, toAgent)
  await runCommand(provider.app.operator, 'client:remove', ['--client-id', clientId])
  t.equal(await provider.app.operator.clients.find(clientId), null)
})

t.test('one that is not used is forgotten after a day', async (t) => {
  const { provider, documents, ada } = await start(t)
  const party = await discover(provider, documents.publish('/used.json', agentDocument))
  const unused = await discover(provider, documents.publish('/unused.json', agentDocument))
  const browser = openBrowser(provider, ada)
  await party.signIn(browser, toAgent)
  await unused.authorize(browser, toAgent)
  const { clients } = provider.app.operator
  provider.clock.advance({ hours: 23 })
  await provider.app.operations.runMaintenance()
  t.equal((await clients.list()).length, 2)
  provider.clock.advance({ hours: 2 })
  await provider.app.operations.runMaintenance()
  t.match(await clients.list(), [{ clientId: party.clientId }])
  await unused.signIn(openBrowser(provider, ada), toAgent)
})

t.test('a client authenticates with the keys of its document, also after it has others', async (t) => {
  const { provider, documents, ada } = await start(t)
  const keys = await Promise.all(['one', 'two'].map(createKey))
  const publish = ({ jwk }: Key) =>
    documents.publish('/client.json', {
      ...{ ...agentDocument, token_endpoint_auth_method: 'private_key_jwt' },
      jwks: { keys: [jwk] },
    })
  const [one, two] = keys
  if (!one || !two) throw new Error('There are two keys.')
  const clientId = publish(one)
  const signingWith = ({ privateKey, kid }: Key) =>
    discover(provider, clientId, client.PrivateKeyJwt({ key: privateKey, kid }))
  const tokens = await (await signingWith(one)).signIn(openBrowser(provider, ada), toAgent)
  publish(two)
  provider.clock.advance({ minutes: 6 })
  const party = await signingWith(two)
  const refreshed = await client.refreshTokenGrant(party.config, tokens.refresh_token ?? '')
  const former = await signingWith(one)
  t.equal(await errorOf(client.refreshTokenGrant(former.config, refreshed.refresh_token ?? '')), 'invalid_client')
  documents.publish('/client.json', (response) => response.writeHead(500).end())
  provider.clock.advance({ minutes: 6 })
  await client.refreshTokenGrant(party.config, refreshed.refresh_token ?? '')
})

interface Key {
  kid: string
  privateKey: CryptoKey
  jwk: Record<string, unknown>
}

async function createKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } }
}
