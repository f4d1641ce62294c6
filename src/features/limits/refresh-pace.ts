import QuickLRU from 'quick-lru'
import type { Clock } from '../../platform/clock.js'
import type { Standing } from './counting.js'
import type { Policy } from './policies.js'

/** Far beyond what tabs, retries and short-lived access tokens need; a client in a loop reaches it in a second. */
export const refreshPolicy: Policy = { name: 'refresh', quota: 120, windowSeconds: 60, sliding: false }

/** At most twice as many families are in memory; a client in a loop is always among them. */
const REMEMBERED = 10_000

export interface RefreshPace {
  /** Counts a refresh of a family, and tells the first one that it refuses from those that follow. */
  count(handle: Buffer): { standing: Standing; isFirstRefusal: boolean }
}

/** Counts in this process alone and without a query: it is there to stop loops, not thieves. */
export function createRefreshPace(clock: Clock): RefreshPace {
  const counts = new QuickLRU<string, { points: number; endsAtMs: number }>({ maxSize: REMEMBERED })

  return {
    count(handle) {
      const of = handle.toString('latin1')
      const nowMs = clock.elapsedMs()
      let known = counts.get(of)
      if (known === undefined || known.endsAtMs <= nowMs) {
        known = { points: 0, endsAtMs: nowMs + refreshPolicy.windowSeconds * 1000 }
        counts.set(of, known)
      }
      known.points += 1
      const standing = {
        budget: { policy: refreshPolicy, of },
        granted: known.points <= refreshPolicy.quota,
        remaining: Math.max(0, refreshPolicy.quota - known.points),
        waitMs: known.endsAtMs - nowMs,
      }
      return { standing, isFirstRefusal: known.points === refreshPolicy.quota + 1 }
    },
  }
}
