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
  /** How many visitors there are at once; the requests are dealt to them in turn. */
  visitors: number
}

export interface Finding {
  /** Which of all requests it was, counted from 0. */
  index: number
  request: AnyRequest
  /** None when there was no answer. */
  answer: Answer | null
  faults: string[]
}

export interface Outcome {
  /** How often each operation answered what. */
  counts: Map<string, Map<number, number>>
  findings: Finding[]
}

/** So many findings are enough to begin with. */
const MAX_FINDINGS = 20

/** After so many a visitor begins anew: nothing that it holds may be good any more. */
const REFUSALS = 6

/**
 * Visitors send any requests, and use what they get. Each request comes of the seed, its number and what its visitor
 * holds, so that the same seed and as many visitors send the same again.
 */
export async function fuzz(options: FuzzOptions): Promise<Outcome> {
  const outcome: Outcome = { counts: new Map(), findings: [] }
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
    if (request === undefined) throw new Error('Nothing comes to mind.')
    const answer = await send(request).catch((error: unknown) => {
      outcome.findings.push({ index, request, answer: null, faults: [`is missing: ${String(error)}`] })
      return null
    })
    if (answer === null) continue
    take(purse, answer)
    count(outcome, nameOf(request), answer.status)
    if (answer.status === 401) refusals += 1
    const faults = faultsOf(request, answer, expected)
    if (faults.length > 0) outcome.findings.push({ index, request, answer, faults })
  }
}

/** Neighbours would begin alike. */
function seedOf(seed: number, index: number): number {
  return Math.imul(seed + index, 0x9e37_79b1)
}

/** A session of each kind to begin with: one in cookies, and one whose tokens are in the answer. */
async function signUp(purse: Purse, send: Send): Promise<void> {
  const email = `${randomUUID()}@example.com`
  const post = async (path: string, mode: string) => {
    const body = JSON.stringify({ email, password: PASSWORDS[0], mode })
    // Signing up is no request of the run: the place for faults is there.
    take(purse, await send({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body }))
  }
  await post('/v1/auth/register', 'json')
  await post('/v1/auth/login', 'session')
}

function count({ counts }: Outcome, name: string, status: number): void {
  const ofName = counts.get(name) ?? new Map<number, number>()
  counts.set(name, ofName.set(status, (ofName.get(status) ?? 0) + 1))
}
