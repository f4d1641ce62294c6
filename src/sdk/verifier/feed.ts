import { z } from 'zod'
import { feedEventSchemas, revocationListSchema } from '../../wire/revocation.js'
import type { VerifierClock } from './clock.js'
import { createEventParser, type ServerSentEvent } from './event-stream.js'
import { ask, createDeadline, pause, readText, toError, type Fetch } from './http.js'
import type { KnownRevocations } from './revocations.js'

/** A stream beats once a second. One that says nothing for this long is kept back on its way, by a proxy for example. */
const SILENCE_MS = 3_000

const POLL_INTERVAL_MS = 500
const POLL_TIMEOUT_MS = 3_000

const SHORTEST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

/** Room for half a million entries: more than ten times the revocations of a day with a million of them. */
const MAX_LIST_BYTES = 67_108_864
const MAX_EVENT_LENGTH = 4_194_304

// Each entry is read by itself, so that one of an unknown kind does not hide the others.
const entries = z.array(z.unknown())
const entriesSchema = z.object({ entries })
const listSchema = revocationListSchema.extend({ entries })

export interface FeedOptions {
  url: string
  credential: string
  fetch: Fetch
  clock: VerifierClock
  stop: AbortSignal
  revocations: KnownRevocations
  onError: (error: Error) => void
}

/** The feed refuses this verifier. Trying again helps only once somebody has changed a setting. */
export class FeedRefusedError extends Error {
  override readonly name = 'FeedRefusedError'
}

/**
 * Keeps the list of revocations current until `stop`: by the stream, and by polling for as long as the stream does not
 * beat. Answers a promise of the first confirmation, which fails when the credential is refused.
 */
export function followFeed(options: FeedOptions): Promise<void> {
  const { url, credential, fetch, clock, stop, revocations, onError } = options
  const authorization = `Bearer ${credential}`
  let cursor = ''
  let isBeating = false

  return new Promise((resolve, reject) => {
    function confirm(atMs: number): void {
      revocations.confirm(atMs)
      resolve()
    }

    /** Whether the stream has beaten before it ended, as every stream does. */
    async function stream(): Promise<boolean> {
      const deadline = createDeadline(stop, SILENCE_MS)
      try {
        const resume: Record<string, string> = cursor === '' ? {} : { 'last-event-id': cursor }
        const response = await fetch(`${url}/v1/revocations/stream`, {
          headers: { authorization, accept: 'text/event-stream', 'cache-control': 'no-cache', ...resume },
          redirect: 'error',
          signal: deadline.signal,
        })
        requireAnswered(response.status)
        const parser = createEventParser(MAX_EVENT_LENGTH)
        for await (const text of readText(response)) {
          for (const event of parser.push(text)) if (take(event)) deadline.extend()
        }
        throw new Error('The stream of revocations has ended.')
      } catch (error) {
        report(error)
        return isBeating
      } finally {
        deadline.end()
        isBeating = false
      }
    }

    /** Whether the event is one of the protocol's. */
    function take({ type, data, id }: ServerSentEvent): boolean {
      if (type === 'entries') {
        revocations.take(entriesSchema.parse(JSON.parse(data)).entries)
      } else if (type === 'beat') {
        confirm(clock.elapsedMs() - feedEventSchemas.beat.parse(JSON.parse(data)).age_ms)
        isBeating = true
      } else {
        return false
      }
      if (id !== '') cursor = id
      return true
    }

    async function poll(): Promise<boolean> {
      const query = cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`
      const limits = { fetch, stop, timeoutMs: POLL_TIMEOUT_MS, maxBytes: MAX_LIST_BYTES }
      const askedAtMs = clock.elapsedMs()
      try {
        const { status, text } = await ask(`${url}/v1/revocations${query}`, { ...limits, headers: { authorization } })
        requireAnswered(status)
        const list = listSchema.parse(JSON.parse(text))
        revocations.take(list.entries)
        cursor = list.cursor
        confirm(askedAtMs - list.age_ms)
        return true
      } catch (error) {
        report(error)
        return false
      }
    }

    function report(thrown: unknown): void {
      if (stop.aborted) return
      const error = toError(thrown)
      if (error instanceof FeedRefusedError) reject(error)
      onError(error)
    }

    async function keepStreaming(): Promise<void> {
      for (let failures = 0; !stop.aborted; failures += 1) {
        if (await stream()) failures = 0
        await pause(backOffMs(failures), stop)
      }
    }

    async function keepPolling(): Promise<void> {
      let failures = 0
      while (!stop.aborted) {
        await pause(failures === 0 ? POLL_INTERVAL_MS : backOffMs(failures), stop)
        failures = isBeating || (await poll()) ? 0 : failures + 1
      }
    }

    stop.addEventListener('abort', () => reject(new Error('The verifier has been closed.')))
    void keepStreaming()
    void keepPolling()
  })
}

function requireAnswered(status: number): void {
  if (status === 401) {
    throw new FeedRefusedError("The feed refuses the verifier's credential: is its hash listed in VERIFIER_KEYS?")
  }
  if (status !== 200) throw new Error(`The feed of revocations was answered with ${status}.`)
}

/** Longer with each failure, and never the same for two verifiers that lost the same instance. */
function backOffMs(failures: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(failures, 10))
  return SHORTEST_PAUSE_MS / 2 + Math.random() * (longest - SHORTEST_PAUSE_MS / 2)
}
