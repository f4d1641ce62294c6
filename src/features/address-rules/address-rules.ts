/**
 * Owns the lists of addresses that an operator has blocked or allowed: the rows, and their copy in the memory of every
 * instance, updated within a second of each change. Addresses on neither list are the matter of limits.
 */
import type { FastifyBaseLogger } from 'fastify'
import QuickLRU from 'quick-lru'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { follow } from '../../platform/database/following.js'
import { createAddressSet, type AddressSet } from '../../platform/http/addresses.js'
import type { BlockedAddresses } from '../../platform/http/blocked-addresses.js'
import { noCaller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { operator, type Audit } from '../audit/audit.js'
import type { addressRuleEvents } from './audit-events.js'
import * as store from './store.js'
import type { AddressRule } from './store.js'

export type { AddressRule } from './store.js'

/** The number of addresses for which the result is cached. */
const REMEMBERED = 10_000

export interface AddressRulesOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  audit: Audit<typeof addressRuleEvents>
}

export interface AddressRules {
  /** Reads all rules. */
  load(): Promise<void>
  /** Reads the rules if they have changed, and stops applying expired ones. */
  poll(): Promise<void>
  /**
   * Keeps them current from now on; returns a function that stops this. While the database is unavailable, the last
   * rules stay in force.
   */
  follow(): () => Promise<void>
  /** The blocked ranges. An address that is also allowed is blocked. */
  readonly blocked: BlockedAddresses
  /** Whether an address is exempt from the limits on addresses; those on accounts apply to everyone. */
  isAllowed(address: string): boolean
  /** Sets a rule, and replaces an earlier one for the same range. Throws `validation_failed` for an end in the past. */
  set(rule: AddressRule): Promise<void>
  /** Throws `not_found` if there is no rule for exactly this range. */
  remove(range: string): Promise<void>
  list(): Promise<AddressRule[]>
  /** Deletes expired rules. */
  purge(): Promise<void>
}

export function createAddressRules({ database, clock, log, audit }: AddressRulesOptions): AddressRules {
  let rules: AddressRule[] = []
  let version = ''
  let inForce: AddressRule[] = []
  let sets = createSets([])

  /** Rules expire on their own, so the time is compared at each use. */
  function enforce(): void {
    const now = clock.now()
    const current = rules.filter(({ until }) => until === null || until > now)
    const isSame = current.length === inForce.length && current.every((rule, index) => rule === inForce[index])
    if (isSame) return
    inForce = current
    sets = createSets(current)
  }

  const addressRules: AddressRules = {
    async load() {
      // In this order, a change in between is read by the next poll.
      const current = await database.query(store.readVersion, { internal: true })
      rules = await database.query(store.findRules, { internal: true })
      version = current
      enforce()
    },

    async poll() {
      if ((await database.query(store.readVersion, { internal: true })) !== version) await addressRules.load()
      enforce()
    },

    // Polling is fast enough for manual changes by an operator, and a listener would cost each instance a connection.
    follow: () => follow({ source: addressRules, name: 'address rules', waking: null, log }),

    blocked: { isEmpty: () => sets.block === null, has: (address) => sets.block?.has(address) === true },
    isAllowed: (address) => sets.allow?.has(address) === true && !addressRules.blocked.has(address),

    async set(rule) {
      if (rule.until !== null && rule.until <= clock.now()) throw endsTooSoon()
      await database.transaction(async (tx) => {
        await store.replaceRule(tx, rule, clock.shiftMs)
        const { range, until, reason } = rule
        const detail = { range, ...(until && { until: until.toISOString() }), ...(reason !== null && { reason }) }
        await audit.record(tx, { event: eventOf[rule.kind], ...byOperator, detail })
      })
      await addressRules.load()
    },

    async remove(range) {
      await database.transaction(async (tx) => {
        const kind = await store.removeRule(tx, range)
        if (kind === null)
          throw new Problem('not_found', { detail: `No rule exists for ${range}. List the rules with ip:list.` })
        await audit.record(tx, { event: 'address_rule_removed', ...byOperator, detail: { range, kind } })
      })
      await addressRules.load()
    },

    async list() {
      const now = clock.now()
      const all = await database.query(store.findRules)
      return all.filter(({ until }) => until === null || until > now)
    },

    purge: () => database.query((client) => store.deleteEnded(client, clock.shiftMs), { internal: true }),
  }
  return addressRules
}

/** The actor who changes the lists. */
const byOperator = { actor: operator, caller: noCaller }

const eventOf = { block: 'address_blocked', allow: 'address_allowed' } as const

function createSets(rules: AddressRule[]): Record<AddressRule['kind'], AddressSet | null> {
  const ofKind = (kind: AddressRule['kind']) => {
    const ranges = rules.filter((rule) => rule.kind === kind).map(({ range }) => range)
    return ranges.length === 0 ? null : remembering(createAddressSet(ranges))
  }
  return { block: ofKind('block'), allow: ofKind('allow') }
}

/** The same few addresses recur, and a list is searched linearly. */
function remembering(set: AddressSet): AddressSet {
  const known = new QuickLRU<string, boolean>({ maxSize: REMEMBERED })
  return {
    has(address) {
      if (address === undefined) return false
      const answer = known.get(address)
      if (answer !== undefined) return answer
      known.set(address, set.has(address))
      return known.get(address) === true
    },
  }
}

function endsTooSoon(): Problem {
  const message = 'Must be in the future'
  return new Problem('validation_failed', { errors: [{ path: '/until', code: 'too_small', message }] })
}
