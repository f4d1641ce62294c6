import type { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'

export async function insertEvents(client: Queries, events: Prisma.AuditEventCreateManyInput[]): Promise<void> {
  await client.auditEvent.createMany({ data: events })
}

export async function forgetUser(tx: Queries, userId: string): Promise<void> {
  await tx.auditEvent.updateMany({ where: { userId }, data: { ip: null, userAgent: null } })
  // The operator's own words, which may tell of the person.
  await tx.$executeRaw`
    UPDATE audit_event SET detail = detail - 'reason' WHERE user_id = ${userId}::uuid AND event = 'user_banned'`
}
