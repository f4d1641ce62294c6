/**
 * Owns how often something may be done: counts what was tried, refuses what is too much, and has a success forgive what
 * its policy says. It knows no passwords and no devices: what is limited, and how, is declared by the feature that asks.
 * The counts are rows, shared by all instances; only those of `requireRate` are each instance's own.
 */
import type { FastifyBaseLogger } from 'fastify'
import QuickLRU from 'quick-lru'
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { networkOf } from '../../platform/http/addresses.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { AddressRules } from '../address-rules/address-rules.js'
import type { Audit, AuditEvent, AuditEvents } from '../audit/audit.js'
import { createCounters } from './counters.js'
import {
  hashSubject,
  keyOf,
  longestRefusal,
  rateLimitHeaders,
  type Budget,
  type Policy,
  type Standing,
} from './policy.js'
import * as store from './store.js'

export { hashSubject, type Budget, type Policy } from './policy.js'

/** How often work that finds no point left waits for others that may give one back. */
const MAX_TURNS = 10

/** Of how many refusals each instance remembers that they are on record already. */
const REMEMBERED_REFUSALS = 10_000

export interface LimitsOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  audit: Audit<AuditEvents>
  addressRules: Pick<AddressRules, 'isAllowed'>
  /** RATE_LIMIT: whether anything is counted at all. */
  enabled: boolean
}

/** The caller of a limited operation, and how to return its remaining budget. */
export interface Requester {
  caller: Caller
  /** Is given the headers that tell what is left, before anything is done. */
  announce: (headers: Record<string, string>) => void
}

/** What a refusal is audited as: an event that the feature declares whose policy it is. */
export type Refusal<Name extends string = string> = Omit<AuditEvent<Name>, 'caller' | 'detail'>

export interface LimitedRequest extends Requester {
  refusal: Refusal
  /** Budgets of which no point is taken, and which a success forgets. */
  forgets?: Budget[]
}

export interface Limits {
  /**
   * Does work if there is a point for it in each budget. Points are taken before, so that no client gets more tries by
   * making them at once. Null is work that failed and spends them; any other result is a success, after which each
   * policy says what becomes of its point. What this server could not do, an error or `overloaded`, is given back.
   * Throws `rate_limited` and `database_unavailable`.
   */
  guard<T>(budgets: Budget[], request: LimitedRequest, work: () => Promise<T>): Promise<T>
  /** The budget of the network that a request comes from; none where the operator allows its address. */
  ofNetwork(policy: Policy, caller: Caller): Budget[]
  /** Counts one more of a rate that is this instance's own, without a query. Throws `rate_limited`. */
  requireRate(budget: Budget, caller: Caller, identify: () => Promise<Refusal>): Promise<void>
  /** Forgets what was counted, in the caller's transaction. */
  forget(tx: Queries, budgets: Budget[]): Promise<void>
  /** Deletes counters that count nothing any more. */
  purge(): Promise<void>
}

export function createLimits({ database, clock, log, audit, addressRules, enabled }: LimitsOptions): Limits {
  const counters = createCounters({ database, clock, log })
  const inFlight = createInFlight()
  const localRate = createLocalRate(clock)
  const onRecord = new QuickLRU<string, number>({ maxSize: REMEMBERED_REFUSALS })

  /**
   * Takes a point of each budget. Where none is left because others are in flight, it waits until those are done: many
   * right passwords at once are no guesses, and wrong ones leave nothing to wait for.
   */
  async function takeInTurn(budgets: Budget[]): Promise<Standing[]> {
    for (let turns = 0; ; turns += 1) {
      const standings = await counters.take(budgets)
      const refused = longestRefusal(standings)
      const mayGetPoint = refused !== undefined && refused.budget.policy.onSuccess !== 'spend' && turns < MAX_TURNS
      const others = mayGetPoint ? inFlight.ending(narrowestOf(budgets)) : null
      if (others === null) return standings
      await others
    }
  }

  /** Takes a point of each budget, or refuses. */
  async function spend(budgets: Budget[], { caller, announce, refusal }: LimitedRequest): Promise<void> {
    const standings = await takeInTurn(budgets)
    const headers = rateLimitHeaders(standings)
    const refused = longestRefusal(standings)
    if (refused === undefined) {
      announce(headers)
      return
    }
    if (isNews(refused)) await record(refused, caller, refusal)
    throw new Problem('rate_limited', { retryAfterSeconds: refused.waitMs / 1000, headers })
  }

  /** Server errors do not count as attempts. */
  async function refundOnServerError<T>(budgets: Budget[], work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Problem) || error.code === 'overloaded') await counters.settle({ refunded: budgets })
      throw error
    }
  }

  /** One refusal of each budget and wait is put on record: an attack must not fill the audit trail. */
  function isNews({ budget, waitMs }: Standing): boolean {
    const key = keyOf(budget)
    const nowMs = clock.elapsedMs()
    if ((onRecord.get(key) ?? 0) > nowMs) return false
    onRecord.set(key, nowMs + waitMs)
    return true
  }

  async function record({ budget, waitMs }: Standing, caller: Caller, refusal: Refusal): Promise<void> {
    const detail = { limit: budget.policy.name, wait_seconds: Math.ceil(waitMs / 1000) }
    // The refusal is the same whether it can be written down or not.
    await database
      .query((client) => audit.record(client, { ...refusal, caller, detail }))
      .catch((error: unknown) => log.warn({ err: error }, 'audit event of a rate-limited request could not be written'))
  }

  return {
    async guard(budgets, request, work) {
      if (!enabled || budgets.length === 0) return work()
      await spend(budgets, request)
      return inFlight.during(narrowestOf(budgets), async () => {
        const result = await refundOnServerError(budgets, work)
        if (result !== null) {
          const after = (onSuccess: Policy['onSuccess']) =>
            budgets.filter(({ policy }) => policy.onSuccess === onSuccess)
          const forgotten = [...after('forget'), ...(request.forgets ?? [])]
          await counters.settle({ forgotten, refunded: after('refund') })
        }
        return result
      })
    },

    ofNetwork: (policy, { ip }) =>
      ip !== null && addressRules.isAllowed(ip) ? [] : [{ policy, of: hashSubject(networkOf(ip)) }],

    async requireRate(budget, caller, identify) {
      if (!enabled) return
      const { standing, isFirstRefusal } = localRate.count(budget)
      if (standing.granted) return
      if (isFirstRefusal) await record(standing, caller, await identify())
      throw new Problem('rate_limited', {
        retryAfterSeconds: standing.waitMs / 1000,
        headers: rateLimitHeaders([standing]),
      })
    },

    forget: (tx, budgets) => store.settle(tx, { forgotten: budgets.map(keyOf) }),
    purge: counters.purge,
  }
}

/** The key of the last and narrowest budget: that of an account, a device or a session, where there is one. */
function narrowestOf(budgets: Budget[]): string {
  return budgets.slice(-1).map(keyOf).join()
}

/** The work that this process has in flight, by a key that tells whose it is. */
interface InFlight {
  /** Does work that others can wait for. */
  during<T>(key: string, work: () => Promise<T>): Promise<T>
  /** Resolves when all that is in flight at this moment has ended; null where nothing is. */
  ending(key: string): Promise<unknown> | null
}

function createInFlight(): InFlight {
  const known = new Map<string, Set<Promise<unknown>>>()
  return {
    async during(key, work) {
      const ofKey = known.get(key) ?? new Set()
      known.set(key, ofKey)
      const done = work()
      ofKey.add(done)
      try {
        return await done
      } finally {
        ofKey.delete(done)
        if (ofKey.size === 0) known.delete(key)
      }
    },
    ending(key) {
      const ofKey = known.get(key)
      return ofKey === undefined ? null : Promise.allSettled(ofKey)
    },
  }
}

/** At most twice as many are in memory; a client in a loop is always among them. */
const REMEMBERED = 10_000

interface LocalRate {
  /** Counts one more, and tells the first that it refuses from those that follow. */
  count(budget: Budget): { standing: Standing; isFirstRefusal: boolean }
}

/** Counts in this process alone and without a query: it is there to stop loops, not thieves. */
function createLocalRate(clock: Clock): LocalRate {
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
