import { AsyncResource } from 'node:async_hooks'
import type { FastifyBaseLogger } from 'fastify'

export interface OutboxWorkerOptions<Row> {
  /** The name of the outbox in the log. */
  name: string
  log: FastifyBaseLogger
  /** How many rows may be attempted at once now. */
  allowed(): number
  /** Claims the row that has been due the longest, for this worker alone until a lease ends; null if none is due. */
  claim(): Promise<Row | null>
  /** Must not throw: a row whose result cannot be written is attempted again when its lease has ended. */
  attempt(row: Row): Promise<void>
}

/**
 * Attempts what other transactions have written to an outbox, a few rows at a time. Every instance does; the claim makes
 * each row that of one of them.
 */
export interface OutboxWorker {
  /** Attempts what is due; returns immediately. */
  engage(): void
  /** The same, but resolves when no row is due any more. */
  workDue(): Promise<void>
  /** Attempts what is due from now on, at each interval. */
  poll(intervalMs: number): void
  /** Starts no further attempts, and resolves when those in progress have ended. */
  stop(): Promise<void>
}

export function createOutboxWorker<Row>(options: OutboxWorkerOptions<Row>): OutboxWorker {
  const { name, log, allowed, claim, attempt } = options
  const working = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let isClaimFailing = false

  // Attempts belong to no request, although one may cause them: its trace must not contain them.
  const engage = AsyncResource.bind(() => {
    if (isStopped || working.size >= allowed()) return
    const work = workInTurn().finally(() => working.delete(work))
    working.add(work)
  })

  async function workInTurn(): Promise<void> {
    while (!isStopped && allowed() > 0) {
      const row = await claimNext()
      if (row === null) return
      // There may be more due rows.
      engage()
      await attempt(row)
    }
  }

  async function claimNext(): Promise<Row | null> {
    try {
      const row = await claim()
      if (isClaimFailing) log.info(`the ${name} can be read again`)
      isClaimFailing = false
      return row
    } catch (error) {
      // The same fault is logged once, not every second.
      if (!isClaimFailing) log.warn({ err: error }, `the ${name} cannot be read`)
      isClaimFailing = true
      return null
    }
  }

  return {
    engage,
    async workDue() {
      engage()
      while (working.size > 0) await Promise.all(working)
    },
    poll(intervalMs) {
      timer = setInterval(engage, intervalMs)
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
      isStopped = true
      await Promise.all(working)
    },
  }
}
