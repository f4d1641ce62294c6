import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { consume } from './counting.js'
import { keyOf, type Budget, type Standing } from './policy.js'
import * as store from './store.js'

const PURGE_BATCH = 10_000

/** What is used up of each budget: rows that all instances share, and that count by the database's clock. */
export interface Counters {
  /** Takes a point of each budget, or of none where one has nothing left. Throws `database_unavailable`. */
  take(budgets: Budget[]): Promise<Standing[]>
  /** Forgets what is used up of some, and gives a point of each of the others back. Never throws. */
  settle(budgets: { forgotten?: Budget[]; refunded?: Budget[] }): Promise<void>
  /** Deletes rows that count nothing any more. */
  purge(): Promise<void>
}

interface CountersOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
}

export function createCounters({ database, clock, log }: CountersOptions): Counters {
  async function ask(budgets: Budget[]): Promise<Standing[]> {
    try {
      return await consume(budgets, (asked) =>
        database.query((client) => store.takePoints(client, asked, clock.shiftMs)),
      )
    } catch (error) {
      // What cannot be counted is not let in.
      throw error instanceof Problem ? error : new Problem('database_unavailable', { cause: error })
    }
  }

  const counters: Counters = {
    async take(budgets) {
      const standings = await ask(budgets)
      const granted = standings.filter((standing) => standing.granted)
      if (granted.length < standings.length) await counters.settle({ refunded: granted.map(({ budget }) => budget) })
      return standings
    },

    async settle({ forgotten = [], refunded = [] }) {
      if (forgotten.length + refunded.length === 0) return
      const keys = { forgotten: forgotten.map(keyOf), refunded: refunded.map(keyOf) }
      try {
        await database.query((client) => store.settle(client, keys))
      } catch (error) {
        // A count that is a little too high is better than a login that fails for it.
        log.warn({ err: error }, 'a limit could not be settled')
      }
    },

    async purge() {
      const deleteBatch = () => database.query((client) => store.deleteExpired(client, PURGE_BATCH, clock.shiftMs))
      while ((await deleteBatch()) === PURGE_BATCH);
    },
  }
  return counters
}
