import type { FastifyBaseLogger } from 'fastify'
import { createBreaker } from '../../../platform/breaker.js'
import type { Clock } from '../../../platform/clock.js'
import { errorCodeOf } from '../../../platform/http/posting.js'
import { Problem } from '../../../platform/problem.js'

/** How long a provider has for an answer, to its last byte. */
const ANSWER_WITHIN_MS = 3_000
/** The largest documents of providers, their key sets, have some 20 KiB. */
const MAX_BYTES = 256 * 1024
const RETRY_AFTER_SECONDS = 5
/** What is wrong with the document of a provider is corrected by its operator, or by ours. */
const UNUSABLE_MS = 60_000

export interface OutboundOptions {
  provider: string
  clock: Pick<Clock, 'elapsedMs'>
  log: FastifyBaseLogger
  /** 3 s by default. */
  answerWithinMs?: number | undefined
}

export interface Request {
  method?: string
  headers?: Record<string, string>
  body?: string | URLSearchParams
}

/**
 * All calls to one provider. They go only to origins that the settings or its discovery document name, follow no redirect,
 * and end after 3 s or 256 KiB. After a few that failed, the provider is left alone for a while; others do not notice.
 */
export interface Outbound {
  /** Allows the origins of these addresses from now on, besides those before. */
  admit(addresses: readonly string[]): void
  /** Throws `provider_unavailable` where there is no answer, or one that says that the provider is at fault. */
  fetch(address: string, request?: Request): Promise<Response>
  /** What a document in JSON says; throws the same where there is none. */
  fetchJson(address: string, request?: Request): Promise<unknown>
  /** The problem of a document with which nothing can be done; its reason is for the log. */
  unusable(reason: string): Problem
}

export function createOutbound({ provider, clock, log, answerWithinMs = ANSWER_WITHIN_MS }: OutboundOptions): Outbound {
  const origins = new Set<string>()
  const breaker = createBreaker(clock)

  async function ask(address: string, request: Request = {}): Promise<Response> {
    const { origin } = new URL(address)
    if (!origins.has(origin)) throw fail(origin, 'ORIGIN_UNKNOWN')
    if (breaker.allowed(1) === 0) throw unavailable(breaker.remainingMs)
    try {
      const answer = await read(address, request, answerWithinMs)
      // The provider is there, even if it refuses what was asked.
      breaker.passed()
      return answer
    } catch (error) {
      throw fail(origin, error instanceof Refused ? error.message : errorCodeOf(error))
    }
  }

  function fail(origin: string, code: string): Problem {
    const pauseMs = breaker.failed('connection')
    log.warn({ provider, origin, code, ...(pauseMs !== null && { pause_ms: pauseMs }) }, 'a provider does not respond')
    return unavailable(pauseMs ?? 0)
  }

  return {
    admit(addresses) {
      for (const address of addresses) origins.add(new URL(address).origin)
    },

    fetch: ask,

    async fetchJson(address, request = {}) {
      const headers = { accept: 'application/json', ...request.headers }
      const response = await ask(address, { ...request, headers })
      try {
        if (response.ok) return (await response.json()) as unknown
      } catch {
        // What is no JSON is no document, whatever its status.
      }
      throw fail(new URL(address).origin, `STATUS_${response.status}`)
    },

    unusable(reason) {
      log.error({ provider, reason }, 'a provider cannot be used')
      return unavailable(UNUSABLE_MS)
    },
  }
}

/** An answer that counts as none; the message is its code. */
class Refused extends Error {}

async function read(address: string, request: Request, withinMs: number): Promise<Response> {
  const signal = AbortSignal.timeout(withinMs)
  const response = await fetch(address, { ...request, redirect: 'manual', signal })
  const { status, headers } = response
  const isFault = status >= 500 || status === 429 || (status >= 300 && status < 400)
  if (isFault) {
    await response.body?.cancel()
    throw new Refused(`STATUS_${status}`)
  }
  const body = await readBody(response)
  return new Response(status === 204 ? null : body, { status, headers: contentType(headers) })
}

async function readBody({ body }: Response): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  let length = 0
  const reader = body?.getReader()
  for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
    pieces.push(read.value)
    length += read.value.byteLength
    if (length <= MAX_BYTES) continue
    await reader?.cancel()
    throw new Refused('TOO_LARGE')
  }
  return new Uint8Array(Buffer.concat(pieces))
}

/** The body has been decoded, so that its length and its coding are not what the headers say. */
function contentType(headers: Headers): Record<string, string> {
  const kept = ['content-type', 'www-authenticate'].flatMap((name) => {
    const value = headers.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  return Object.fromEntries(kept)
}

function unavailable(pauseMs: number): Problem {
  return new Problem('provider_unavailable', {
    retryAfterSeconds: Math.max(RETRY_AFTER_SECONDS, Math.ceil(pauseMs / 1000)),
  })
}
