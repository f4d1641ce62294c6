import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'

/** How long a factor may wait for its first code. */
export const PENDING_SECONDS = 10 * 60

/** An authenticator app as it is stored. */
export interface StoredTotp {
  id: string
  userId: string
  name: string
  sealedSecret: Uint8Array
  secretId: number
  lastStep: number
  createdAt: Date
  lastUsedAt: Date | null
}

export interface NewTotp {
  id: string
  userId: string
  name: string
  sealedSecret: Uint8Array
  secretId: number
  /** The sign-in in which it is enrolled; null where the user is signed in. */
  flowId: string | null
}

/** The factor that is being enrolled: that of a sign-in, or one of a user who is signed in. */
export type PendingTotp = { flowId: string } | { id: string; userId: string }

const columns = Prisma.sql`
  id, user_id AS "userId", name, sealed_secret AS "sealedSecret", secret_id AS "secretId", last_step::float8 AS "lastStep",
  created_at AS "createdAt", last_used_at AS "lastUsedAt"`

const isWaiting = (shiftMs: number) => Prisma.sql`
  confirmed_at IS NULL AND created_at > ${now(shiftMs)} - ${PENDING_SECONDS}::float8 * interval '1 second'`

const isMeant = (which: PendingTotp) =>
  'flowId' in which
    ? Prisma.sql`flow_id = ${which.flowId}::uuid`
    : Prisma.sql`id = ${which.id}::uuid AND user_id = ${which.userId}::uuid AND flow_id IS NULL`

/** Adds a factor that counts once a first code has confirmed it, in the place of one that still waits for that. */
export async function addPendingTotp(client: Queries, totp: NewTotp, shiftMs: number): Promise<Date> {
  const { id, userId, name, sealedSecret, secretId, flowId } = totp
  const [row] = await client.$queryRaw<{ createdAt: Date }[]>`
    WITH replaced AS (
      DELETE FROM totp_factor
      WHERE user_id = ${userId}::uuid AND confirmed_at IS NULL AND flow_id IS NOT DISTINCT FROM ${flowId}::uuid
    )
    INSERT INTO totp_factor (id, user_id, name, sealed_secret, secret_id, flow_id, created_at)
    VALUES (${id}::uuid, ${userId}::uuid, ${name}, ${sealedSecret}::bytea, ${secretId}::smallint, ${flowId}::uuid,
      ${now(shiftMs)})
    RETURNING created_at AS "createdAt"`
  if (row === undefined) throw new Error('A factor was not added.')
  return row.createdAt
}

export async function findPendingTotp(
  client: Queries,
  which: PendingTotp,
  shiftMs: number,
): Promise<StoredTotp | null> {
  const [row] = await client.$queryRaw<StoredTotp[]>`
    SELECT ${columns} FROM totp_factor WHERE ${isMeant(which)} AND ${isWaiting(shiftMs)}`
  return row ?? null
}

/** Makes a pending factor count; false if it does not wait any more. The step of its first code is used. */
export async function confirmTotp(
  tx: Queries,
  { id, step }: { id: string; step: number },
  shiftMs: number,
): Promise<boolean> {
  const confirmed = await tx.$executeRaw`
    UPDATE totp_factor SET confirmed_at = ${now(shiftMs)}, last_used_at = ${now(shiftMs)}, last_step = ${step}::float8,
      flow_id = NULL
    WHERE id = ${id}::uuid AND ${isWaiting(shiftMs)}`
  return confirmed === 1
}

/** The factors that count, the oldest first. */
export async function findTotps(client: Queries, userId: string): Promise<StoredTotp[]> {
  return client.$queryRaw<StoredTotp[]>`
    SELECT ${columns} FROM totp_factor WHERE user_id = ${userId}::uuid AND confirmed_at IS NOT NULL ORDER BY id`
}

/** Uses the code of a time step; false if that code, or a later one, was used already (MFA-01). */
export async function useStep(
  tx: Queries,
  { id, step }: { id: string; step: number },
  shiftMs: number,
): Promise<boolean> {
  const used = await tx.$executeRaw`
    UPDATE totp_factor SET last_step = ${step}::float8, last_used_at = ${now(shiftMs)}
    WHERE id = ${id}::uuid AND confirmed_at IS NOT NULL AND last_step < ${step}::float8`
  return used === 1
}

export async function renameTotp(
  client: Queries,
  { id, userId }: { id: string; userId: string },
  name: string,
): Promise<StoredTotp | null> {
  const [row] = await client.$queryRaw<StoredTotp[]>`
    UPDATE totp_factor SET name = ${name}
    WHERE id = ${id}::uuid AND user_id = ${userId}::uuid AND confirmed_at IS NOT NULL RETURNING ${columns}`
  return row ?? null
}

/** Deletes a factor that counts, and returns it. */
export async function deleteTotp(
  tx: Queries,
  { id, userId }: { id: string; userId: string },
): Promise<StoredTotp | null> {
  const [row] = await tx.$queryRaw<StoredTotp[]>`
    DELETE FROM totp_factor
    WHERE id = ${id}::uuid AND user_id = ${userId}::uuid AND confirmed_at IS NOT NULL RETURNING ${columns}`
  return row ?? null
}

export async function deleteFactorsOf(tx: Queries, userId: string): Promise<void> {
  await tx.totpFactor.deleteMany({ where: { userId } })
  await tx.recoveryCode.deleteMany({ where: { userId } })
}

/** Deletes the factors that were never confirmed. */
export async function deleteAbandoned(client: Queries, shiftMs: number): Promise<void> {
  await client.$executeRaw`DELETE FROM totp_factor WHERE confirmed_at IS NULL AND NOT (${isWaiting(shiftMs)})`
}

/** All factors, locked until the transaction ends. */
export async function findTotpsForUpdate(tx: Queries): Promise<StoredTotp[]> {
  return tx.$queryRaw<StoredTotp[]>`SELECT ${columns} FROM totp_factor ORDER BY id FOR UPDATE`
}

export async function resealTotp(
  tx: Queries,
  id: string,
  { sealed, secretId }: { sealed: Uint8Array; secretId: number },
): Promise<void> {
  await tx.totpFactor.update({ where: { id }, data: { sealedSecret: new Uint8Array(sealed), secretId } })
}

/** Gives a user other recovery codes; none for an empty list. */
export async function replaceRecoveryCodes(
  tx: Queries,
  { userId, hashes, createdAt }: { userId: string; hashes: readonly Uint8Array[]; createdAt: Date },
): Promise<void> {
  await tx.recoveryCode.deleteMany({ where: { userId } })
  await tx.recoveryCode.createMany({ data: hashes.map((hash) => ({ hash: new Uint8Array(hash), userId, createdAt })) })
}

export async function hasRecoveryCode(client: Queries, userId: string, hash: Uint8Array): Promise<boolean> {
  const [row] = await client.$queryRaw<object[]>`
    SELECT 1 FROM recovery_code WHERE hash = ${hash}::bytea AND user_id = ${userId}::uuid`
  return row !== undefined
}

/** Uses a recovery code; false if it was used already. */
export async function useRecoveryCode(tx: Queries, userId: string, hash: Uint8Array): Promise<boolean> {
  const used = await tx.$executeRaw`
    DELETE FROM recovery_code WHERE hash = ${hash}::bytea AND user_id = ${userId}::uuid`
  return used === 1
}

export async function countRecoveryCodes(client: Queries, userId: string): Promise<number> {
  return client.recoveryCode.count({ where: { userId } })
}
