import QuickLRU from 'quick-lru'
import type { Clock } from '../../platform/clock.js'
import type { Budget, Standing } from './policy.js'

/** At most twice as many are in memory; a client in a loop is always among them. */
const REMEMBERED = 10_000

export interface LocalRate {
  /** Counts one more, and tells the first that it refuses from those that follow. */
  count(budget: Budget): { standing: Standing; isFirstRefusal: boolean }
}

/** Counts in this process alone and without a query: it is there to stop loops, not thieves. */
export function createLocalRate(clock: Clock): LocalRate {
  const counts = new QuickLRU<string, { points: number; endsAtMs: number }>({ maxSize: REMEMBERED })

  return {
    count(budget) {
      const { policy, of } = budget
      const nowMs = clock.elapsedMs()
      let known = counts.get(of)
      if (known === undefined || known.endsAtMs <= nowMs) {
        known = { points: 0, endsAtMs: nowMs + policy.windowSeconds * 1000 }
        counts.set(of, known)
      }
      known.points += 1
      const standing = {
        budget,
        granted: known.points <= policy.quota,
        remaining: Math.max(0, policy.quota - known.points),
        waitMs: known.endsAtMs - nowMs,
      }
      return { standing, isFirstRefusal: known.points === policy.quota + 1 }
    },
  }
}
