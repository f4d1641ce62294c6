import type { FastifyBaseLogger } from 'fastify'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { keyOf, type Budget, type Policy, type Standing } from './policy.js'
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
      // Without counters, requests are refused.
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
        log.warn({ err: error }, 'rate limit counters could not be written')
      }
    },

    async purge() {
      const deleteBatch = () => database.query((client) => store.deleteExpired(client, PURGE_BATCH, clock.shiftMs))
      while ((await deleteBatch()) === PURGE_BATCH);
    },
  }
  return counters
}

type Count = (asked: store.Asked[]) => Promise<store.Counted[]>

/**
 * Asks a point of each budget. The library's limiters hand what they would each send to the database to one statement,
 * `count`, which counts by the database's clock and leaves out what it refuses.
 */
async function consume(budgets: Budget[], count: Count): Promise<Standing[]> {
  const statement = new Statement(count)
  const outcomes = budgets.map(({ policy, of }) => limiterOf(policy).consume(of, 1, { statement }))
  // The failures too are taken from here: they are the same one for all.
  const settled = Promise.allSettled(outcomes)
  await statement.send()
  return (await settled).map((outcome, index) => {
    const budget = budgets[index]
    const result: unknown = outcome.status === 'fulfilled' ? outcome.value : outcome.reason
    if (budget === undefined || !(result instanceof RateLimiterRes)) throw result
    const { remainingPoints: remaining, msBeforeNext: waitMs } = result
    return { budget, granted: outcome.status === 'fulfilled', remaining, waitMs }
  })
}

/** What several limiters ask for, sent as one. */
class Statement {
  readonly #asked: store.Asked[] = []
  readonly #counted: Promise<store.Counted[]>
  #begin: (asked: store.Asked[]) => void = () => undefined

  constructor(count: Count) {
    this.#counted = new Promise<store.Asked[]>((resolve) => (this.#begin = resolve)).then(count)
  }

  async add(asked: store.Asked): Promise<store.Counted | undefined> {
    this.#asked.push(asked)
    return (await this.#counted).find(({ key }) => key === asked.key)
  }

  async send(): Promise<void> {
    this.#begin(this.#asked)
    await this.#counted
  }
}

/**
 * A limiter of the library on our own table and statement, in place of the ones that it would write itself. These are
 * the methods in which its stores differ from each other.
 */
class StoredLimiter extends RateLimiterPostgres {
  readonly #policy: Policy

  constructor(policy: Policy) {
    const { name: keyPrefix, quota: points, windowSeconds: duration } = policy
    const ours = { storeClient: {}, storeType: 'client', tableCreated: true, clearExpiredByTimeout: false }
    super({ ...ours, keyPrefix, points, duration })
    this.#policy = policy
  }

  _upsert(
    key: string,
    points: number,
    windowMs: number,
    _forceExpire: boolean,
    { statement }: { statement: Statement },
  ): Promise<store.Counted | undefined> {
    const { quota, sliding } = this.#policy
    return statement.add({ key, points, quota, windowMs, sliding })
  }

  _getRateLimiterRes(_key: string, points: number, counted: store.Counted | undefined): RateLimiterRes {
    const { granted = false, points: held = 0, remainingMs = 0 } = counted ?? {}
    // The library refuses what is more than the quota.
    const consumed = granted ? held : Math.max(held, this.points) + points
    return new RateLimiterRes(Math.max(0, this.points - consumed), remainingMs, consumed, held === points)
  }
}

const limiters = new Map<Policy, StoredLimiter>()

function limiterOf(policy: Policy): StoredLimiter {
  const known = limiters.get(policy) ?? new StoredLimiter(policy)
  limiters.set(policy, known)
  return known
}
