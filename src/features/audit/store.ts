import type { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import type { Actor } from './actor.js'

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

export interface NewEvent extends Told {
  id: string
  actor: Actor
  detail: Record<string, string | number> | null
}

/** Writes events that all happened at one time. */
export async function insertEvents(client: Queries, events: NewEvent[], at: Date): Promise<void> {
  // A list for each column, so that the statement is the same text, and planned once, however many events there are.
  const each = <T>(column: (event: NewEvent) => T) => events.map(column)
  await client.$executeRaw`
    INSERT INTO audit_event (id, at, event, actor_kind, actor_id, user_id, session_id, ip, user_agent, request_id, detail)
    SELECT id, ${at}::timestamptz, event, actor_kind, actor_id, user_id, session_id, ip, user_agent, request_id,
      detail::jsonb
    FROM unnest(
      ${each(({ id }) => id)}::uuid[], ${each(({ event }) => event)}::text[],
      ${each(({ actor }) => actor.kind)}::text[], ${each(({ actor }) => actor.id)}::text[],
      ${each(({ userId }) => userId)}::uuid[], ${each(({ sessionId }) => sessionId)}::uuid[], ${each(({ ip }) => ip)}::text[],
      ${each(({ userAgent }) => userAgent)}::text[], ${each(({ requestId }) => requestId)}::text[],
      ${each(({ detail }) => detail && JSON.stringify(detail))}::text[]
    ) AS e(id, event, actor_kind, actor_id, user_id, session_id, ip, user_agent, request_id, detail)`
}

/** An event as it was written. */
export interface RecordedEvent extends Told {
  at: Date
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
  // The operator's own words, which may tell of the person.
  await tx.$executeRaw`
    UPDATE audit_event SET detail = detail - 'reason' WHERE user_id = ${userId}::uuid AND event = 'user_banned'`
}
