/**
 * Owns how often something may be tried: passwords by account, device and network, registrations by network, refreshes
 * by family. What was tried, and whether it was right, is the business of whoever asks. The counts are rows, shared by
 * all instances; only those of refreshes are each instance's own.
 */
import type { FastifyBaseLogger } from 'fastify'
import QuickLRU from 'quick-lru'
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { AddressRules } from '../address-rules/address-rules.js'
import { stranger, type Actor, type Audit, type AuditEvent } from '../audit/audit.js'
import type { limitEvents } from './audit-events.js'
import { createCounters } from './counters.js'
import type { Standing } from './counting.js'
import { describePolicy, describeStanding, rateLimitHeaders, refusedOf } from './headers.js'
import {
  accountBudgets,
  budgetsOf,
  forgivenBudgets,
  keyOf,
  registrationBudgets,
  type Budget,
  type Claimant,
} from './policies.js'
import { createRefreshPace, refreshPolicy } from './refresh-pace.js'
import * as store from './store.js'
import { createUnderWay } from './under-way.js'

/** How often a check that finds no point left waits for others that may give one back. */
const MAX_TURNS = 10

/** Of how many refusals each instance remembers that they are on record already. */
const REMEMBERED_REFUSALS = 10_000

export interface LimitsOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  audit: Audit<typeof limitEvents>
  addressRules: Pick<AddressRules, 'isAllowed'>
  /** RATE_LIMIT: whether anything is counted at all. */
  enabled: boolean
}

/** Who tries something, and how they are told what is left. */
export interface Attempt {
  caller: Caller
  /** Is given the headers that tell what is left, before anything is tried. */
  announce: (headers: Record<string, string>) => void
}

export interface PasswordCheck extends Attempt {
  by: Claimant
  /** Whose password it would be, for the audit trail; null where there is no such user. */
  userId: string | null
}

type AboutRefusal = Omit<AuditEvent<typeof limitEvents>, 'caller' | 'detail'>

/** Whose session is refreshed, for the audit trail. */
export type Identify = () => Promise<{ userId: string | null; sessionId: string | null }>

export interface Limits {
  /**
   * Has a password checked, if there is budget for it: a point is taken before, so that nobody gets more guesses by
   * making them at once, and given back unless the password was wrong. Throws `rate_limited`.
   */
  checkPassword(check: PasswordCheck, verify: () => Promise<boolean>): Promise<boolean>
  /** Has a registration done, if there is budget for it. Throws `rate_limited`. */
  register<T>(attempt: Attempt, work: () => Promise<T>): Promise<T>
  /** Throws `rate_limited` for a family that is refreshed without end. Costs no query before that. */
  requirePace(handle: Buffer, caller: Caller, identify: Identify): Promise<void>
  /** Forgets what strangers have tried at an account whose password was set anew, or which is no more. */
  forgive(tx: Queries, email: string): Promise<void>
  /** Deletes counters that count nothing any more. */
  purge(): Promise<void>
}

export function createLimits({ database, clock, log, audit, addressRules, enabled }: LimitsOptions): Limits {
  const counters = createCounters({ database, clock, log })
  const underWay = createUnderWay()
  const pace = createRefreshPace(clock)
  const onRecord = new QuickLRU<string, number>({ maxSize: REMEMBERED_REFUSALS })

  /**
   * Takes a point of each budget. Where none is left because others are being checked, it waits until those are done:
   * many right passwords at once are no guesses, and wrong ones leave nothing to wait for.
   */
  async function takeInTurn(budgets: Budget[]): Promise<Standing[]> {
    for (let turns = 0; ; turns += 1) {
      const standings = await counters.take(budgets)
      const others =
        refusedOf(standings) === undefined || turns === MAX_TURNS ? null : underWay.ending(claimKeyOf(budgets))
      if (others === null) return standings
      await others
    }
  }

  /** Takes a point of each budget, or refuses; `about` is for the audit trail. */
  async function spend(budgets: Budget[], { caller, announce }: Attempt, about: AboutRefusal): Promise<void> {
    if (budgets.length === 0) return
    const standings = await takeInTurn(budgets)
    const headers = rateLimitHeaders(standings)
    const refused = refusedOf(standings)
    if (refused === undefined) {
      announce(headers)
      return
    }
    if (isNews(refused)) await record(refused, caller, about)
    throw new Problem('rate_limited', { retryAfterSeconds: refused.waitMs / 1000, headers })
  }

  /** What this server could not do is nothing that was tried. */
  async function orGiveBack<T>(budgets: Budget[], work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Problem) || error.code === 'overloaded') await counters.settle({ returned: budgets })
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

  async function record({ budget, waitMs }: Standing, caller: Caller, about: AboutRefusal): Promise<void> {
    const detail = { limit: budget.policy.name, wait_seconds: Math.ceil(waitMs / 1000) }
    // The refusal is the same whether it can be written down or not.
    await database
      .query((client) => audit.record(client, { ...about, caller, detail }))
      .catch((error: unknown) => log.warn({ err: error }, 'a refusal is not on record'))
  }

  const addressOf = ({ ip }: Caller) => ({ ip, isAllowed: ip !== null && addressRules.isAllowed(ip) })

  return {
    async checkPassword(check, verify) {
      if (!enabled) return verify()
      const { by, caller, userId } = check
      const budgets = budgetsOf(by, addressOf(caller))
      const sessionId = by.kind === 'user' ? by.sessionId : null
      const actor: Actor = by.kind === 'user' ? { kind: 'user', id: userId } : stranger
      await spend(budgets, check, { event: 'password_check_limited', actor, userId, sessionId })
      return underWay.during(claimKeyOf(budgets), async () => {
        const matches = await orGiveBack(budgets, verify)
        if (matches) {
          const forgotten = forgivenBudgets(by, budgets)
          await counters.settle({ forgotten, returned: budgets.filter((budget) => !forgotten.includes(budget)) })
        }
        return matches
      })
    },

    async register(attempt, work) {
      if (!enabled) return work()
      const budgets = registrationBudgets(addressOf(attempt.caller))
      await spend(budgets, attempt, { event: 'registration_limited', actor: stranger })
      return orGiveBack(budgets, work)
    },

    async requirePace(handle, caller, identify) {
      if (!enabled) return
      const { standing, isFirstRefusal } = pace.count(handle)
      if (standing.granted) return
      if (isFirstRefusal) {
        const session = await identify().catch(() => ({ userId: null, sessionId: null }))
        const actor: Actor = { kind: 'user', id: session.userId }
        await record(standing, caller, { ...session, event: 'refresh_limited', actor })
      }
      const headers = { 'ratelimit-policy': describePolicy(refreshPolicy), ratelimit: describeStanding(standing) }
      throw new Problem('rate_limited', { retryAfterSeconds: standing.waitMs / 1000, headers })
    },

    forgive: (tx, email) => store.settle(tx, { forgotten: accountBudgets(email).map(keyOf) }),
    purge: counters.purge,
  }
}

/** Whose budgets they are: the last is always that of an account, a device or a session, where there is one. */
function claimKeyOf(budgets: Budget[]): string {
  return budgets.slice(-1).map(keyOf).join()
}
