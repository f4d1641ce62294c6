import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { newId } from '../../platform/database/ids.js'
import { uuidv7 } from '../../platform/uuid.js'
import type { Actor } from './actor.js'
import { countRepeats, idOfHour } from './repeats.js'

/** What happened to whose access, and who asked for it from where. */
interface Told {
  /** Text: a later version may have written names that this one does not know. */
  event: string
  userId: string | null
  sessionId: string | null
  ip: string | null
  userAgent: string | null
  requestId: string | null
}

/** An event as a feature tells it. */
export interface ToldEvent {
  event: string
  actor: Actor
  caller: Caller
  /** Whom it is about. */
  userId?: string | null
  sessionId?: string | null
  detail?: Record<string, string | number>
}

interface NewEvent extends ToldEvent {
  /** Events of one id have one row. */
  id: string
  times: number
}

export type AuditEvents = Readonly<Record<string, 'done' | 'refused' | 'alarm'>>

interface WriterOptions {
  /** What all features declare. */
  events: AuditEvents
  count: (result: AuditEvents[string]) => void
}

/** Writes events, each with its own id; a refusal or an alarm has that of the first of its kind in the hour. */
export function createWriter({ events: declared, count }: WriterOptions) {
  function identify(event: ToldEvent, at: Date): NewEvent {
    const result = declared[event.event] ?? 'done'
    count(result)
    return { ...event, times: 1, id: result === 'done' ? uuidv7() : idOfHour(event, at) }
  }

  return {
    /** Writes events that all happened at one time, or counts them on the row that they have already. */
    async write(client: Queries, told: readonly ToldEvent[], at: Date): Promise<void> {
      const rows = countRepeats(told.map((event) => identify(event, at))).map(rowOf)
      // A list for each column, so that the statement is the same text, and planned once, however many events there are.
      const each = <T>(column: (row: ReturnType<typeof rowOf>) => T) => rows.map(column)
      await client.$executeRaw`
        INSERT INTO audit_event AS written (${columns}, times)
        SELECT id, ${at}::timestamptz, event, actor_kind, actor_id, user_id, session_id, ip, user_agent, request_id,
          detail::jsonb, times
        FROM unnest(
          ${each(({ id }) => id)}::uuid[], ${each(({ event }) => event)}::text[],
          ${each(({ actorKind }) => actorKind)}::text[], ${each(({ actorId }) => actorId)}::text[],
          ${each(({ userId }) => userId)}::uuid[], ${each(({ sessionId }) => sessionId)}::uuid[],
          ${each(({ ip }) => ip)}::text[], ${each(({ userAgent }) => userAgent)}::text[],
          ${each(({ requestId }) => requestId)}::text[], ${each(({ detail }) => detail)}::text[],
          ${each(({ times }) => times)}::int[]
        ) AS e(id, event, actor_kind, actor_id, user_id, session_id, ip, user_agent, request_id, detail, times)
        ORDER BY id ${countOnRow}`
    },

    /**
     * Writes an event as a part of another feature's statement, which so needs no second one. It does nothing where
     * `from`, another part of that statement, has no row.
     */
    insertionOf(event: ToldEvent, { at, from }: { at: Date; from: Prisma.Sql }): Prisma.Sql {
      const row = rowOf(identify(event, at))
      return Prisma.sql`event_recorded AS (
        INSERT INTO audit_event AS written (${columns})
        SELECT ${row.id}::uuid, ${at}::timestamptz, ${row.event}, ${row.actorKind}, ${row.actorId}, ${row.userId}::uuid,
          ${row.sessionId}::uuid, ${row.ip}, ${row.userAgent}, ${row.requestId}, ${row.detail}::jsonb
        WHERE EXISTS (SELECT FROM ${from}) ${countOnRow}
      )`
    },

    /** The same event for each session that has ended: each row of `ended` has its `id` and its `user_id`. */
    insertionForEach(event: SessionEvent, { at, ended }: { at: Date; ended: Prisma.Sql }): Prisma.Sql {
      const { actor, caller } = event
      const [kind, id] = actor === 'subject' ? ['user', null] : [actor.kind, actor.id]
      return Prisma.sql`events_recorded AS (
        INSERT INTO audit_event (${columns})
        SELECT ${newId}, ${at}::timestamptz, ${event.event}, ${kind},
          ${actor === 'subject' ? Prisma.sql`user_id::text` : Prisma.sql`${id}::text`}, user_id, id, ${caller.ip},
          ${caller.userAgent}, ${caller.requestId}, ${event.detail ? JSON.stringify(event.detail) : null}::jsonb
        FROM ${ended}
      )`
    },
  }
}

/** An event of one of several sessions; its actor may be the user whose session it is. */
export interface SessionEvent extends Omit<ToldEvent, 'actor' | 'userId' | 'sessionId'> {
  actor: Actor | 'subject'
}

/** A repetition is counted on the row of the first. */
const countOnRow = Prisma.sql`
  ON CONFLICT (id) DO UPDATE SET
    times = written.times + excluded.times, last_at = greatest(written.last_at, excluded.at)`

const columns = Prisma.sql`
  id, at, event, actor_kind, actor_id, user_id, session_id, ip, user_agent, request_id, detail`

function rowOf({ id, times, event, actor, caller, userId = null, sessionId = null, detail }: NewEvent) {
  const { ip, userAgent, requestId } = caller
  return {
    id,
    times,
    event,
    actorKind: actor.kind,
    actorId: actor.id,
    userId,
    sessionId,
    ip,
    userAgent,
    requestId,
    detail: detail ? JSON.stringify(detail) : null,
  }
}

/** An event as it was written. */
export interface RecordedEvent extends Told {
  at: Date
  /** How often it happened within the hour, and when last; what else is told is told of the first. */
  times: number
  lastAt: Date | null
  /** Null in rows of earlier versions. The kind is text: a later version may know others. */
  actor: { kind: string; id: string | null } | null
  detail: Prisma.JsonValue
}

interface Wanted {
  userId: string | null
  events: readonly string[] | null
  from: Date | null
  limit: number
}

/** The latest first. */
export async function findEvents(client: Queries, { userId, events, from, limit }: Wanted): Promise<RecordedEvent[]> {
  const rows = await client.auditEvent.findMany({
    where: {
      ...(userId !== null && { userId }),
      ...(events !== null && { event: { in: [...events] } }),
      ...(from !== null && { at: { gte: from } }),
    },
    orderBy: [{ at: 'desc' }, { id: 'desc' }],
    take: limit,
    omit: { id: true },
  })
  return rows.map(({ actorKind, actorId, ...told }) => ({
    ...told,
    actor: actorKind === null ? null : { kind: actorKind, id: actorId },
  }))
}

export async function forgetUser(tx: Queries, userId: string): Promise<void> {
  await tx.auditEvent.updateMany({ where: { userId }, data: { ip: null, userAgent: null } })
  // The id of a refusal is a hash that an address went into, and there are few enough addresses to try them all.
  await tx.$executeRaw`
    UPDATE audit_event SET id = gen_random_uuid() WHERE user_id = ${userId}::uuid AND substr(id::text, 15, 1) = '8'`
  // The operator's own words, which may tell of the person.
  await tx.$executeRaw`
    UPDATE audit_event SET detail = detail - 'reason' WHERE user_id = ${userId}::uuid AND event = 'user_banned'`
}

/** Deletes the oldest events of before a time, a batch at a time; answers how many. */
export async function deleteEvents(client: Queries, before: Date, batchSize: number): Promise<number> {
  return client.$executeRaw`
    DELETE FROM audit_event WHERE id IN (
      SELECT id FROM audit_event WHERE at < ${before}::timestamptz ORDER BY at
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}
