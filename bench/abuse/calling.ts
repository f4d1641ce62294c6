import { setMaxListeners } from 'node:events'
import { Agent, request } from 'node:http'
import { z } from 'zod'
import { PUBLIC_URL } from '../sallyport.js'

export interface Asked {
  path: string
  body: object
  /** The address of this machine that the request comes from. */
  from?: string
}

export interface Answer {
  /** Null where the connection broke, or nothing came within the time. */
  status: number | null
  body: z.infer<typeof bodySchema>
  /** Cookies that were set, as they are sent back. */
  cookies: string[]
}

const bodySchema = z.object({ code: z.string().optional(), refresh_token: z.string().optional() }).catch({})

const ANSWER_WITHIN_MS = 30_000

/** Posts as a page of the server's own origin does. Without an agent, the connection is a new one. */
export function post(url: string, { path, body, from }: Asked, agent: Agent | false = false): Promise<Answer> {
  const text = JSON.stringify(body)
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    origin: PUBLIC_URL,
  }
  const nothing: Answer = { status: null, body: {}, cookies: [] }
  return new Promise((resolve) => {
    const options = { method: 'POST', agent, headers, timeout: ANSWER_WITHIN_MS, ...(from && { localAddress: from }) }
    const outgoing = request(`${url}${path}`, options, (response) => {
      let answered = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (answered += chunk))
      response.on('error', () => resolve(nothing))
      response.on('end', () => {
        const cookies = (response.headers['set-cookie'] ?? []).map((line) => line.split(';')[0] ?? '')
        resolve({ status: response.statusCode ?? null, body: bodySchema.parse(parseJson(answered)), cookies })
      })
    })
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', () => resolve(nothing))
    outgoing.end(text)
  })
}

export interface Crowd {
  size: number
  /** Whether each client keeps its connection; otherwise each request is on a new one. */
  keepsConnections: boolean
  ask(): Asked
}

/** So many clients who ask again as soon as they are answered, until the signal. Answers how often each status came. */
export async function crowd(url: string, { size, keepsConnections, ask }: Crowd, end: AbortSignal) {
  const agent = keepsConnections ? new Agent({ keepAlive: true, maxSockets: size }) : false
  setMaxListeners(size, end)
  const counts = new Map<string, number>()
  const keepAsking = async () => {
    while (!end.aborted) {
      const { status } = await post(url, ask(), agent)
      const name = String(status ?? 'no answer')
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: size }, keepAsking))
  if (agent) agent.destroy()
  return counts
}

/** How often each status came, such as `429 × 1,200, 503 × 4`. */
export function describeCounts(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([status, count]) => `${status} × ${count.toLocaleString('en')}`)
    .join(', ')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
