import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'

/** The `Idempotency-Key` that a client makes before a refresh and repeats when it retries. */
export const attemptKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{16,128}$/, 'An Idempotency-Key is 16 to 128 visible ASCII characters')

/** One try to refresh, told apart from every other by its hash. */
export interface Attempt {
  hash: Buffer
  /** Whether the client named it; else its name is ours, so that a repetition of our own is known as one. */
  keyed: boolean
}

/**
 * Names an attempt. Only its hash is kept, together with the handle, which the database does not know:
 * a dump lets nobody try out keys that a client made badly.
 */
export function createAttempt(handle: Buffer, key: string | null): Attempt {
  if (key === null) return { hash: randomBytes(32), keyed: false }
  return { hash: createHash('sha256').update(handle).update(key).digest(), keyed: true }
}
