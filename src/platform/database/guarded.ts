import { setTimeout as pause } from 'node:timers/promises'
import type { PrismaClient } from '../../generated/prisma/client.js'
import { Problem } from '../problem.js'
import type { Database, Queries, QueryOptions } from './database.js'
import { isConnectionFault, isRetryable, isUnavailable } from './faults.js'

const maxRetries = 3

export interface GuardOptions {
  /** The deadline of a query or transaction, including retries. */
  deadlineMs: number
  /** Throws if work must not start, because too much is waiting. */
  beforeTry?: (options: QueryOptions) => void
  /** Runs first in every transaction. */
  prepareTransaction?: (tx: Queries) => Promise<unknown>
}

/** The deadline has passed, and the caller has already got an error. */
class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'
}

/** Adds retries and deadlines to queries and transactions, for both databases. */
export function guardClient(
  client: PrismaClient,
  { deadlineMs, beforeTry, prepareTransaction }: GuardOptions,
): Pick<Database, 'query' | 'transaction'> {
  return {
    query: (work, options = {}) =>
      guard(
        deadlineMs,
        async () => {
          beforeTry?.(options)
          return work(client)
        },
        options,
      ),

    transaction: (work, options = {}) =>
      guard(
        deadlineMs,
        async (time) => {
          beforeTry?.(options)
          return client.$transaction(
            async (tx) => {
              time.require()
              await prepareTransaction?.(tx)
              const result = await work(tx)
              // The caller has already been told that it failed: roll back.
              time.require()
              return result
            },
            { maxWait: time.remainingMs(), timeout: time.remainingMs() },
          )
        },
        options,
      ),
  }
}

/**
 * Runs work with retries and a deadline. A paused server does not respond and enforces no timeout of its own, so the work
 * races against a timer.
 */
export async function guard<T>(
  deadlineMs: number,
  work: (time: TimeLeft) => Promise<T>,
  options: QueryOptions = {},
): Promise<T> {
  const time = new TimeLeft(deadlineMs)
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(time.passed()), deadlineMs)
  })
  try {
    // The race also handles the rejection of the loser.
    return await Promise.race([retry(work, time, options), deadline])
  } catch (error) {
    throw translate(error)
  } finally {
    clearTimeout(timer)
  }
}

async function retry<T>(work: (time: TimeLeft) => Promise<T>, time: TimeLeft, options: QueryOptions): Promise<T> {
  for (let retries = 0; ; retries++) {
    time.require()
    try {
      return await work(time)
    } catch (error) {
      if (retries === maxRetries || !isWorthRetrying(error, options)) throw error
      // Jitter, so that two conflicting transactions do not conflict again.
      await pause(Math.random() * 20 * 2 ** retries)
    }
  }
}

function isWorthRetrying(error: unknown, { safeToRetry = false }: QueryOptions): boolean {
  if (error instanceof Problem) return false
  return isRetryable(error) || (safeToRetry && isConnectionFault(error))
}

function translate(error: unknown): unknown {
  if (error instanceof Problem) return error
  if (!(error instanceof DeadlinePassed) && !isUnavailable(error)) return error
  return new Problem('database_unavailable', { retryAfterSeconds: 1, cause: error })
}

class TimeLeft {
  readonly #end: number

  constructor(readonly deadlineMs: number) {
    this.#end = performance.now() + deadlineMs
  }

  /** At least 1, because Prisma takes 0 for "not given". */
  remainingMs(): number {
    return Math.max(1, Math.ceil(this.#end - performance.now()))
  }

  require(): void {
    if (performance.now() >= this.#end) throw this.passed()
  }

  passed(): DeadlinePassed {
    return new DeadlinePassed(`The database did not respond within ${this.deadlineMs} ms.`)
  }
}
