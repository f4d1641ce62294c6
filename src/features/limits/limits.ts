/**
 * Owns how often something may be done: counts what was tried, refuses what is too much, and has a success forgive what
 * its policy says. It knows no passwords and no devices: what is limited, and how, is declared by the feature that asks.
 * The counts are rows, shared by all instances; only those of `requireRate` are each instance's own.
 */
import type { FastifyBaseLogger } from 'fastify'
import QuickLRU from 'quick-lru'
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { networksOf } from '../../platform/http/addresses.js'
import type { Caller } from '../../platform/http/caller.js'
import { createInFlight } from '../../platform/in-flight.js'
import { Problem } from '../../platform/problem.js'
import type { AddressRules } from '../address-rules/address-rules.js'
import type { Audit, AuditEvents } from '../audit/audit.js'
import { createLocalRate, type Identify } from './local-rate.js'
import {
  hashSubject,
  keyOf,
  longestRefusal,
  rateLimitHeaders,
  type Budget,
  type Policy,
  type Standing,
} from './policy.js'
import type { LimitedRequest, Refusal, Settlement } from './request.js'
import * as store from './store.js'

export { hashSubject, type Budget, type Policy } from './policy.js'
export type { Refusal, Requester, Settlement } from './request.js'

/** How often work that finds no point left waits for others that may give one back. */
const MAX_TURNS = 10

/** Of how many refusals each instance remembers until when they last, and that they are on record. */
const REMEMBERED_REFUSALS = 10_000

/**
 * How long a refusal is answered from memory before the counters are asked once more: a password that an operator sets,
 * or a success at another instance, may have ended it.
 */
const RECHECK_MS = 2_000

/** How many networks of the size that one customer has make one of the size that a provider hands out at most. */
const WIDER = 10

const PURGE_BATCH = 10_000

export interface LimitsOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  audit: Audit<AuditEvents>
  addressRules: Pick<AddressRules, 'isAllowed'>
  /** RATE_LIMIT: whether anything is counted at all. */
  enabled: boolean
}

export interface Limits {
  /**
   * Throws `rate_limited`, without a query, where one of the budgets is known to have nothing left: to be asked before
   * anything is done that costs.
   */
  requireNotRefused(budgets: Budget[]): void
  /**
   * Does work if there is a point for it in each budget. Points are taken before, so that no client gets more tries by
   * making them at once. Null is work that failed and spends them; any other result is a success, after which each
   * policy says what becomes of its point. What this server could not do, an error or `overloaded`, is given back.
   * Throws `rate_limited` and `database_unavailable`.
   */
  guard<T>(
    budgets: Budget[],
    request: LimitedRequest,
    work: (settlement: Settlement) => Promise<T | null>,
  ): Promise<T | null>
  /**
   * The budgets of the networks that a request comes from: its IPv4 address, or its /64 and, ten times wider, its /48.
   * None where the operator allows its address.
   */
  ofNetwork(policy: Policy, caller: Caller): Budget[]
  /** Whose work it is that a request asks for: the widest of those networks; null where the operator allows its address. */
  partyOf(caller: Caller): string | null
  /** Counts one more of a rate that is this instance's own, without a query. Throws `rate_limited`. */
  requireRate(budget: Budget, caller: Caller, identify: Identify): Promise<void>
  /** Forgets what was counted, in the caller's transaction. */
  forget(tx: Queries, budgets: Budget[]): Promise<void>
  /** Deletes counters that count nothing any more. */
  purge(): Promise<void>
}

/** A refusal that is remembered. */
interface KnownRefusal {
  endsAtMs: number
  recheckAtMs: number
}

export function createLimits({ database, clock, log, audit, addressRules, enabled }: LimitsOptions): Limits {
  const inFlight = createInFlight()
  const refusals = new QuickLRU<string, KnownRefusal>({ maxSize: REMEMBERED_REFUSALS })
  const onRecord = new QuickLRU<string, number>({ maxSize: REMEMBERED_REFUSALS })

  const isExempt = (ip: string | null) => ip !== null && addressRules.isAllowed(ip)

  /** Takes a point of each budget, or of none where one that is binding has nothing left. */
  async function take(budgets: Budget[]): Promise<Standing[]> {
    const standings = await ask(budgets)
    const granted = standings.filter((standing) => standing.granted)
    if (longestRefusal(standings)) await settle({ refunded: granted.map(({ budget }) => budget) })
    return standings
  }

  async function ask(budgets: Budget[]): Promise<Standing[]> {
    const asked = budgets.map((budget) => {
      const { quota, windowSeconds, sliding } = budget.policy
      return { key: keyOf(budget), quota, windowMs: windowSeconds * 1000, sliding }
    })
    try {
      const counted = await database.query((client) => store.takePoints(client, asked, clock.shiftMs))
      const byKey = new Map(counted.map((each) => [each.key, each]))
      return budgets.map((budget) => standingOf(budget, byKey.get(keyOf(budget))))
    } catch (error) {
      // Without counters, requests are refused.
      throw error instanceof Problem ? error : new Problem('database_unavailable', { cause: error })
    }
  }

  /** Forgets what is used up of some, and gives a point of each of the others back. Never throws. */
  async function settle({ forgotten = [], refunded = [] }: { forgotten?: Budget[]; refunded?: Budget[] }) {
    if (forgotten.length + refunded.length === 0) return
    const keys = { forgotten: forgotten.map(keyOf), refunded: refunded.map(keyOf) }
    try {
      await database.query((client) => store.settle(client, keys))
    } catch (error) {
      // A count that is a little too high is better than a login that fails for it.
      log.warn({ err: error }, 'rate limit counters could not be written')
    }
  }

  /**
   * Takes a point of each budget. Where none is left because others are in flight, it waits until those are done: many
   * right passwords at once are no guesses, and wrong ones leave nothing to wait for.
   */
  async function takeInTurn(budgets: Budget[]): Promise<Standing[]> {
    for (let turns = 0; ; turns += 1) {
      const standings = await take(budgets)
      const refused = longestRefusal(standings)
      const mayGetPoint = refused !== undefined && refused.budget.policy.onSuccess !== 'spend'
      const others = mayGetPoint ? inFlight.ending(narrowestOf(budgets)) : null
      if (refused && others === null) remember(refused)
      if (others === null || turns === MAX_TURNS) return standings
      await others
    }
  }

  /** Takes a point of each budget, or refuses; answers the budgets of which one was taken. */
  async function spend(budgets: Budget[], { caller, announce, refusal }: LimitedRequest): Promise<Budget[]> {
    const standings = await takeInTurn(budgets)
    const refused = longestRefusal(standings)
    if (refused !== undefined) {
      if (isNews(refused)) await record(refused, caller, refusal)
      throw refusalOf(refused, standings)
    }
    announce(rateLimitHeaders(standings))
    const taken = standings.filter(({ granted }) => granted).map(({ budget }) => budget)
    forgetRefusals(taken)
    return taken
  }

  function remember({ budget, waitMs }: Standing): void {
    const nowMs = clock.elapsedMs()
    refusals.set(keyOf(budget), { endsAtMs: nowMs + waitMs, recheckAtMs: nowMs + RECHECK_MS })
  }

  function forgetRefusals(budgets: Budget[]): void {
    for (const budget of budgets) refusals.delete(keyOf(budget))
  }

  /** One request in so many seconds is let through to ask the counters whether a refusal still holds. */
  function findRefusal(budget: Budget): Standing | null {
    const key = keyOf(budget)
    const known = refusals.get(key)
    if (known === undefined) return null
    const nowMs = clock.elapsedMs()
    if (known.endsAtMs <= nowMs) {
      refusals.delete(key)
      return null
    }
    if (known.recheckAtMs <= nowMs) {
      known.recheckAtMs = nowMs + RECHECK_MS
      return null
    }
    return { budget, granted: false, remaining: 0, waitMs: known.endsAtMs - nowMs }
  }

  /** Server errors do not count as attempts. */
  async function refundOnServerError<T>(budgets: Budget[], work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Problem) || error.code === 'overloaded') await settle({ refunded: budgets })
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
    requireNotRefused(budgets) {
      if (!enabled) return
      const refused = longestRefusal(budgets.flatMap((budget) => findRefusal(budget) ?? []))
      if (refused !== undefined) throw refusalOf(refused, [refused])
    },

    async guard(budgets, request, work) {
      if (!enabled || budgets.length === 0) return work({ within: () => [] })
      const taken = await spend(budgets, request)
      const after = (onSuccess: Policy['onSuccess']) => taken.filter(({ policy }) => policy.onSuccess === onSuccess)
      const forgotten = [...after('forget'), ...(request.forgets ?? [])]
      const refunded = after('refund')
      let isCarried = false
      const settlement: Settlement = {
        within(from) {
          isCarried = true
          return store.settlementWithin(from, { forgotten: forgotten.map(keyOf), refunded: refunded.map(keyOf) })
        },
      }
      return inFlight.during(narrowestOf(budgets), async () => {
        const result = await refundOnServerError(taken, () => work(settlement))
        if (result === null) return null
        forgetRefusals(forgotten)
        if (!isCarried) await settle({ forgotten, refunded })
        return result
      })
    },

    ofNetwork(policy, { ip }) {
      if (isExempt(ip)) return []
      const [own, wider] = networksOf(ip)
      const widerPolicy = { ...policy, name: `${policy.name}-48`, quota: policy.quota * WIDER }
      return [
        { policy, of: hashSubject(own) },
        ...(wider === undefined ? [] : [{ policy: widerPolicy, of: hashSubject(wider) }]),
      ]
    },

    partyOf: ({ ip }) => (isExempt(ip) ? null : (networksOf(ip).at(-1) ?? null)),

    requireRate: createLocalRate({
      clock,
      enabled,
      async refuse(standing, caller, identify) {
        if (identify !== null) await record(standing, caller, await identify())
        throw refusalOf(standing, [standing])
      },
    }),

    async forget(tx, budgets) {
      await store.settle(tx, { forgotten: budgets.map(keyOf) })
      forgetRefusals(budgets)
    },

    async purge() {
      const deleteBatch = () =>
        database.query((client) => store.deleteExpired(client, PURGE_BATCH, clock.shiftMs), { internal: true })
      while ((await deleteBatch()) === PURGE_BATCH);
    },
  }
}

function refusalOf({ waitMs }: Standing, standings: Standing[]): Problem {
  return new Problem('rate_limited', { retryAfterSeconds: waitMs / 1000, headers: rateLimitHeaders(standings) })
}

function standingOf(budget: Budget, counted: store.Counted | undefined): Standing {
  const { granted = false, points = 0, remainingMs: waitMs = 0 } = counted ?? {}
  const remaining = granted ? Math.max(0, budget.policy.quota - points) : 0
  return { budget, granted, remaining, waitMs }
}

/** The key of the last and narrowest budget: that of an account, a device or a session, where there is one. */
function narrowestOf(budgets: Budget[]): string {
  return budgets.slice(-1).map(keyOf).join()
}
