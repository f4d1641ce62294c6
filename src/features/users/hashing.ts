import argon2 from 'argon2'
import pLimit from 'p-limit'
import { Problem } from '../../platform/problem.js'

export interface HashingOptions {
  /** ARGON2_MEMORY_KIB and ARGON2_PASSES, with one lane. */
  argon2MemoryKib: number
  argon2Passes: number
  /** How many hashes are worked on at once; each holds that much memory and one core. */
  hashingConcurrency: number
}

export interface Hashing {
  /** The PHC string of a password: argon2id (RFC 9106), 16 random bytes of salt, a tag of 32 bytes. */
  hash(password: string): Promise<string>
  /** Compares a password with a hash. Takes as long for null, a user without a password or no user at all. */
  verify(hash: string | null, password: string): Promise<boolean>
  /** Whether a hash is weaker than new ones. A stronger one stays as it is: parameters are never lowered. */
  isOutdated(hash: string): boolean
}

/** How many may wait for each hash in work: about two seconds. Whoever comes after that is asked to try again. */
const WAITING_PER_HASH = 50

/** Hashes passwords, a bounded number at a time. Throws `overloaded` when too many wait. */
export async function createHashing(options: HashingOptions): Promise<Hashing> {
  const { argon2MemoryKib: memoryKib, argon2Passes: passes, hashingConcurrency: concurrency } = options
  const limit = pLimit(concurrency)
  const parameters = { type: argon2.argon2id, memoryCost: memoryKib, timeCost: passes, parallelism: 1 }

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (limit.pendingCount >= concurrency * WAITING_PER_HASH) throw new Problem('overloaded', { retryAfterSeconds: 2 })
    return limit(work)
  }

  const hash = (password: string) => inTurn(() => argon2.hash(normalize(password), parameters))

  // A hash that nothing is the password of, made like all others, so that an unknown address takes as long to refuse.
  const nobody = await hash(crypto.randomUUID())

  return {
    hash,
    verify: async (hash, password) => {
      const matches = await inTurn(() => argon2.verify(hash ?? nobody, normalize(password)))
      return matches && hash !== null
    },
    isOutdated: (hash) => {
      const { m, t } = parametersOf(hash)
      return m * t < memoryKib * passes && m <= memoryKib
    },
  }
}

/**
 * NFKC is the one change that a password goes through, at set and at verify alike (NIST SP 800-63B-4, 3.1.1.2), so
 * that one password typed on two keyboards stays one password.
 */
export function normalize(password: string): string {
  return password.normalize('NFKC')
}

function parametersOf(hash: string): { m: number; t: number } {
  const [, m, t] = /\$m=(\d+),t=(\d+),/.exec(hash) ?? []
  return { m: Number(m ?? 0), t: Number(t ?? 0) }
}
