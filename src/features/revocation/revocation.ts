/**
 * Owns the revocations: the rows that outlive a restart, and the map in memory that every verified request is checked
 * against without a query. What causes a revocation belongs to other features: they write their change and the entry
 * in one transaction, through `transaction`.
 */
import type { AccessTokenClaims } from '../../wire/claims.js'
import { MAX_ACCESS_TOKEN_SECONDS } from '../../wire/claims.js'
import type { RevocationEntry } from '../../wire/revocation.js'
import type { Clock } from '../../platform/clock.js'
import type { Attempt, Database, Queries } from '../../platform/database/database.js'
import { createRevocationMap, type RevocationVerdict } from './map.js'
import * as store from './store.js'

/** No token that an entry refuses lives longer: the longest lifetime and two minutes for clocks that disagree. */
const ENTRY_LIFETIME_SECONDS = MAX_ACCESS_TOKEN_SECONDS + 120

/** What can be revoked; when the entry stops mattering is not the caller's business. */
export type Revocation = { kind: 'session'; sid: string } | { kind: 'user'; sub: string; epoch: number }

export type Revoke = (...revocations: Revocation[]) => Promise<void>

export interface Revocations {
  /** Reads all entries that still matter. Nothing may be verified before. */
  load(): Promise<void>
  /**
   * Runs work in a transaction that may revoke. The entries are rows of that transaction, and in force in this process
   * as soon as it is committed, before the caller learns that it is.
   */
  transaction<T>(work: (tx: Queries, revoke: Revoke) => Promise<T>, attempt?: Attempt): Promise<T>
  /** What the map says of genuine claims. */
  judge(claims: AccessTokenClaims): RevocationVerdict
  /** Drops entries that no longer matter, from memory and from the table. */
  purge(): Promise<void>
}

export function createRevocations({ database, clock }: { database: Database; clock: Clock }): Revocations {
  const map = createRevocationMap()

  return {
    async load() {
      map.merge(await database.query((client) => store.findCurrent(client, clock.now())))
    },

    async transaction(work, attempt) {
      const { result, entries } = await database.transaction(async (tx) => {
        const entries: RevocationEntry[] = []
        const result = await work(tx, async (...revocations) => {
          const expiresAt = new Date(clock.now().getTime() + ENTRY_LIFETIME_SECONDS * 1000)
          const written = revocations.map((revocation) => ({ ...revocation, expiresAt }))
          await store.insertEntries(tx, written, clock.shiftMs)
          entries.push(...written)
        })
        return { result, entries }
      }, attempt)
      map.merge(entries)
      return result
    },

    judge: (claims) => map.judge(claims),

    async purge() {
      const now = clock.now()
      map.purge(now)
      await database.query((client) => store.deleteExpired(client, now))
    },
  }
}
