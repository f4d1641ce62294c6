import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import { newId } from '../../platform/database/ids.js'
import { milliseconds, now } from '../../platform/database/times.js'

/**
 * A part of a statement that ends sessions: writes a logout for each client of `left`, once for each `sid`. Addresses of
 * clients that have registered themselves are left out: they could be any within the server's network.
 */
export function logoutsOf(left: Prisma.Sql, shiftMs: number): Prisma.Sql {
  return Prisma.sql`logouts_written AS (
    INSERT INTO backchannel_logout (id, client_id, uri, alg, user_id, sid, family_id, next_at, created_at)
    SELECT ${newId}, client_id, uri, alg, user_id, rp_sid, family_id, ${now(shiftMs)}, ${now(shiftMs)} FROM (
      SELECT DISTINCT ON (l.client_id, l.rp_sid) l.client_id, l.user_id, l.rp_sid, l.id AS family_id,
        c.metadata ->> 'backchannel_logout_uri' AS uri,
        coalesce(c.metadata ->> 'id_token_signed_response_alg', 'RS256') AS alg
      FROM ${left} AS l JOIN oauth_client AS c ON c.client_id = l.client_id
      WHERE l.user_id IS NOT NULL AND c.created_by = 'operator'
    ) AS told WHERE uri IS NOT NULL
  )`
}

/** A logout that this instance has claimed until the lease ends; `attempts` includes the current one. */
export interface ClaimedLogout {
  id: string
  clientId: string
  uri: string
  alg: string
  userId: string
  sid: string
  familyId: string
  attempts: number
  createdAt: Date
}

/** Claims the logout that has been due the longest, but none of these clients; null if none is due. */
export async function claimDueLogout(
  client: Queries,
  { except, leaseMs, shiftMs }: { except: readonly string[]; leaseMs: number; shiftMs: number },
): Promise<ClaimedLogout | null> {
  const [row] = await client.$queryRaw<ClaimedLogout[]>`
    UPDATE backchannel_logout SET attempts = attempts + 1, next_at = ${now(shiftMs)} + ${milliseconds(leaseMs)}
    WHERE id = (
      SELECT id FROM backchannel_logout WHERE next_at <= ${now(shiftMs)} AND client_id <> ALL(${except}::text[])
      ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id::text, client_id AS "clientId", uri, alg, user_id::text AS "userId", sid, family_id::text AS "familyId",
      attempts, created_at AS "createdAt"`
  return row ?? null
}

/** An attempt, which only holds as long as there was no later one. */
type Attempt = Pick<ClaimedLogout, 'id' | 'attempts'>

const ofAttempt = ({ id, attempts }: Attempt) => Prisma.sql`id = ${id}::uuid AND attempts = ${attempts}::int`

/** Deletes a logout that is done with. False if another attempt has begun. */
export async function deleteLogout(client: Queries, attempt: Attempt): Promise<boolean> {
  return (await client.$executeRaw`DELETE FROM backchannel_logout WHERE ${ofAttempt(attempt)}`) === 1
}

export async function postponeLogout(
  client: Queries,
  attempt: Attempt,
  { pauseMs, shiftMs }: { pauseMs: number; shiftMs: number },
): Promise<void> {
  await client.$executeRaw`
    UPDATE backchannel_logout SET next_at = ${now(shiftMs)} + ${milliseconds(pauseMs)} WHERE ${ofAttempt(attempt)}`
}

/** When the oldest session ended whose client is still to be told. */
export async function findOldest(client: Queries): Promise<Date | null> {
  const { _min } = await client.backchannelLogout.aggregate({ _min: { createdAt: true } })
  return _min.createdAt
}

/** Deletes a batch of logouts that were written this many milliseconds ago, and returns their number. */
export async function deleteOldLogouts(
  client: Queries,
  { afterMs, batchSize, shiftMs }: { afterMs: number; batchSize: number; shiftMs: number },
): Promise<number> {
  return client.$executeRaw`
    DELETE FROM backchannel_logout WHERE id = ANY(ARRAY(
      SELECT id FROM backchannel_logout WHERE created_at < ${now(shiftMs)} - ${milliseconds(afterMs)}
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED))`
}
