// An agent and an MCP server, both with @modelcontextprotocol/sdk, over real HTTP: the agent knows the address of the
// server alone, and finds the rest (RFC 9728, RFC 8414, RFC 7591, client ID metadata documents).

import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { decodeJwt } from 'jose'
import t from 'tap'
import { installPackages } from '../../scripts/install-packages.js'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import {
  createVerifier,
  requireAccess,
  serveResourceMetadata,
  type VerifiedRequest,
} from '../../src/sdk/verifier/verifier.js'
import type { Test } from '../support/app.js'
import { agentDocument, loopbackGet, startDocuments } from '../support/client-document.js'
import { listen } from '../support/listen.js'
import { askForTokens, openBrowser, startProvider } from '../support/relying-party.js'

type Fetch = typeof fetch

interface Kept {
  authorizationUrl: string
  client: { client_id: string; client_secret?: string }
  tokens: { access_token: string; refresh_token: string }
}

interface Agent {
  kept: Kept
  whoseNotes(): Promise<string>
}

interface AgentOptions {
  serverUrl: string
  redirectUrl: string
  clientMetadataUrl: string | undefined
  openBrowser: (url: string) => Promise<string>
  fetch: Fetch
}

const folder = fileURLToPath(new URL('mcp-sdk', import.meta.url))
installPackages(folder)
const load = async (name: string): Promise<unknown> => import(pathToFileURL(join(folder, name)).href)
const { createAgent } = (await load('agent.js')) as { createAgent: (options: AgentOptions) => Agent }
const { withAttemptKeys } = (await load('attempt-keys.js')) as { withAttemptKeys: (fetch: Fetch) => Fetch }
const { answerMcp } = (await load('notes.js')) as {
  answerMcp: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

const scopes = ['notes:read', 'offline_access']
const { credential, sha256 } = createVerifierCredential()

/** Sallyport, an MCP server that it guards, and an agent whose user has an account. */
async function start(t: Test, wrapFetch = (inner: Fetch) => inner, clientMetadataUrl?: string) {
  const provider = await startProvider(t, {
    publicGet: loopbackGet,
    settings: {
      OAUTH_REGISTRATION: 'open',
      OAUTH_CIMD: 'on',
      OAUTH_REGISTRATION_SCOPES: scopes.join(','),
      VERIFIER_KEYS: `notes:${sha256}`,
    },
  })
  const server = createServer()
  const serverUrl = `http://127.0.0.1:${await listen(t, server)}/mcp`
  await provider.app.operator.clients.resources.create({
    ...{ identifier: serverUrl, name: 'Notes', scopes: ['notes:read'], accessTtlSeconds: null, alg: null },
  })
  const verifier = createVerifier({
    ...{ issuer: provider.issuer, audience: serverUrl, credential, clock: provider.clock },
    resource: { scopes, name: 'Notes' },
  })
  t.teardown(async () => verifier.close())
  await verifier.ready()
  const serveMetadata = serveResourceMetadata(verifier)
  const guard = requireAccess(verifier, { freshness: 'live', scopes: ['notes:read'] })
  server.on('request', (request: IncomingMessage & VerifiedRequest, response: ServerResponse) => {
    serveMetadata(request, response, () => guard(request, response, () => void answerMcp(request, response)))
  })

  const user = await provider.api.signUp()
  const browser = openBrowser(provider, user)
  const asked: string[] = []
  let [isLossy, isAway] = [false, false]

  const network: Fetch = async (input, init) => {
    const { origin, pathname } = new URL(input instanceof Request ? input.url : input)
    const response = await fetch(input, init)
    asked.push(`${init?.method ?? 'GET'} ${origin === provider.issuer ? '' : 'notes '}${pathname}`)
    if (pathname !== '/oauth/token' || !isLossy) return response
    isLossy = false
    await response.text()
    throw new TypeError('The connection was lost.')
  }
  const agent = createAgent({
    serverUrl,
    redirectUrl: 'http://127.0.0.1:49152/callback',
    clientMetadataUrl,
    async openBrowser(url) {
      if (isAway) throw new Error('The user is away.')
      return browser.goUntilElsewhere(url)
    },
    fetch: wrapFetch(network),
  })
  return {
    ...{ provider, serverUrl, user, browser, agent, asked },
    loseAnswer: () => (isLossy = true),
    leave: () => (isAway = true),
    takeAsked: () => asked.splice(0),
  }
}

t.test('an agent finds its way from the MCP server to tokens, and refreshes them', async (t) => {
  const { provider, serverUrl, user, browser, agent, takeAsked } = await start(t)
  t.equal(await agent.whoseNotes(), user.userId)
  t.strictSame(takeAsked().slice(0, 5), [
    'POST notes /mcp',
    'GET notes /.well-known/oauth-protected-resource/mcp',
    'GET /.well-known/oauth-authorization-server',
    'POST /oauth/register',
    'GET notes /.well-known/oauth-protected-resource/mcp',
  ])
  t.match(browser.shown.join(), /\/consent\//)
  t.equal(agent.kept.client.client_secret, undefined)
  const first = agent.kept.tokens
  const { searchParams: request } = new URL(agent.kept.authorizationUrl)
  t.match(Object.fromEntries(request), {
    ...{ resource: serverUrl, scope: scopes.join(' '), code_challenge_method: 'S256' },
  })
  const claims = decodeJwt<{ scope: string }>(first.access_token)
  t.match(claims, { aud: serverUrl, client_id: agent.kept.client.client_id })
  t.strictSame(claims.scope.split(' ').sort(), scopes)

  const pages = browser.shown.length
  provider.clock.advance({ minutes: 11 })
  t.equal(await agent.whoseNotes(), user.userId)
  t.not(agent.kept.tokens.refresh_token, first.refresh_token)
  t.equal(decodeJwt(agent.kept.tokens.access_token)['sid'], decodeJwt(first.access_token)['sid'])
  t.equal(browser.shown.length, pages, 'the user was not asked')
})

t.test('an agent that describes itself does not register', async (t) => {
  const documents = await startDocuments(t)
  const clientId = documents.publish('/agents/client.json', agentDocument)
  const { provider, serverUrl, user, browser, agent, takeAsked } = await start(t, undefined, clientId)
  t.equal(await agent.whoseNotes(), user.userId)
  t.notOk(takeAsked().includes('POST /oauth/register'))
  t.match(browser.shown.join(), /\/consent\//)
  t.strictSame(documents.takeAsked(), ['/agents/client.json'])
  const { access_token: accessToken, refresh_token: refreshToken } = agent.kept.tokens
  t.match(decodeJwt(accessToken), { aud: serverUrl, client_id: clientId })
  provider.clock.advance({ minutes: 11 })
  t.equal(await agent.whoseNotes(), user.userId)
  t.not(agent.kept.tokens.refresh_token, refreshToken)

  await provider.app.operator.clients.disable(clientId)
  await t.rejects(agent.whoseNotes())
})

t.test('a lost answer of a refresh does not lose the agent its session', async (t) => {
  const outages: [string, { fetch: (fetch: Fetch) => Fetch; outage: { seconds?: number; hours?: number } }][] = [
    ['within the grace period', { fetch: (fetch) => fetch, outage: { seconds: 5 } }],
    ['an hour later', { fetch: (fetch) => fetch, outage: { hours: 1 } }],
    ['an hour later, with an attempt key', { fetch: withAttemptKeys, outage: { hours: 1 } }],
  ]
  for (const [name, { fetch, outage }] of outages) {
    await t.test(name, async (t) => {
      const { provider, user, browser, agent, loseAnswer, leave } = await start(t, fetch)
      await agent.whoseNotes()
      const { access_token: accessToken, refresh_token: refreshToken } = agent.kept.tokens
      provider.clock.advance({ minutes: 11 })
      const pages = browser.shown.length
      leave()
      loseAnswer()
      await t.rejects(agent.whoseNotes(), { message: 'The user is away.' })
      t.equal(agent.kept.tokens.refresh_token, refreshToken, 'it has the old one')

      provider.clock.advance(outage)
      t.equal(await agent.whoseNotes(), user.userId)
      t.not(agent.kept.tokens.refresh_token, refreshToken)
      t.equal(decodeJwt(agent.kept.tokens.access_token)['sid'], decodeJwt(accessToken)['sid'])
      t.equal(browser.shown.length, pages)
    })
  }
})

t.test('an agent whose client is gone registers again', async (t) => {
  const { provider, user, agent, takeAsked } = await start(t)
  await agent.whoseNotes()
  const { client_id: clientId } = agent.kept.client
  await provider.app.operator.clients.remove(clientId)
  t.match(await askForTokens(provider, { grant_type: 'refresh_token', client_id: clientId, refresh_token: 'x' }), {
    status: 401,
    body: { error: 'invalid_client' },
  })
  provider.clock.advance({ minutes: 11 })
  takeAsked()
  t.equal(await agent.whoseNotes(), user.userId)
  t.ok(takeAsked().includes('POST /oauth/register'))
  t.not(agent.kept.client.client_id, clientId)
})

t.test('docs/agents.md shows what was tested here', async (t) => {
  const guide = readFileSync(new URL('../../docs/agents.md', import.meta.url), 'utf8')
  for (const name of ['notes.js', 'attempt-keys.js']) {
    t.ok(guide.includes(`\n${readFileSync(join(folder, name), 'utf8')}\`\`\`\n`), name)
  }
})
