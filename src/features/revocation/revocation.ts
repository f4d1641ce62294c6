/**
 * Owns the revocations: the rows that outlive a restart, and the map in memory against which every verified request is
 * checked without a query. The causes of revocations belong to other features: they write their change and the entry in
 * one transaction, through `transaction`. Other verifiers get the same entries from the feed.
 */
import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { Prisma } from '../../generated/prisma/client.js'
import { MAX_ACCESS_TOKEN_SECONDS, type AccessTokenClaims } from '../../wire/claims.js'
import type { RevocationEntry } from '../../wire/revocation.js'
import { createRevocationMap, type RevocationVerdict } from '../../wire/revocation-map.js'
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries, QueryOptions } from '../../platform/database/database.js'
import { follow } from '../../platform/database/following.js'
import { Problem } from '../../platform/problem.js'
import type { SigningKeys, Withdrawal } from '../tokens/tokens.js'
import { createFeed, type Feed } from './feed.js'
import * as store from './store.js'

export type { Feed } from './feed.js'

/** The longest lifetime of a token that an entry refuses, plus two minutes of clock skew. */
const ENTRY_LIFETIME_SECONDS = MAX_ACCESS_TOKEN_SECONDS + 120

/** How far back a glance at a signal reads: longer than most transactions and the way of the signal take. */
const GLANCE_SECONDS = 2

/** How far back a poll reads: longer than any transaction that writes an entry may take to commit. */
const OVERLAP_SECONDS = 30

const PURGE_BATCH = 10_000

/** How long the map is relied on after it was last confirmed, in milliseconds. */
export const MAX_STALENESS_MS = 5_000

/** A revocation without its expiry, which is set here. */
export type Revocation =
  | { kind: 'session'; sid: string }
  | { kind: 'user'; sub: string; epoch: number }
  | { kind: 'key'; kid: string }
  | { kind: 'client'; clientId: string; epoch: number }

export interface Revoke extends RevokingStatement {
  /** Writes entries. */
  (...revocations: Revocation[]): Promise<void>
}

/** For a statement that ends sessions, and revokes them by a part of its own. */
export interface RevokingStatement {
  /** That part: writes an entry for each row of `ended`, another part, by its `id`. */
  within(ended: Prisma.Sql): Prisma.Sql
  /** Is told which sessions the statement has ended. */
  ended(sids: readonly string[]): void
}

export interface RevocationsOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  /** Reloads the signing keys; an entry that withdraws a key takes effect only afterwards. */
  keys: Pick<SigningKeys, 'reload' | 'withdraw'>
  /** REVOCATION_ON_STALE: what to do when the map was not confirmed for MAX_STALENESS_MS. */
  onStale: 'allow' | 'deny'
  /** Counts the revocations of this process. */
  count: (kind: Revocation['kind']) => void
}

export interface Revocations {
  /** Reads all live entries. Must complete before any token is verified. */
  load(): Promise<void>
  /** Reads recent entries, or all of them after a pause. */
  poll(): Promise<void>
  /** Reads what was written just now, which confirms nothing: a poll follows. */
  glance(): Promise<void>
  /** Keeps the map current from now on; returns a function that stops this and waits for reads in progress. */
  follow(): () => Promise<void>
  /**
   * Runs work in a transaction that may revoke. The entries are rows of that transaction, and take effect in this
   * process as soon as it is committed, before the caller learns of it; the other instances are notified.
   */
  transaction<T>(work: (tx: Queries, revoke: Revoke) => Promise<T>, options?: QueryOptions): Promise<T>
  /** The same for work that is one statement, and so needs no transaction around it. */
  statement<T>(work: (client: Queries, revoking: RevokingStatement) => Promise<T>, options?: QueryOptions): Promise<T>
  /**
   * Withdraws signing keys: their tokens are refused everywhere within a second, and no user is logged out, because
   * refresh tokens do not depend on them. Returns the keys' ids; throws `not_found` if there is none to withdraw.
   */
  withdrawKeys(which: Withdrawal): Promise<string[]>
  /** Throws `session_ended` or `token_stale` for claims that were revoked. */
  requireValid(claims: AccessTokenClaims): void
  /** For callers that rely on the map alone. Throws `revocation_stale` if it may be out of date and `deny` is set. */
  requireCurrent(): void
  /** Checks verified claims against the revocation map. */
  judge(claims: AccessTokenClaims): RevocationVerdict
  /** Milliseconds since the map was last confirmed by the database. */
  ageMs(): number
  isStale(): boolean
  /** The number of entries in memory. */
  readonly entryCount: number
  /** The entries for other verifiers. */
  readonly feed: Feed
  /** Deletes expired entries from memory and from the table. */
  purge(): Promise<void>
}

export function createRevocations({ database, clock, log, keys, onStale, count }: RevocationsOptions): Revocations {
  const map = createRevocationMap()
  const feed = createFeed(map)
  const line = { channel: store.CHANNEL, sender: randomUUID() }
  let confirmedAtMs = -Infinity
  let passedUnconfirmed = 0

  async function take(entries: RevocationEntry[]): Promise<void> {
    const isNewKey = (entry: RevocationEntry) => entry.kind === 'key' && !map.isWithdrawn(entry.kid)
    // Entries of sessions and users do not wait for the keys, which this process may be unable to read.
    feed.take(entries.filter((entry) => !isNewKey(entry)))
    const withdrawals = entries.filter(isNewKey)
    if (withdrawals.length === 0) return
    // Before the entry is visible: the key signs nothing any more.
    await keys.reload()
    feed.take(withdrawals)
  }

  async function confirm(read: (client: Queries) => Promise<RevocationEntry[]>): Promise<void> {
    const askedAtMs = clock.elapsedMs()
    await take(await database.query(read, { internal: true }))
    confirmedAtMs = askedAtMs
    if (passedUnconfirmed === 0) return
    log.warn(
      { requests: passedUnconfirmed },
      `revocation data is current again; ${passedUnconfirmed} requests were accepted while it was stale`,
    )
    passedUnconfirmed = 0
  }

  const expiryOfEntries = () => Math.ceil(clock.now().getTime() / 1000) + ENTRY_LIFETIME_SECONDS

  function revokingStatement(entries: RevocationEntry[]): RevokingStatement {
    const expiresAt = expiryOfEntries()
    return {
      within: (ended) => store.sessionsRevoked(ended, expiresAt, clock.shiftMs),
      ended: (sids) => void entries.push(...sids.map((sid) => ({ kind: 'session' as const, sid, expiresAt }))),
    }
  }

  /** What is committed is in force here at once, and elsewhere as soon as the others have read it. */
  async function putInForce(entries: RevocationEntry[]): Promise<void> {
    if (entries.length === 0) return
    for (const { kind } of entries) count(kind)
    database.signals?.send(line)
    // Entries that cannot be applied now are applied by the next poll.
    await take(entries).catch((error: unknown) => log.error({ err: error }, 'revocation not applied yet'))
  }

  const revocations: Revocations = {
    feed,
    load: () => confirm((client) => store.findCurrent(client, clock.shiftMs)),

    async poll() {
      // After a pause of the process or the machine, entries may be older than the overlap.
      if (revocations.isStale()) return revocations.load()
      await confirm((client) => store.findWrittenWithin(client, OVERLAP_SECONDS, clock.shiftMs))
    },

    async glance() {
      await take(await database.query((client) => store.findWrittenWithin(client, GLANCE_SECONDS, clock.shiftMs)))
    },

    // Transactions do not commit in the order in which they wrote their rows, so a poll reads further back than any of
    // them takes.
    follow: () =>
      follow({
        source: revocations,
        name: 'revocations',
        waking: database.signals && { signals: database.signals, line },
        log,
      }),

    async transaction(work, options) {
      const { result, entries } = await database.transaction(async (tx) => {
        const entries: RevocationEntry[] = []
        const revoke = async (...revocations: Revocation[]) => {
          const expiresAt = expiryOfEntries()
          const written = revocations.map((revocation) => ({ ...revocation, expiresAt }))
          await store.insertEntries(tx, written, clock.shiftMs)
          entries.push(...written)
        }
        return { result: await work(tx, Object.assign(revoke, revokingStatement(entries))), entries }
      }, options)
      await putInForce(entries)
      return result
    },

    async statement(work, options) {
      const { result, entries } = await database.query(async (client) => {
        const entries: RevocationEntry[] = []
        return { result: await work(client, revokingStatement(entries)), entries }
      }, options)
      await putInForce(entries)
      return result
    },

    async withdrawKeys(which) {
      const kids = await keys.withdraw(which, (change) =>
        revocations.transaction(async (tx, revoke) => {
          const kids = await change(tx)
          await revoke(...kids.map((kid) => ({ kind: 'key' as const, kid })))
          return kids
        }),
      )
      if (kids.length === 0)
        throw new Problem('not_found', { detail: 'No signing key with this id exists, or it is already revoked.' })
      return kids
    },

    requireValid(claims) {
      const verdict = map.judge(claims)
      if (verdict !== 'valid') throw new Problem(verdict)
    },

    requireCurrent() {
      if (!revocations.isStale()) return
      if (onStale === 'deny') throw new Problem('revocation_stale', { retryAfterSeconds: 1 })
      if (passedUnconfirmed === 0) log.warn('revocation data is stale: requests are accepted without a current check')
      passedUnconfirmed += 1
    },

    judge: (claims) => map.judge(claims),
    ageMs: () => Math.max(0, clock.elapsedMs() - confirmedAtMs),
    isStale: () => revocations.ageMs() > MAX_STALENESS_MS,
    get entryCount() {
      return map.size
    },

    async purge() {
      map.purge(clock.now())
      const deleteBatch = () =>
        database.query((client) => store.deleteExpired(client, PURGE_BATCH, clock.shiftMs), { internal: true })
      while ((await deleteBatch()) === PURGE_BATCH);
    },
  }
  return revocations
}
