import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import { tryLockForTransaction } from '../../platform/database/locks.js'
import { now } from '../../platform/database/times.js'
import type { Ending, EndingFamilies, LifeLimits } from './family.js'
import { endsWithParent, housekeepingReasons, lives } from './store.js'

export interface EndedFamilies {
  ids: string[]
  /** Those under which a family was opened that the statement has not seen. */
  missed: string[]
}

/**
 * Ends families that have not ended yet, and with each its children without `offline_access`. A family that is opened under
 * one of them meanwhile has locked its row and counted itself there: the row tells so once it is locked here, though the
 * statement does not see the new one, which was committed after it began.
 */
export async function endFamilies(client: Queries, which: EndingFamilies, ending: Ending): Promise<EndedFamilies> {
  const { reason, by, ip, userAgent, shiftMs } = ending
  const rows = await client.$queryRaw<{ id: string; missed: boolean | null }[]>`
    WITH named AS (
      SELECT f.id, f.children FROM refresh_token_family AS f WHERE ${isAmong(which)} AND f.ended_at IS NULL
    ), due AS (
      SELECT id FROM named UNION SELECT f.id FROM named JOIN refresh_token_family AS f ON f.parent_id = named.id
      WHERE f.ended_at IS NULL AND ${endsWithParent}
    ), held AS (
      SELECT f.id FROM due JOIN refresh_token_family AS f ON f.id = due.id
      WHERE f.ended_at IS NULL ORDER BY f.id FOR UPDATE OF f
    ), ended AS (
      UPDATE refresh_token_family AS f
      SET ended_at = ${now(shiftMs)}, end_reason = ${reason}::end_reason,
        ended_by = ${by === 'subject' ? Prisma.sql`f.user_id` : Prisma.sql`${by}::uuid`}, ended_ip = ${ip},
        ended_user_agent = ${userAgent}
      FROM held WHERE f.id = held.id AND f.ended_at IS NULL
      RETURNING f.id, f.user_id, f.client_id, f.rp_sid, f.parent_id, f.children
    ), ${Prisma.join([...told(ending), ...ending.together(Prisma.sql`ended`)])}
    SELECT ended.id, ended.children <> named.children AS missed FROM ended LEFT JOIN named ON named.id = ended.id`
  return { ids: rows.map(({ id }) => id), missed: rows.filter(({ missed }) => missed).map(({ id }) => id) }
}

/** The clients that lose their session at the user's browser, and the parts of the statement that are told of them. */
function told({ toldWhenEnded, reason, shiftMs }: Ending): Prisma.Sql[] {
  if (toldWhenEnded === undefined) return []
  const signedOut = Prisma.sql`signed_out AS (
    SELECT id, user_id, client_id, rp_sid FROM ended
    WHERE rp_sid IS NOT NULL${housekeepingReasons.some((each) => each === reason) ? Prisma.sql` AND NOT ${goesOn(shiftMs)}` : Prisma.empty}
    UNION ALL
    SELECT f.id, f.user_id, f.client_id, f.rp_sid FROM ended JOIN refresh_token_family AS f ON f.parent_id = ended.id
    WHERE ended.children > 0 AND f.rp_sid IS NOT NULL AND f.ended_at IS NULL AND f.id NOT IN (SELECT id FROM ended)
  )`
  return [signedOut, ...toldWhenEnded(Prisma.sql`signed_out`)]
}

/** Whether the client of an ended family has another one with the same `sid`, which this statement does not end. */
const goesOn = (shiftMs: number) => Prisma.sql`EXISTS (
  SELECT FROM refresh_token_family AS other
  WHERE other.parent_id = ended.parent_id AND other.client_id = ended.client_id AND other.rp_sid = ended.rp_sid
    AND other.ended_at IS NULL AND other.expires_at > ${now(shiftMs)} AND other.id NOT IN (SELECT id FROM ended))`

function isAmong(which: EndingFamilies): Prisma.Sql {
  if ('parentIds' in which) return Prisma.sql`f.parent_id = ANY(${which.parentIds}::uuid[]) AND ${endsWithParent}`
  if ('grantId' in which) return Prisma.sql`f.grant_id = ${which.grantId}`
  if ('identityId' in which) {
    const { userId, identityId } = which
    return Prisma.sql`f.user_id = ${userId}::uuid AND (f.identity_id = ${identityId}::uuid OR f.parent_id IN (
      SELECT p.id FROM refresh_token_family AS p
      WHERE p.user_id = ${userId}::uuid AND p.identity_id = ${identityId}::uuid))`
  }
  if ('exceptId' in which) {
    const { userId, exceptId, sparesChildren = false } = which
    return Prisma.sql`f.user_id = ${userId}::uuid AND (${exceptId}::uuid IS NULL OR (
      f.id <> ${exceptId}::uuid
      AND NOT (${sparesChildren} AND f.parent_id IS NOT DISTINCT FROM ${exceptId}::uuid AND ${endsWithParent})))`
  }
  if ('userId' in which)
    return Prisma.sql`f.user_id = ${which.userId}::uuid AND f.client_id = ${which.clientId} AND f.mode = 'client'`
  const { handleHashes = [], ids = [], clientId = null } = which
  const handles = handleHashes.map((hash) => Buffer.from(hash).toString('hex'))
  return Prisma.sql`(
    f.handle_hash = ANY(ARRAY(SELECT decode(h, 'hex') FROM unnest(${handles}::text[]) AS h)) OR f.id = ANY(${ids}::uuid[]))
    AND (${clientId}::text IS NULL OR f.client_id = ${clientId})`
}

/** Removes all personal data: the rows only serve to refuse the families' tokens from now on. */
export async function forgetUser(tx: Queries, userId: string): Promise<void> {
  await tx.refreshTokenFamily.updateMany({
    where: { userId },
    data: {
      userId: null,
      ip: null,
      userAgent: null,
      deviceName: null,
      endedBy: null,
      endedIp: null,
      endedUserAgent: null,
      identityId: null,
    },
  })
}

/** The number of the advisory lock for purging. */
const PURGE_LOCK = 7_370_002

/** Deletes a batch of families past their absolute expiry; returns 0 if there are none or another instance is purging. */
export async function deleteExpiredFamilies(tx: Queries, batchSize: number, shiftMs: number): Promise<number> {
  if (!(await tryLockForTransaction(tx, PURGE_LOCK))) return 0
  return tx.$executeRaw`
    DELETE FROM refresh_token_family WHERE id IN (
      SELECT id FROM refresh_token_family WHERE expires_at <= ${now(shiftMs)}
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}

/** The number of active families whose current token is tagged with each secret, by the secret's id. */
export async function countLiveFamiliesBySecret(client: Queries, settings: LifeLimits): Promise<Map<number, number>> {
  const rows = await client.$queryRaw<{ secret_id: number; families: number }[]>`
    SELECT f.secret_id, count(*)::int AS families FROM refresh_token_family AS f, "user" AS u
    WHERE ${lives(settings)} GROUP BY f.secret_id`
  return new Map(rows.map(({ secret_id, families }) => [secret_id, families]))
}
