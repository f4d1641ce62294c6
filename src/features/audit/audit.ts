/**
 * Owns the audit trail: what happened to which user's access, when, by whom, from where. Events are written in the transaction
 * of what they tell, so that neither exists without the other. Successful refreshes and verified requests are not
 * events: the session itself keeps when and from where it was last used. What is refused again and again is one row an
 * hour, with a count. Rows are kept for AUDIT_RETENTION.
 */
import type { Prisma } from '../../generated/prisma/client.js'
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import * as store from './store.js'

export { operator, stranger, system, type Actor } from './actor.js'
export type { RecordedEvent } from './store.js'

/**
 * The events of a feature by name, each an action that was done or refused, or an alarm: a sign of an attack. A feature
 * declares its own in `audit-events.ts`.
 */
export type AuditEvents = store.AuditEvents

export interface AuditEvent<Name extends string> extends store.ToldEvent {
  event: Name
}

export interface AuditQuestion {
  /** Null for the events of all users, and those without a user. */
  userId: string | null
  /** Null for all names. */
  events: string[] | null
  /** From when on: a time, or so many milliseconds ago; null for ever. */
  since: Date | { agoMs: number } | null
  limit: number
}

/** How many rows one statement deletes: on the embedded database, nothing else happens meanwhile. */
const PURGE_BATCH = 1000

/** The trail, as a feature writes it that declares these events. */
export interface Audit<Events extends AuditEvents> {
  /**
   * Writes events with the time of the database's clock. Hand in the transaction that makes them true. Of a refusal or an
   * alarm that repeats within the hour, the first is written, and the others are counted on its row.
   */
  record(client: Queries, ...events: AuditEvent<keyof Events & string>[]): Promise<void>
  /** The same as a part of the caller's own statement: see the store. */
  insertionOf(event: AuditEvent<keyof Events & string>, where: { at: Date; from: Prisma.Sql }): Prisma.Sql
  /** The same for each session that the statement ends. */
  insertionForEach(
    event: store.SessionEvent & { event: keyof Events & string },
    where: { at: Date; ended: Prisma.Sql },
  ): Prisma.Sql
  /** The latest events that are asked for, oldest first. */
  find(question: AuditQuestion): Promise<store.RecordedEvent[]>
  /** Takes address, agent and what was written about a user out of all events, which remain: they asked to be forgotten. */
  forgetUser(tx: Queries, userId: string): Promise<void>
  /** Deletes events that are older than AUDIT_RETENTION, in batches. */
  purge(): Promise<void>
}

export interface AuditOptions {
  database: Database
  clock: Clock
  /** What all features declare. */
  events: AuditEvents
  /** AUDIT_RETENTION; null keeps events for ever. */
  retentionSeconds: number | null
  count?: { recorded(result: AuditEvents[string]): void; purged(rows: number): void }
}

const uncounted = { recorded: () => undefined, purged: () => undefined }

export function createAudit(options: AuditOptions): Audit<AuditEvents> {
  const { database, clock, events, retentionSeconds, count = uncounted } = options
  const { write, insertionOf, insertionForEach } = store.createWriter({ events, count: count.recorded })

  return {
    async record(client, ...events) {
      if (events.length > 0) await write(client, events, clock.now())
    },

    insertionOf,
    insertionForEach,

    async find({ since, ...question }) {
      const from = since !== null && 'agoMs' in since ? new Date(clock.now().getTime() - since.agoMs) : since
      const latest = await database.query((client) => store.findEvents(client, { ...question, from }))
      return latest.toReversed()
    },

    forgetUser: store.forgetUser,

    async purge() {
      if (retentionSeconds === null) return
      for (let deleted = PURGE_BATCH; deleted === PURGE_BATCH;) {
        const before = new Date(clock.now().getTime() - retentionSeconds * 1000)
        deleted = await database.query((client) => store.deleteEvents(client, before, PURGE_BATCH), { internal: true })
        count.purged(deleted)
      }
    },
  }
}
