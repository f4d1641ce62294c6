import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { parseJson } from '../json.js'
import type { Outages } from './faults.js'
import type { Instance, Instances } from './instances.js'
import type { Faults, Heard } from './ledger.js'

export interface Asked {
  method: 'GET' | 'POST' | 'PUT'
  path: string
  token?: string
  key?: string
  body?: object
  /** The client disconnects after this many milliseconds, with or without a response. */
  hangUpAfterMs?: number
}

/** Sends a request to any instance, and returns what it received. */
export type Call = (asked: Asked) => Promise<Heard>

export interface Record {
  /** The number of responses, by path and status. */
  answers: Map<string, number>
  /** The number of requests without a response, by the reason that explains them. */
  explained: Map<string, number>
  fault(text: string): void
}

const bodySchema = z
  .object({
    code: z.string().optional(),
    reason: z.string().optional(),
    access_token: z.string().optional(),
    refresh_token: z.string().optional(),
    session: z.object({ id: z.string() }).optional(),
    sessions: z.array(z.object({ id: z.string() })).optional(),
    sid: z.string().optional(),
    flow_token: z.string().optional(),
  })
  .catch({})

const ANSWER_WITHIN_MS = 15_000
const RETRY_MS = 250

/** Retries until there is a response. */
export async function untilHeard(
  ask: () => Promise<Heard>,
  note: (heard: Heard, tries: number) => Faults,
): Promise<Faults> {
  for (let tries = 1; ; tries += 1) {
    const heard = await ask()
    const faults = note(heard, tries)
    if (heard.kind === 'answer' || faults.length > 0) return faults
    await pause(RETRY_MS)
  }
}

/** Every response and every error is either expected, explained by an outage, or a fault. */
export function createCall(
  instances: Pick<Instances, 'choose'>,
  outages: Outages,
  record: Record,
): Call & { close(): void } {
  const agent = new Agent({ keepAlive: true })
  const call: Call = async (asked) => {
    const instance = instances.choose()
    const what = `${asked.method} ${asked.path}`
    const startedAt = performance.now()
    try {
      const { status, text } = await exchange(agent, instance, asked)
      const at = performance.now()
      add(record.answers, `${what} ${status}`)
      if (status < 500) return { kind: 'answer', status, body: bodySchema.parse(parseJson(text)), at }
      if (status === 503 && (outages.explainRefusal(at) || outages.explainRefusal(startedAt))) {
        add(record.explained, '503 while the database was down')
      } else record.fault(`${what} was answered with ${status}: ${text}`)
    } catch (error) {
      const at = performance.now()
      if (error instanceof HungUp) add(record.explained, 'disconnected on purpose')
      else if (outages.explainBroken(instance.name, at)) add(record.explained, 'broken by a kill')
      else record.fault(`${what} at ${instance.name} broke: ${String(error)}`)
    }
    return { kind: 'unknown' }
  }
  return Object.assign(call, { close: () => agent.destroy() })
}

class HungUp extends Error {}

function exchange(agent: Agent, { url }: Instance, asked: Asked): Promise<{ status: number; text: string }> {
  const { method, path, token, key, body, hangUpAfterMs } = asked
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(key !== undefined && { 'idempotency-key': key }),
    ...(payload !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
  }
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
    const outgoing = request(`${url}${path}`, { method, agent, headers, signal }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(payload)
    if (hangUpAfterMs !== undefined) setTimeout(() => outgoing.destroy(new HungUp()), hangUpAfterMs)
  })
}

export function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
