import { request, type IncomingHttpHeaders } from 'node:http'

/** What the proxy in front of a target does to a request or its answer. */
export type Fate =
  /** The target answers, but the client does not receive it. */
  | { kind: 'lose' }
  /** A proxy sends the request several times concurrently, and passes on the first answer when all have arrived. */
  | { kind: 'repeat'; times: number }
  /** Both directions are delayed. */
  | { kind: 'delay'; requestMs: number; answerMs: number }

export const FATE_HEADER = 'x-torture-fate'

export interface Sent {
  method?: 'GET' | 'POST'
  /** A path, or a URL whose path is used. */
  path: string
  headers?: Record<string, string>
  body?: string
  fate?: Fate | undefined
}

export interface Received {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export type Send = (sent: Sent) => Promise<Received>

/** Uses a new connection per request: a kept-alive connection could break for reasons unrelated to the scenario. */
export function createSend(port: number): Send {
  return ({ method = 'GET', path, headers = {}, body, fate }) =>
    exchange(port, {
      method,
      path: pathOf(path),
      // The name that every target is configured with; the proxy's port must not appear.
      headers: { ...headers, host: 'localhost:3000', ...(fate && { [FATE_HEADER]: JSON.stringify(fate) }) },
      body: Buffer.from(body ?? ''),
    })
}

interface Exchange {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

// Longer than any target takes, on any machine.
const ANSWER_WITHIN_MS = 30_000

/** Sends one request on a new connection and reads the whole answer; throws when none arrives. */
export function exchange(port: number, { method, path, headers, body }: Exchange): Promise<Received> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
    const options = { host: '127.0.0.1', port, agent: false, signal, method, path }
    const outgoing = request({ ...options, headers: { ...headers, 'content-length': String(body.length) } })
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

function pathOf(address: string): string {
  const { pathname, search } = new URL(address, 'http://localhost')
  return pathname + search
}

/** The cookies that an answer sets, as a request returns them. */
export function cookiesOf({ headers }: Received, before: Record<string, string> = {}): Record<string, string> {
  const cookies = { ...before }
  for (const line of headers['set-cookie'] ?? []) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    cookies[name] = value
  }
  return cookies
}

export function cookieHeader(cookies: Record<string, string>): string {
  return Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')
}
