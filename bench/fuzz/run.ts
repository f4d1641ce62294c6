import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Operation } from './document.js'
import { faultsOf, nameOf, type Expected } from './judging.js'
import { createPurse, PASSWORDS, take, type Purse } from './purse.js'
import { anyRequest, type AnyRequest } from './requests.js'
import type { Answer, Send } from './sending.js'

export interface FuzzOptions {
  operations: readonly Operation[]
  send: Send
  expected: Expected
  verifier: Purse['verifier']
  seed: number
  requests: number
  /** The number of concurrent visitors; requests are assigned to them in turn. */
  visitors: number
  /** Called regularly with the progress. */
  onProgress?(outcome: Outcome): void
}

export interface Finding {
  /** The index of the request in the run, from 0. */
  index: number
  request: AnyRequest
  /** None when there was no response. */
  answer: Answer | null
  faults: string[]
}

export interface Outcome {
  sent: number
  /** The number of responses by operation and result. */
  counts: Map<string, Map<number, number>>
  findings: Finding[]
}

/** The run stops after this many findings. */
const MAX_FINDINGS = 20

const PROGRESS_EVERY = 10_000

/** After this many requests a visitor starts anew, because its credentials may all be invalid. */
const REFUSALS = 6

/**
 * Visitors send arbitrary requests, and use what they receive. Each request is derived from the seed, its index and
 * what its visitor holds, so that the same seed and number of visitors reproduce the run.
 */
export async function fuzz(options: FuzzOptions): Promise<Outcome> {
  const outcome: Outcome = { sent: 0, counts: new Map(), findings: [] }
  await Promise.all(Array.from({ length: options.visitors }, (_, visitor) => visit(visitor, options, outcome)))
  return outcome
}

async function visit(visitor: number, options: FuzzOptions, outcome: Outcome): Promise<void> {
  const { operations, send, expected, seed, requests, visitors } = options
  const purse = createPurse(options.verifier)
  let refusals = REFUSALS
  for (let index = visitor; index < requests; index += visitors) {
    if (outcome.findings.length >= MAX_FINDINGS) return
    if (refusals >= REFUSALS) {
      await signUp(purse, send)
      refusals = 0
    }
    const [request] = fc.sample(anyRequest(operations, purse), { seed: seedOf(seed, index), numRuns: 1 })
    if (request === undefined) throw new Error('The generator ended.')
    const answer = await send(request).catch((error: unknown) => {
      outcome.findings.push({ index, request, answer: null, faults: [`is missing: ${String(error)}`] })
      return null
    })
    outcome.sent += 1
    if (outcome.sent % PROGRESS_EVERY === 0) options.onProgress?.(outcome)
    if (answer === null) continue
    take(purse, answer)
    count(outcome, nameOf(request), answer.status)
    if (answer.status === 401) refusals += 1
    const faults = faultsOf(request, answer, expected)
    if (faults.length > 0) outcome.findings.push({ index, request, answer, faults })
  }
}

/** Adjacent seeds would produce similar beginnings. */
function seedOf(seed: number, index: number): number {
  return Math.imul(seed + index, 0x9e37_79b1)
}

/** Begins with a session of each kind: one in cookies, and one whose tokens are in the response body. */
async function signUp(purse: Purse, send: Send): Promise<void> {
  const email = `${randomUUID()}@example.com`
  const post = async (path: string, mode: string) => {
    const body = JSON.stringify({ email, password: PASSWORDS[0], mode })
    // Signing up is not part of the run, and no fault is expected here.
    take(purse, await send({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body }))
  }
  await post('/v1/auth/register', 'json')
  await post('/v1/auth/login', 'session')
}

function count({ counts }: Outcome, name: string, status: number): void {
  const ofName = counts.get(name) ?? new Map<number, number>()
  counts.set(name, ofName.set(status, (ofName.get(status) ?? 0) + 1))
}
