import { Prisma } from '../../generated/prisma/client.js'

/**
 * The database's time, which all instances share; the shift is 0 except in tests. It is truncated to milliseconds, like the
 * columns and JavaScript's dates, so that SQL and the code that reads its result never disagree.
 */
export const now = (shiftMs: number) =>
  Prisma.sql`date_trunc('milliseconds', now() + ${shiftMs}::float8 * interval '1 millisecond')`

/** The same in milliseconds since 1970. */
export const nowMs = (shiftMs: number) => Prisma.sql`((extract(epoch FROM now()) * 1000)::bigint + ${shiftMs}::bigint)`

/** A number of milliseconds, as an interval. */
export const milliseconds = (ms: number) => Prisma.sql`(${ms}::float8 * interval '1 millisecond')`
