// A client id is the address of a document: this server must not be led to what only it can reach, nor believe a document
// what it may not say.

import type { ServerResponse } from 'node:http'
import t from 'tap'
import { agentDocument, loopbackGet, startDocuments, type DocumentAnswer } from '../support/client-document.js'
import { askForTokens, startProvider, type Provider } from '../support/relying-party.js'

const settings = { OAUTH_CIMD: 'on' }

/** Begins a sign-in, as the browser of a user does: the status, and what the page says. */
async function begin({ issuer }: Provider, clientId: string, redirectUri = 'http://127.0.0.1:49152/callback') {
  const query = new URLSearchParams({
    ...{ client_id: clientId, redirect_uri: redirectUri, response_type: 'code', scope: 'openid', state: 'x' },
    ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
  })
  const response = await fetch(`${issuer}/oauth/authorize?${query.toString()}`, { redirect: 'manual' })
  return { status: response.status, html: await response.text(), location: response.headers.get('location') }
}

t.test('nothing on this machine or its networks is asked for a document', async (t) => {
  const provider = await startProvider(t, { settings })
  const documents = await startDocuments(t)
  const inside = documents.publish('/client.json', agentDocument)
  const { port } = new URL(inside)
  const addresses = [
    inside,
    ...[`https://127.0.0.1:${port}/client.json`, `https://[::1]:${port}/c`, `https://0x7f.1:${port}/client.json`],
    ...[`https://[::ffff:127.0.0.1]:${port}/c`, 'https://169.254.169.254/latest/meta-data/', 'https://10.0.0.1/c'],
  ]
  for (const clientId of addresses) {
    const { status, html } = await begin(provider, clientId)
    t.equal(status, 400, clientId)
    t.match(html, /invalid_client: the metadata document could not be fetched/, clientId)
  }
  t.strictSame(documents.takeAsked(), [])
  t.strictSame(await provider.app.operator.clients.list(), [])
})

t.test('nothing is fetched but an https address, with OAUTH_CIMD, where a client begins', async (t) => {
  const documents = await startDocuments(t)
  const clientId = documents.publish('/client.json', agentDocument)
  const off = await startProvider(t, { publicGet: loopbackGet })
  t.match(await begin(off, clientId), { status: 400, html: /invalid_client: client is invalid/ })
  const provider = await startProvider(t, { publicGet: loopbackGet, settings })
  const others = [clientId.replace('https', 'http'), `${clientId}#x`, clientId.replace('//', '//user@'), 'unknown']
  for (const id of others) t.match(await begin(provider, id), { status: 400, html: /client is invalid/ }, id)
  const refreshed = await askForTokens(provider, {
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: 'x',
  })
  t.match(refreshed, { status: 401, body: { error: 'invalid_client' } })
  t.equal((await fetch(`${provider.issuer}/oauth/logout?client_id=${encodeURIComponent(clientId)}`)).status, 400)
  t.strictSame(documents.takeAsked(), [])
})

t.test('a document that is anything but a valid one of this address makes no client', async (t) => {
  const provider = await startProvider(t, { publicGet: loopbackGet, settings })
  const documents = await startDocuments(t)
  const send = (body: string, type = 'application/json', status = 200) => {
    return (response: ServerResponse) =>
      void response.writeHead(status, { 'content-type': type, location: '/real.json' }).end(body)
  }
  const real = documents.publish('/real.json', agentDocument)
  const answers: [string, DocumentAnswer, RegExp][] = [
    ['not-found', send('{}', 'application/json', 404), /status 404/],
    ['redirect', send('', 'application/json', 302), /status 302/],
    ['html', send(JSON.stringify({ ...agentDocument, client_id: real }), 'text/html'), /content type/],
    ['text', send('{', 'application/json'), /JSON object/],
    ['of-another', { ...agentDocument, client_id: real }, /client_id/],
    ['too-long', { ...agentDocument, padding: 'x'.repeat(5 * 1024) }, /could not be fetched/],
    ['cut-off', (response) => response.writeHead(200).write('{') && response.destroy(), /could not be fetched/],
    ['secret', { ...agentDocument, client_secret: 'hush' }, /client_secret/],
    ['with-secret', { ...agentDocument, token_endpoint_auth_method: 'client_secret_post' }, /auth_method/],
    ['foreign', { ...agentDocument, redirect_uris: ['https://evil.example/'] }, /redirect_uris/],
  ]
  for (const [name, answer, fault] of answers) {
    const { status, html } = await begin(provider, documents.publish(`/${name}`, answer))
    t.equal(status, 400, name)
    t.match(html, fault, name)
  }
  t.notMatch(documents.takeAsked().join(), 'real.json', 'no redirect was followed')
  t.strictSame(await provider.app.operator.clients.list(), [])
  t.match(await begin(provider, real), { status: 303, location: /\/oauth\/interaction\// })
  t.match(await begin(provider, real, 'https://evil.example/'), { status: 400, html: /redirect_uri/ })
})

t.test('what a network has fetched is limited, and a fault is remembered', async (t) => {
  const provider = await startProvider(t, { publicGet: loopbackGet, settings })
  const documents = await startDocuments(t)
  const missing = `${documents.origin}/missing.json`
  for (let count = 0; count < 3; count += 1) t.equal((await begin(provider, missing)).status, 400)
  t.equal(documents.takeAsked().length, 1)
  for (let count = 1; count < 30; count += 1) {
    t.equal((await begin(provider, documents.publish(`/${count}.json`, agentDocument))).status, 303)
  }
  const known = `${documents.origin}/1.json`
  const another = documents.publish('/another.json', agentDocument)
  t.equal((await begin(provider, another)).status, 429)
  t.equal((await begin(provider, known)).status, 303, 'what is known is not limited')
  t.equal(documents.takeAsked().length, 29)
  const events = await provider.database.query((queries) =>
    queries.auditEvent.findMany({ where: { event: 'client_document_limited' } }),
  )
  t.equal(events.length, 1)
  provider.clock.advance({ hours: 1 })
  t.equal((await begin(provider, another)).status, 303)
})

t.test('requests at the same time share one fetch', async (t) => {
  const provider = await startProvider(t, { publicGet: loopbackGet, settings })
  const documents = await startDocuments(t)
  const clientId = documents.publish('/client.json', agentDocument)
  const answers = await Promise.all(Array.from({ length: 8 }, () => begin(provider, clientId)))
  t.strictSame(new Set(answers.map(({ status }) => status)), new Set([303]))
  t.equal(documents.takeAsked().length, 1)
  t.equal((await provider.app.operator.clients.list()).length, 1)
})
