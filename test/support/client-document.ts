// A web server with the metadata documents of clients, as their authors have one: https on loopback, and counted requests.

import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createPublicGet } from '../../src/platform/http/public-get.js'
import { listen } from './listen.js'
import { cert, key } from './mail-certificate.js'

/** What a path answers: a document, or anything else. */
export type DocumentAnswer = Record<string, unknown> | ((response: ServerResponse, request: IncomingMessage) => void)

export interface DocumentServer {
  origin: string
  /** Has a path answer a document, whose `client_id` is its address by default; returns that. */
  publish(path: string, answer: DocumentAnswer, headers?: Record<string, string>): string
  /** The paths that were asked for since the last call. */
  takeAsked(): string[]
}

/** Asks this machine as well, which the documents of the tests are on. */
export const loopbackGet = createPublicGet({ allowsLoopback: true, ca: cert })

/** Starts such a server, for the time of the test. */
export async function startDocuments(t: Parameters<typeof listen>[0]): Promise<DocumentServer> {
  const answers = new Map<string, (response: ServerResponse, request: IncomingMessage) => void>()
  const asked: string[] = []
  const server: Server = createServer({ cert, key }, (request, response) => {
    asked.push(request.url ?? '')
    const answer = answers.get(request.url ?? '')
    if (answer === undefined) response.writeHead(404).end()
    else answer(response, request)
  })
  const origin = `https://localhost:${await listen(t, server)}`
  return {
    origin,
    publish(path, answer, headers = {}) {
      const clientId = `${origin}${path}`
      const body = JSON.stringify(typeof answer === 'function' ? null : { client_id: clientId, ...answer })
      answers.set(
        path,
        typeof answer === 'function'
          ? answer
          : (response) => response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body),
      )
      return clientId
    },
    takeAsked: () => asked.splice(0),
  }
}

/** What a public agent says of itself that listens on a port of its user's machine. */
export const agentDocument = {
  client_name: 'Agent',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}
