import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import type { AnyRequest } from './requests.js'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** Sends exactly the given request; throws when there is no response. */
export type Send = (request: Pick<AnyRequest, 'method' | 'path' | 'headers' | 'body'>) => Promise<Answer>

const ANSWER_WITHIN_MS = 30_000

/** A client on real, persistent connections. Of an endless response it reads the beginning. */
export function createSend(port: number): Send & { close(): void } {
  const agent = new Agent({ keepAlive: true })
  const send: Send = ({ method, path, headers, body }) => {
    // Node's client omits the length for methods that usually have no body.
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
    const options = { host: '127.0.0.1', port, agent, method, path, headers: { ...headers, ...length }, signal }
    return new Promise((resolve, reject) => {
      const outgoing = request(options)
      outgoing.on('response', (response) => {
        const { statusCode: status = 0, headers } = response
        let text = ''
        const finish = () => resolve({ status, headers, text })
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', finish)
        response.on('error', reject)
        if (!headers['content-type']?.startsWith('text/event-stream')) return
        finish()
        response.destroy()
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
  return Object.assign(send, { close: () => agent.destroy() })
}

/** The same request as a shell command. */
export function asCurl(base: string, { method, path, headers, body }: Parameters<Send>[0]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  // Without a value, curl sends a header only if it ends in a semicolon.
  const lines = Object.entries(headers).map(
    ([name, value]) => `-H ${quote(value === '' ? `${name};` : `${name}: ${value}`)}`,
  )
  const url = quote(base + path)
  const how = method === 'HEAD' ? '-I' : `-X ${method}`
  if (body === undefined) return ['curl -i --path-as-is', how, ...lines, url].join(' ')
  const bytes = Buffer.from(body).toString('base64')
  return [`echo ${bytes} | base64 -d | curl -i --path-as-is`, how, ...lines, '--data-binary @-', url].join(' ')
}
