import type { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'

export async function insertEvents(client: Queries, events: Prisma.AuditEventCreateManyInput[]): Promise<void> {
  await client.auditEvent.createMany({ data: events })
}

/** An event as it was written. The name is text: a later version may have written ones that this one does not know. */
export interface RecordedEvent {
  at: Date
  event: string
  userId: string | null
  sessionId: string | null
  ip: string | null
  userAgent: string | null
  requestId: string | null
  detail: Prisma.JsonValue
}

interface Wanted {
  userId: string | null
  events: readonly string[] | null
  from: Date | null
  limit: number
}

/** The latest first. */
export function findEvents(client: Queries, { userId, events, from, limit }: Wanted): Promise<RecordedEvent[]> {
  return client.auditEvent.findMany({
    where: {
      ...(userId !== null && { userId }),
      ...(events !== null && { event: { in: [...events] } }),
      ...(from !== null && { at: { gte: from } }),
    },
    orderBy: [{ at: 'desc' }, { id: 'desc' }],
    take: limit,
    omit: { id: true },
  })
}

export async function forgetUser(tx: Queries, userId: string): Promise<void> {
  await tx.auditEvent.updateMany({ where: { userId }, data: { ip: null, userAgent: null } })
  // The operator's own words, which may tell of the person.
  await tx.$executeRaw`
    UPDATE audit_event SET detail = detail - 'reason' WHERE user_id = ${userId}::uuid AND event = 'user_banned'`
}
