import type { Clock } from './clock.js'
import { Problem } from './problem.js'

export interface BoundedQueueOptions {
  /** The maximum number of concurrent jobs. */
  concurrency: number
  /** The maximum number of waiting jobs. Further work is refused immediately, so that a flood costs no memory. */
  maxWaiting: number
  /** The longest wait, in milliseconds. A client that waits longer has given up, or will before it gets a response. */
  patienceMs: number
  clock: Pick<Clock, 'elapsedMs'>
  observer?: QueueObserver | undefined
}

/** Why work was refused: the queue was full, it waited too long, or its client had disconnected. */
export type QueueRefusal = 'full' | 'waited_too_long' | 'gone'

/** Observes a queue. */
export interface QueueObserver {
  /** Work begins after this wait. */
  began(waitedMs: number): void
  refused(refusal: QueueRefusal): void
}

export interface BoundedQueue {
  /**
   * Runs work in order of arrival. Throws `overloaded`, with the time until the current queue is processed, and never
   * begins work whose client has disconnected.
   */
  run<T>(work: () => Promise<T>, gone?: AbortSignal): Promise<T>
  /**
   * Runs a whole operation around `run`, for as many at once as the queue has room for. Throws `overloaded` for others,
   * before they cost any time.
   */
  admit<T>(work: () => Promise<T>, party?: Party): Promise<T>
  readonly waiting: number
  readonly working: number
}

/** Whose work it is that wants to be admitted, so that no one else is kept out by it. */
export interface Party {
  /** All of one name have a quarter of the places at most; null is bounded by the places alone. */
  name: string | null
  /** A quarter of the places is kept for those who are preferred. */
  preferred: boolean
}

const anybody: Party = { name: null, preferred: true }

interface Waiter {
  begin(): void
}

/** The weight of the latest duration in the average. */
const WEIGHT_OF_LATEST = 0.1

/** A queue for slow work such as hashing, with limits for concurrency, length and waiting time. */
export function createBoundedQueue({
  concurrency,
  maxWaiting,
  patienceMs,
  clock,
  observer,
}: BoundedQueueOptions): BoundedQueue {
  /** In order of arrival. */
  const waiters = new Set<Waiter>()
  let working = 0
  const places = concurrency + maxWaiting
  const quarter = Math.max(1, Math.floor(places / 4))
  const admittedOf = new Map<string, number>()
  let admitted = 0
  let averageMs = 0

  function refuse(refusal: QueueRefusal): Problem {
    observer?.refused(refusal)
    return new Problem('overloaded', { retryAfterSeconds: secondsUntilIdle() })
  }

  /** The estimated time for all current work; anything that waits longer gives up. */
  function secondsUntilIdle(): number {
    const workMs = ((working + waiters.size) * averageMs) / concurrency
    return Math.max(1, Math.ceil(Math.min(workMs, patienceMs) / 1000))
  }

  /** Resolves when there is room, and takes it. */
  function waitForTurn(gone?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiters.delete(waiter)
        clearTimeout(timer)
        gone?.removeEventListener('abort', hangUp)
      }
      const giveUp = (refusal: QueueRefusal) => {
        leave()
        reject(refuse(refusal))
      }
      const hangUp = () => giveUp('gone')
      const begin = () => {
        leave()
        working += 1
        resolve()
      }
      const waiter: Waiter = { begin }
      const timer = setTimeout(() => giveUp('waited_too_long'), patienceMs)
      gone?.addEventListener('abort', hangUp)
      waiters.add(waiter)
    })
  }

  function finish(startedAtMs: number): void {
    working -= 1
    const tookMs = clock.elapsedMs() - startedAtMs
    averageMs += (tookMs - averageMs) * (averageMs === 0 ? 1 : WEIGHT_OF_LATEST)
    const [next] = waiters
    next?.begin()
  }

  function leave(name: string): void {
    const others = (admittedOf.get(name) ?? 1) - 1
    if (others === 0) admittedOf.delete(name)
    else admittedOf.set(name, others)
  }

  return {
    async run(work, gone) {
      if (gone?.aborted) throw refuse('gone')
      const cameAtMs = clock.elapsedMs()
      if (working < concurrency) working += 1
      else if (waiters.size < maxWaiting) await waitForTurn(gone)
      else throw refuse('full')

      const startedAtMs = clock.elapsedMs()
      observer?.began(startedAtMs - cameAtMs)
      try {
        return await work()
      } finally {
        finish(startedAtMs)
      }
    },

    async admit(work, { name, preferred } = anybody) {
      const ofParty = name === null ? 0 : (admittedOf.get(name) ?? 0)
      if (admitted >= (preferred ? places : places - quarter) || ofParty >= quarter) throw refuse('full')
      admitted += 1
      if (name !== null) admittedOf.set(name, ofParty + 1)
      try {
        return await work()
      } finally {
        admitted -= 1
        if (name !== null) leave(name)
      }
    },

    get waiting() {
      return waiters.size
    },
    get working() {
      return working
    },
  }
}
