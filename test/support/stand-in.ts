// Implements Sallyport's side of docs/revocation.md over real HTTP, for situations that the real one cannot be made to
// produce: streams that are cut, silent or invalid, entries of an unknown kind, late responses.

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { thumbprint, toPublicJwk } from '../../src/features/tokens/algorithms.js'
import { buildToken, type AccessTokenVector } from './access-token-vectors.js'
import { listen } from './listen.js'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface StandIn {
  url: string
  /** The handlers by path; other paths are 404. Tests replace them. */
  handlers: Map<string, Handler>
  /** The requests for a path so far. */
  asked(path: string): IncomingMessage[]
  /** An access token with these changes, as in the vectors. */
  issue(changes?: Partial<AccessTokenVector>): string
  kid: string
  /** From now on another key signs, and is the only one in the key set. */
  rotate(): void
  /** Breaks all connections, as a network does. */
  cut(): void
}

export const SUBJECT = '019a0000-0000-7000-8000-000000000001'
export const SESSION = '019a0000-0000-7000-8000-000000000002'
export const paths = {
  keys: '/.well-known/jwks.json',
  list: '/v1/revocations',
  stream: '/v1/revocations/stream',
  introspect: '/oauth/introspect',
  whoami: '/v1/whoami',
}
export const AUDIENCE = 'https://api.example.com'

interface Test {
  teardown(work: () => Promise<void>): void
}

export async function startStandIn(t: Test): Promise<StandIn> {
  const handlers = new Map<string, Handler>()
  const requests: IncomingMessage[] = []
  const pathOf = ({ url = '' }: IncomingMessage) => url.replace(/\?.*/, '')
  let key = createKey()

  const server = createServer((request, response) => {
    requests.push(request)
    const handler = handlers.get(pathOf(request))
    if (handler) handler(request, response)
    else response.writeHead(404).end()
  })
  const url = `http://127.0.0.1:${await listen(t, server)}`
  handlers.set(paths.keys, (_request, response) =>
    answerJson(response, { keys: [{ ...toPublicJwk(key.privateKey), kid: key.kid, alg: 'EdDSA', use: 'sig' }] }),
  )
  return {
    url,
    handlers,
    asked: (path) => requests.filter((request) => pathOf(request) === path),
    issue: (changes = {}) =>
      buildToken(changes, { ...key, issuer: url, audience: AUDIENCE, algorithm: 'EdDSA', trap: '', now: new Date() }),
    get kid() {
      return key.kid
    },
    rotate: () => (key = createKey()),
    cut: () => server.closeAllConnections(),
  }
}

function createKey(): { kid: string; privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync('ed25519')
  return { kid: thumbprint(toPublicJwk(privateKey)), privateKey }
}

export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Opens a stream to which the test writes. */
export function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 1000\n\n')
}

export function writeEntries(response: ServerResponse, entries: unknown[], id: string): void {
  response.write(`id: ${id}\nevent: entries\ndata: ${JSON.stringify({ entries })}\n\n`)
}

/** The entries of clients, as an event of their own. */
export function writeClients(response: ServerResponse, clients: unknown[], id: string): void {
  response.write(`id: ${id}\nevent: clients\ndata: ${JSON.stringify({ clients })}\n\n`)
}

export function writeBeat(response: ServerResponse, id: string, ageMs = 0): void {
  response.write(`id: ${id}\nevent: beat\ndata: {"age_ms":${ageMs}}\n\n`)
}

/** An entry that expires in an hour. */
export function lasting<Entry extends object>(entry: Entry): Entry & { expires_at: number } {
  return { ...entry, expires_at: Math.floor(Date.now() / 1000) + 3600 }
}
