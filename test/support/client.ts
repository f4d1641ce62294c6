// A client on a real connection, which sends the path and the headers unchanged: `inject` and `fetch` normalize both.

import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import type { AppInstance } from '../../src/platform/http/app-instance.js'

export interface SentRequest {
  method?: string
  path: string
  headers?: Record<string, string | string[]>
  body?: string | Buffer | undefined
}

export interface ReceivedAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface Client {
  port: number
  send(request: SentRequest): Promise<ReceivedAnswer>
}

interface Test {
  teardown(work: () => void): void
}

/** Makes the application listen on a free port of the loopback interface. */
export async function connectTo(t: Test, server: AppInstance): Promise<Client> {
  await server.listen({ host: '127.0.0.1', port: 0 })
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port.')
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const { port } = address
  return { port, send: (sent) => send(port, agent, sent) }
}

export function send(
  port: number,
  agent: Agent,
  { method = 'GET', path, headers = {}, body }: SentRequest,
): Promise<ReceivedAnswer> {
  // Node's client omits the length for methods that usually have no body.
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, agent, method, path, headers: { ...headers, ...length } })
    outgoing.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
