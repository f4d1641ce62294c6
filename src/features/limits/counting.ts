import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import type { Budget, Policy, Standing } from './policy.js'
import type { Asked, Counted } from './store.js'

type Count = (asked: Asked[]) => Promise<Counted[]>

/**
 * Asks a point of each budget. The library's limiters hand what they would each send to the database to one statement,
 * `count`, which counts by the database's clock and leaves out what it refuses.
 */
export async function consume(budgets: Budget[], count: Count): Promise<Standing[]> {
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
  readonly #asked: Asked[] = []
  readonly #counted: Promise<Counted[]>
  #begin: (asked: Asked[]) => void = () => undefined

  constructor(count: Count) {
    this.#counted = new Promise<Asked[]>((resolve) => (this.#begin = resolve)).then(count)
  }

  async add(asked: Asked): Promise<Counted | undefined> {
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
  ): Promise<Counted | undefined> {
    const { quota, sliding } = this.#policy
    return statement.add({ key, points, quota, windowMs, sliding })
  }

  _getRateLimiterRes(_key: string, points: number, counted: Counted | undefined): RateLimiterRes {
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
