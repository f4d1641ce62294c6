import type { VerifierClock } from './clock.js'
import { FeedRefusedError, readList, readStream, type FeedNews, type FeedSource } from './feed-reading.js'
import { pause, toError } from './http.js'
import type { KnownRevocations } from './revocations.js'

const POLL_INTERVAL_MS = 500
const SHORTEST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

export interface FeedOptions extends FeedSource {
  clock: VerifierClock
  revocations: KnownRevocations
  onError: (error: Error) => void
}

/**
 * Keeps the revocation list current until `stop`: with the stream, and by polling while the stream sends no beats.
 * Resolves when the list is first confirmed; rejects if the credential is refused.
 */
export function followFeed(options: FeedOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    options.stop.addEventListener('abort', () => reject(new Error('The verifier is closed.')))
    const onError = (error: Error) => {
      if (error instanceof FeedRefusedError) reject(error)
      options.onError(error)
    }
    const follower = createFollower({ ...options, onError }, resolve)
    void follower.keepStreaming()
    void follower.keepPolling()
  })
}

function createFollower(options: FeedOptions, onConfirmed: () => void) {
  const { clock, stop, revocations, onError } = options
  let cursor = ''
  let isBeating = false

  /** `atMs`: when a poll was sent or a stream event arrived; its age counts from there. */
  function take(news: FeedNews, atMs: number): void {
    revocations.take(news)
    if (news.cursor !== '') cursor = news.cursor
    if (news.ageMs === undefined) return
    revocations.confirm(atMs - news.ageMs)
    onConfirmed()
  }

  /** Reads the stream until it ends. Returns whether it sent a beat. */
  async function stream(): Promise<boolean> {
    try {
      for await (const news of readStream(options, cursor)) {
        take(news, clock.elapsedMs())
        isBeating ||= news.ageMs !== undefined
      }
    } catch (error) {
      report(error)
    }
    const hasBeaten = isBeating
    isBeating = false
    return hasBeaten
  }

  async function poll(): Promise<boolean> {
    const askedAtMs = clock.elapsedMs()
    try {
      take(await readList(options, cursor), askedAtMs)
      return true
    } catch (error) {
      report(error)
      return false
    }
  }

  function report(thrown: unknown): void {
    if (!stop.aborted) onError(toError(thrown))
  }

  return {
    async keepStreaming(): Promise<void> {
      for (let failures = 0; !stop.aborted; failures += 1) {
        if (await stream()) failures = 0
        await pause(backOffMs(failures), stop)
      }
    },

    async keepPolling(): Promise<void> {
      let failures = 0
      while (!stop.aborted) {
        await pause(failures === 0 ? POLL_INTERVAL_MS : backOffMs(failures), stop)
        failures = isBeating || (await poll()) ? 0 : failures + 1
      }
    },
  }
}

/** Exponential backoff with jitter. */
function backOffMs(failures: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(failures, 10))
  return SHORTEST_PAUSE_MS / 2 + Math.random() * (longest - SHORTEST_PAUSE_MS / 2)
}
