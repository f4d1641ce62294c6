// Forms as they are sent over HTTP, in every shape that a client may choose.

import { request } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'

export interface SentForm {
  headers: Record<string, string>
  body: string
  /** `POST` by default. */
  method?: string
  /** `/oauth/token` by default. */
  path?: string
  /** In how many parts the body arrives; one by default. */
  parts?: number
  /** Whether the body is sent without its length. */
  chunked?: boolean
}

export interface RawAnswer {
  status: number
  headers: Record<string, string>
  text: string
}

export function post(port: number, form: SentForm): Promise<RawAnswer> {
  const { headers, body, method = 'POST', path = '/oauth/token', parts = 1, chunked = false } = form
  const length = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sending = request(
      { host: '127.0.0.1', port, method, path, headers: { ...headers, ...length } },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.on('error', reject)
        response.on('end', () => {
          const answered = Object.entries(response.headers).map(([name, value]): [string, string] => [
            name,
            String(value),
          ])
          resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(answered), text })
        })
      },
    )
    sending.on('error', reject)
    void sendParts(sending, body, parts)
  })
}

/** The parts arrive by themselves: what is written later leaves in another turn of the event loop. */
async function sendParts(sending: ReturnType<typeof request>, body: string, parts: number): Promise<void> {
  const size = Math.ceil(body.length / parts) || 1
  sending.setNoDelay(true)
  for (let start = 0; start < body.length; start += size) {
    sending.write(body.slice(start, start + size))
    if (parts > 1) for (let turns = 0; turns < 20; turns += 1) await turn()
  }
  sending.end()
}
