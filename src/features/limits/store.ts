import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'

/** A requested point. */
export interface Asked {
  key: string
  quota: number
  windowMs: number
  sliding: boolean
}

/** The result of a request for a point. Refused points are not counted. */
export interface Counted {
  key: string
  granted: boolean
  points: number
  /** Until the counter is reset. */
  remainingMs: number
}

/**
 * Takes a point of each counter in one statement, in the order of their keys, so that concurrent statements cannot
 * deadlock. A concurrent statement waits for the row lock and then reads the new count.
 */
export async function takePoints(client: Queries, asked: Asked[], shiftMs: number): Promise<Counted[]> {
  const [keys, quotas, windows, sliding] = [
    asked.map((each) => each.key),
    asked.map((each) => each.quota),
    asked.map((each) => each.windowMs),
    asked.map((each) => each.sliding),
  ]
  return client.$queryRaw<Counted[]>`
    WITH asked AS (
      SELECT * FROM unnest(${keys}::text[], ${quotas}::int[], ${windows}::float8[], ${sliding}::bool[])
        AS asked (key, quota, window_ms, sliding)
    ), taken AS (
      INSERT INTO limit_counter AS counter (key, points, quota, sliding, expires_at)
      SELECT key, 1, quota, sliding, ${now(shiftMs)} + window_ms * interval '1 millisecond' FROM asked ORDER BY key
      ON CONFLICT (key) DO UPDATE SET
        points = CASE WHEN counter.expires_at <= ${now(shiftMs)} THEN 0 ELSE counter.points END + excluded.points,
        quota = excluded.quota,
        sliding = excluded.sliding,
        expires_at = CASE WHEN excluded.sliding OR counter.expires_at <= ${now(shiftMs)}
                          THEN excluded.expires_at ELSE counter.expires_at END
      WHERE counter.expires_at <= ${now(shiftMs)} OR counter.points + excluded.points <= excluded.quota
      RETURNING counter.key, counter.points, counter.expires_at
    )
    SELECT asked.key,
           taken.key IS NOT NULL AS granted,
           coalesce(taken.points, counter.points, asked.quota) AS points,
           least(asked.window_ms, greatest(0,
             extract(epoch FROM coalesce(taken.expires_at, counter.expires_at) - ${now(shiftMs)})::float8 * 1000
           )) AS "remainingMs"
    FROM asked LEFT JOIN taken ON taken.key = asked.key LEFT JOIN limit_counter AS counter ON counter.key = asked.key`
}

/**
 * Resets some counters and returns one point to each of the others. Rows are locked in the order in which points are
 * taken, so that concurrent statements cannot deadlock.
 */
export async function settle(client: Queries, settled: Settled): Promise<void> {
  await client.$executeRaw`WITH ${Prisma.join(settlement(settled, Prisma.empty))} SELECT`
}

/** The same as parts of a statement of another feature, done only if `from`, another part of it, has a row. */
export function settlementWithin(from: Prisma.Sql, settled: Settled): Prisma.Sql[] {
  return settlement(settled, Prisma.sql`AND EXISTS (SELECT FROM ${from})`)
}

/** Keys of counters. */
interface Settled {
  forgotten?: string[]
  refunded?: string[]
}

function settlement({ forgotten = [], refunded = [] }: Settled, condition: Prisma.Sql): Prisma.Sql[] {
  return [
    Prisma.sql`counters_held AS (
      SELECT key FROM limit_counter
      WHERE key = ANY(${[...forgotten, ...refunded]}::text[]) ${condition} ORDER BY key FOR UPDATE
    )`,
    Prisma.sql`counters_forgotten AS (
      DELETE FROM limit_counter WHERE key IN (SELECT key FROM counters_held) AND key = ANY(${forgotten}::text[])
    )`,
    Prisma.sql`counters_refunded AS (
      UPDATE limit_counter SET points = points - 1
      WHERE key IN (SELECT key FROM counters_held) AND key = ANY(${refunded}::text[]) AND points > 0
    )`,
  ]
}

/** Deletes a batch of expired counters and returns their number. */
export async function deleteExpired(client: Queries, batchSize: number, shiftMs: number): Promise<number> {
  return client.$executeRaw`
    DELETE FROM limit_counter WHERE key IN (
      SELECT key FROM limit_counter WHERE expires_at <= ${now(shiftMs)} LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}
