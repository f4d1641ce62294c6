import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'
import { webauthnIdColumn } from '../accounts/accounts.js'
import type { Challenge } from './challenge.js'

type Row = Prisma.PasskeyGetPayload<object>

/** A passkey of a user. */
export type Passkey = Omit<Row, 'counter'> & { counter: number }

/** A passkey, and the id that it knows its user by. */
export type OwnedPasskey = Passkey & { webauthnId: Uint8Array | null }

const columns = Prisma.sql`
  p.id, p.user_id AS "userId", p.credential_id AS "credentialId", p.public_key AS "publicKey", p.counter, p.transports,
  p.aaguid, p.backup_eligible AS "backupEligible", p.backed_up AS "backedUp", p.user_verifying AS "userVerifying",
  p.rp_id AS "rpId", p.name, p.created_at AS "createdAt", p.last_used_at AS "lastUsedAt"`

export async function findByCredentialId(client: Queries, credentialId: Uint8Array): Promise<OwnedPasskey | null> {
  const [row] = await client.$queryRaw<(Row & { webauthnId: Uint8Array | null })[]>`
    SELECT ${columns}, ${webauthnIdColumn} FROM passkey AS p JOIN "user" AS u ON u.id = p.user_id
    WHERE p.credential_id = ${credentialId}::bytea`
  return row === undefined ? null : { ...toPasskey(row), webauthnId: row.webauthnId }
}

/** The oldest first. */
export async function findOf(client: Queries, userId: string): Promise<Passkey[]> {
  const rows = await client.passkey.findMany({ where: { userId }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })
  return rows.map(toPasskey)
}

/** Throws a unique violation for a credential that is registered for this user or another (MFA-11). */
export async function insertPasskey(tx: Queries, passkey: Passkey): Promise<void> {
  await tx.passkey.create({ data: { ...passkey, counter: BigInt(passkey.counter) } })
}

/** Notes that a challenge was answered; false if it was before. */
export async function spendChallenge(tx: Queries, { id, expiresAt }: Challenge): Promise<boolean> {
  const spent = await tx.$executeRaw`
    INSERT INTO spent_challenge (id, expires_at) VALUES (${id}::bytea, ${expiresAt}::timestamptz) ON CONFLICT DO NOTHING`
  return spent === 1
}

/**
 * Notes the use of a passkey; false if it was removed, or if another use came first whose counter is as high: then one of
 * the two is a copy.
 */
export async function recordUse(
  tx: Queries,
  id: string,
  { counter, backedUp }: { counter: number; backedUp: boolean },
  shiftMs: number,
): Promise<boolean> {
  const used = await tx.$executeRaw`
    UPDATE passkey SET counter = ${counter}::bigint, backed_up = ${backedUp}::boolean, last_used_at = ${now(shiftMs)}
    WHERE id = ${id}::uuid
      AND (backup_eligible OR counter < ${counter}::bigint OR (counter = 0 AND ${counter}::bigint = 0))`
  return used === 1
}

/** Null where the user has no such passkey. */
export async function renamePasskey(
  client: Queries,
  { userId, id }: { userId: string; id: string },
  name: string,
): Promise<Passkey | null> {
  const [row] = await client.passkey.updateManyAndReturn({ where: { id, userId }, data: { name } })
  return row === undefined ? null : toPasskey(row)
}

export async function deletePasskey(tx: Queries, { userId, id }: { userId: string; id: string }): Promise<boolean> {
  const { count } = await tx.passkey.deleteMany({ where: { id, userId } })
  return count === 1
}

export async function deleteAllOf(tx: Queries, userId: string): Promise<void> {
  await tx.passkey.deleteMany({ where: { userId } })
}

/** How many passkeys were made for another domain, for which no browser offers them any more. */
export async function countOrphaned(client: Queries, rpId: string): Promise<number> {
  return client.passkey.count({ where: { rpId: { not: rpId } } })
}

/** Deletes a batch of challenges that have expired, and returns their number. */
export async function deleteExpired(client: Queries, batchSize: number, shiftMs: number): Promise<number> {
  return client.$executeRaw`
    DELETE FROM spent_challenge WHERE id IN (
      SELECT id FROM spent_challenge WHERE expires_at < ${now(shiftMs)} LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}

function toPasskey(row: Row): Passkey {
  return { ...row, counter: Number(row.counter) }
}
