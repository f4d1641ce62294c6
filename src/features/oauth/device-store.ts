import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'
import type { ArtifactKey } from './store.js'

export interface StoredDeviceCode {
  idHash: Uint8Array
  payload: Record<string, unknown>
  consumedAt: Date | null
  isExpired: boolean
}

/** A device code, also one that has expired: its device is told so (RFC 8628, section 3.5). */
export async function findDeviceCode(
  client: Queries,
  { kind, idHash }: ArtifactKey,
  shiftMs: number,
): Promise<StoredDeviceCode | null> {
  const [row] = await client.$queryRaw<StoredDeviceCode[]>`
    SELECT id_hash AS "idHash", payload, consumed_at AS "consumedAt", expires_at <= ${now(shiftMs)} AS "isExpired"
    FROM oauth_artifact WHERE kind = ${kind} AND id_hash = ${idHash}::bytea`
  return row ?? null
}

/** The device code in force that has this user code; null if there is none. */
export async function findByUserCode(
  client: Queries,
  { kind, userCode }: { kind: string; userCode: string },
  shiftMs: number,
): Promise<StoredDeviceCode | null> {
  const [row] = await client.$queryRaw<StoredDeviceCode[]>`
    SELECT id_hash AS "idHash", payload, consumed_at AS "consumedAt", false AS "isExpired"
    FROM oauth_artifact WHERE kind = ${kind} AND user_code = ${userCode} AND expires_at > ${now(shiftMs)}`
  return row ?? null
}

/** Replaces what a device code says, unless a user has decided on it already, or it has expired: false then. */
export async function changeDeviceCode(
  tx: Queries,
  { kind, idHash }: ArtifactKey,
  payload: Record<string, unknown>,
  shiftMs: number,
): Promise<boolean> {
  const changed = await tx.$executeRaw`
    UPDATE oauth_artifact SET payload = ${JSON.stringify(payload)}::jsonb
    WHERE kind = ${kind} AND id_hash = ${idHash}::bytea AND expires_at > ${now(shiftMs)}
      AND NOT payload ?| ARRAY['accountId', 'error']`
  return changed === 1
}

/** Notes that a device has asked; false if it did so less than the interval ago. Of parallel calls, one returns true. */
export async function notePoll(
  client: Queries,
  { kind, idHash }: ArtifactKey,
  { intervalSeconds, shiftMs }: { intervalSeconds: number; shiftMs: number },
): Promise<boolean> {
  const noted = await client.$executeRaw`
    UPDATE oauth_artifact SET polled_at = ${now(shiftMs)}
    WHERE kind = ${kind} AND id_hash = ${idHash}::bytea
      AND (polled_at IS NULL OR polled_at <= ${now(shiftMs)} - ${intervalSeconds}::float8 * interval '1 second')`
  return noted === 1
}
