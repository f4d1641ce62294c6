import type { Queries } from './database.js'

/**
 * Waits until no other transaction holds the lock of this number, and holds it until this transaction ends. Each
 * number belongs to one feature; 72707369 is the migrations'.
 */
export async function lockForTransaction(tx: Queries, number: number): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${number}::bigint)`
}

/** The same without waiting: false when another transaction holds the lock. */
export async function tryLockForTransaction(tx: Queries, number: number): Promise<boolean> {
  const [row] = await tx.$queryRaw<{ locked: boolean }[]>`SELECT pg_try_advisory_xact_lock(${number}::bigint) AS locked`
  return row?.locked === true
}
