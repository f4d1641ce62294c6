import { Prisma } from '../../generated/prisma/client.js'
import type { RevocationEntry } from '../../wire/revocation.js'
import type { Queries } from '../../platform/database/database.js'
import { uuidv7 } from '../../platform/uuid.js'

export async function findCurrent(client: Queries, now: Date): Promise<RevocationEntry[]> {
  const rows = await client.revocation.findMany({
    where: { expiresAt: { gt: now }, kind: { in: ['session', 'user'] } },
  })
  return rows.map(({ kind, subject, epoch, expiresAt }) =>
    kind === 'session'
      ? { kind, sid: subject, expiresAt }
      : { kind: 'user', sub: subject, epoch: Number(epoch), expiresAt },
  )
}

/** The time of writing is the database's, because other instances will ask for what was written since. */
export async function insertEntries(tx: Queries, entries: RevocationEntry[], shiftMs: number): Promise<void> {
  if (entries.length === 0) return
  const rows = entries.map(
    (entry) =>
      Prisma.sql`(${uuidv7()}::uuid, ${entry.kind}::revocation_kind, ${entry.kind === 'session' ? entry.sid : entry.sub},
        ${entry.kind === 'user' ? entry.epoch : null}::bigint,
        now() + ${shiftMs}::float8 * interval '1 millisecond', ${entry.expiresAt}::timestamptz)`,
  )
  await tx.$executeRaw`
    INSERT INTO revocation (id, kind, subject, epoch, created_at, expires_at) VALUES ${Prisma.join(rows)}`
}

export async function deleteExpired(client: Queries, now: Date): Promise<void> {
  await client.$executeRaw`
    DELETE FROM revocation WHERE id IN (SELECT id FROM revocation WHERE expires_at <= ${now}::timestamptz LIMIT 10000)`
}
