import QuickLRU from 'quick-lru'
import type { Clock } from '../../platform/clock.js'
import type { Caller } from '../../platform/http/caller.js'
import type { Budget, Standing } from './policy.js'
import type { Refusal } from './request.js'

/** At most twice as many are in memory; a client in a loop is always among them. */
const REMEMBERED = 10_000

interface LocalRateOptions {
  clock: Clock
  enabled: boolean
  /** Throws `rate_limited`, and puts the first refusal of a window on record. */
  refuse(standing: Standing, caller: Caller, identify: Identify | null): Promise<never>
}

/** Tells whom a refusal is about, which may take a query. */
export type Identify = () => Promise<Refusal>

/** Counts in this process alone and without a query: it is there to stop loops, not thieves. */
export function createLocalRate({ clock, enabled, refuse }: LocalRateOptions) {
  const counts = new QuickLRU<string, { points: number; endsAtMs: number }>({ maxSize: REMEMBERED })

  return async function requireRate(budget: Budget, caller: Caller, identify: Identify): Promise<void> {
    if (!enabled) return
    const { policy, of } = budget
    const nowMs = clock.elapsedMs()
    let known = counts.get(of)
    if (known === undefined || known.endsAtMs <= nowMs) {
      known = { points: 0, endsAtMs: nowMs + policy.windowSeconds * 1000 }
      counts.set(of, known)
    }
    known.points += 1
    if (known.points <= policy.quota) return
    const standing = { budget, granted: false, remaining: 0, waitMs: known.endsAtMs - nowMs }
    await refuse(standing, caller, known.points === policy.quota + 1 ? identify : null)
  }
}
