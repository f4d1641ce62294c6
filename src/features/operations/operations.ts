/**
 * Owns the health of the process: liveness, readiness, clock synchronization with the database, the age of its
 * revocations, and maintenance tasks.
 */
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import type { MailHealth } from '../mail/mail.js'
import type { Revocations } from '../revocation/revocation.js'
import * as store from './store.js'

export interface OperationsOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  revocations: Pick<Revocations, 'ageMs' | 'isStale'>
  mailHealth: () => MailHealth
  /** Tasks that run every minute, by name. Each must be safe to run on several instances concurrently. */
  maintenanceTasks: Record<string, () => Promise<void>>
}

export interface Readiness {
  clockSkewMs: number
  revocationAgeMs: number
  /** Mail that cannot be sent waits, so it is no reason to send requests elsewhere. */
  mail: MailHealth
  warnings: ('clock_skew' | 'revocation_stale')[]
}

export interface Operations {
  /** Reads the database's time and sets the clock by it. */
  synchronizeClock(): Promise<void>
  /** Whether requests can be served; throws `database_unavailable` if not. */
  checkReadiness(): Promise<Readiness>
  /** Runs all maintenance tasks once. Failures are logged and do not stop the other tasks. */
  runMaintenance(): Promise<void>
  /** Starts maintenance every minute and the synchronization of the clock. Returns a function that stops both and waits for tasks in progress. */
  start(): () => Promise<void>
}

const MAINTENANCE_INTERVAL_MS = 60_000

/**
 * A machine's clock may jump at any time, and tokens that are issued or verified before the next synchronization are
 * affected.
 */
const CLOCK_INTERVAL_MS = 1_000

/** Tokens use the database's time in any case; beyond this difference, the machine's own clock needs attention. */
const SKEW_WARNING_MS = 5_000

export function createOperations({
  database,
  clock,
  log,
  revocations,
  mailHealth,
  maintenanceTasks,
}: OperationsOptions): Operations {
  const operations: Operations = {
    async synchronizeClock() {
      const askedAt = Date.now()
      const databaseNow = await database.query(store.readDatabaseTime, { internal: true })
      // The database's time was read about halfway between the request and now.
      const travelMs = (Date.now() - askedAt) / 2
      clock.synchronize(new Date(databaseNow.getTime() + travelMs))
    },

    async checkReadiness() {
      await operations.synchronizeClock()
      const clockSkewMs = Math.round(clock.skewMs)
      const warnings: Readiness['warnings'] = []
      if (Math.abs(clockSkewMs) > SKEW_WARNING_MS) warnings.push('clock_skew')
      if (revocations.isStale()) warnings.push('revocation_stale')
      return { clockSkewMs, revocationAgeMs: Math.round(revocations.ageMs()), mail: mailHealth(), warnings }
    },

    async runMaintenance() {
      for (const [task, work] of Object.entries({
        ...maintenanceTasks,
        synchronizeClock: operations.synchronizeClock,
      })) {
        await work().catch((error: unknown) => log.error({ err: error, task }, 'maintenance task failed'))
      }
    },

    start() {
      let underWay = Promise.resolve()
      const maintenanceTimer = setInterval(() => {
        underWay = underWay.then(() => operations.runMaintenance())
      }, MAINTENANCE_INTERVAL_MS)
      let asking: Promise<void> | null = null
      const clockTimer = setInterval(() => {
        // An unavailable database is reported by the maintenance tasks and by every request.
        asking ??= operations
          .synchronizeClock()
          .catch(() => undefined)
          .finally(() => (asking = null))
      }, CLOCK_INTERVAL_MS)
      for (const timer of [maintenanceTimer, clockTimer]) timer.unref()
      return async () => {
        for (const timer of [maintenanceTimer, clockTimer]) clearInterval(timer)
        await Promise.all([underWay, asking])
      }
    },
  }
  return operations
}
