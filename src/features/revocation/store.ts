import { Prisma } from '../../generated/prisma/client.js'
import type { RevocationEntry } from '../../wire/revocation.js'
import type { Queries } from '../../platform/database/database.js'
import { newId } from '../../platform/database/ids.js'
import { now } from '../../platform/database/times.js'
import { uuidv7 } from '../../platform/uuid.js'

/** The channel on which instances notify each other. */
export const CHANNEL = 'sallyport_revocation'

interface Row {
  kind: RevocationEntry['kind']
  subject: string
  epoch: bigint | null
  expires_at: Date
}

/** All live entries. */
export async function findCurrent(client: Queries, shiftMs: number): Promise<RevocationEntry[]> {
  return findWhere(client, Prisma.sql`expires_at > ${now(shiftMs)}`)
}

/** The entries written in the last seconds, by the database's clock. */
export async function findWrittenWithin(client: Queries, seconds: number, shiftMs: number): Promise<RevocationEntry[]> {
  return findWhere(client, Prisma.sql`created_at > ${now(shiftMs - seconds * 1000)}`)
}

async function findWhere(client: Queries, condition: Prisma.Sql): Promise<RevocationEntry[]> {
  const rows = await client.$queryRaw<Row[]>`
    SELECT kind::text AS kind, subject, epoch, expires_at FROM revocation WHERE ${condition}
    UNION ALL SELECT 'client', client_id, epoch, expires_at FROM client_revocation WHERE ${condition}`
  return rows.map(toEntry)
}

export async function insertEntries(tx: Queries, entries: RevocationEntry[], shiftMs: number): Promise<void> {
  const times = ({ expiresAt }: RevocationEntry) => Prisma.sql`${now(shiftMs)}, to_timestamp(${expiresAt}::float8)`
  const rows: Prisma.Sql[] = []
  const ofClients: Prisma.Sql[] = []
  for (const entry of entries) {
    if (entry.kind === 'client') {
      ofClients.push(Prisma.sql`(${uuidv7()}::uuid, ${entry.clientId}, ${entry.epoch}::bigint, ${times(entry)})`)
    } else {
      const epoch = entry.kind === 'user' ? entry.epoch : null
      rows.push(Prisma.sql`
        (${uuidv7()}::uuid, ${entry.kind}::revocation_kind, ${subjectOf(entry)}, ${epoch}::bigint, ${times(entry)})`)
    }
  }
  if (rows.length > 0) {
    await tx.$executeRaw`
      INSERT INTO revocation (id, kind, subject, epoch, created_at, expires_at) VALUES ${Prisma.join(rows)}`
  }
  if (ofClients.length > 0) {
    await tx.$executeRaw`
      INSERT INTO client_revocation (id, client_id, epoch, created_at, expires_at) VALUES ${Prisma.join(ofClients)}`
  }
}

/**
 * Revokes the sessions that `ended`, another part of the same statement, has as rows with their `id`.
 */
export function sessionsRevoked(ended: Prisma.Sql, expiresAt: number, shiftMs: number): Prisma.Sql {
  return Prisma.sql`sessions_revoked AS (
    INSERT INTO revocation (id, kind, subject, created_at, expires_at)
    SELECT ${newId}, 'session', id::text, ${now(shiftMs)}, to_timestamp(${expiresAt}::float8) FROM ${ended}
  )`
}

/** Deletes a batch of expired entries from each table; returns how many the larger one was. */
export async function deleteExpired(client: Queries, batchSize: number, shiftMs: number): Promise<number> {
  const ofClients = await client.$executeRaw`
    DELETE FROM client_revocation WHERE id IN (
      SELECT id FROM client_revocation WHERE expires_at <= ${now(shiftMs)}
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
  const others = await client.$executeRaw`
    DELETE FROM revocation WHERE id IN (
      SELECT id FROM revocation WHERE expires_at <= ${now(shiftMs)} LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
  return Math.max(ofClients, others)
}

function subjectOf(entry: Exclude<RevocationEntry, { kind: 'client' }>): string {
  switch (entry.kind) {
    case 'session':
      return entry.sid
    case 'user':
      return entry.sub
    case 'key':
      return entry.kid
  }
}

function toEntry({ kind, subject, epoch, expires_at }: Row): RevocationEntry {
  const expiresAt = Math.ceil(expires_at.getTime() / 1000)
  switch (kind) {
    case 'session':
      return { kind, sid: subject, expiresAt }
    case 'user':
      return { kind, sub: subject, epoch: Number(epoch), expiresAt }
    case 'key':
      return { kind, kid: subject, expiresAt }
    case 'client':
      return { kind, clientId: subject, epoch: Number(epoch), expiresAt }
  }
}
