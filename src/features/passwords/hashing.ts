import argon2 from 'argon2'
import { createBoundedQueue, type Party, type QueueObserver } from '../../platform/bounded-queue.js'
import type { Clock } from '../../platform/clock.js'

export interface HashingOptions {
  /** ARGON2_MEMORY_KIB and ARGON2_PASSES, with one lane. */
  argon2MemoryKib: number
  argon2Passes: number
  /** Number of concurrent hashes; each uses this memory and one core. */
  hashingConcurrency: number
  clock: Pick<Clock, 'elapsedMs'>
  observer?: QueueObserver
}

export interface Hashing {
  /** The PHC string of a password: argon2id (RFC 9106), 16 random bytes of salt, a tag of 32 bytes. */
  hash(password: string, gone?: AbortSignal): Promise<string>
  /**
   * Compares a password with a hash. A wrong one takes as long for a hash with other parameters, and for null: no password,
   * or no such user.
   */
  verify(hash: string | null, password: string, gone?: AbortSignal): Promise<boolean>
  /** Whether a hash is weaker than new ones. A stronger one stays as it is: parameters are never lowered. */
  isOutdated(hash: string): boolean
  /**
   * Runs work that includes a hash. Throws `overloaded` immediately if too many requests are in progress: in a flood,
   * refused requests must be cheaper than served ones. One party takes a part of the places at most.
   */
  admit<T>(work: () => Promise<T>, party?: Party): Promise<T>
  /** The number of queued hashes, and of hashes in progress. */
  readonly queue: { readonly waiting: number; readonly working: number }
}

/** Queue length per concurrent hash: one or two seconds of work. */
const WAITING_PER_HASH = 50

/** What argon2 takes at least (RFC 9106, section 3.1). */
const LEAST_MEMORY_KIB = 8

/** Users who wait longer retry, which would double the load. */
const PATIENCE_MS = 2_000

/**
 * Hashes passwords with bounded concurrency. Throws `overloaded` if the queue is full or the wait is too long, and if
 * `gone` aborts, which also removes the request from the queue.
 */
export async function createHashing(options: HashingOptions): Promise<Hashing> {
  const { argon2MemoryKib: memoryKib, argon2Passes: passes, hashingConcurrency: concurrency } = options
  const queue = createBoundedQueue({
    concurrency,
    maxWaiting: concurrency * WAITING_PER_HASH,
    patienceMs: PATIENCE_MS,
    clock: options.clock,
    observer: options.observer,
  })
  const parameters = { type: argon2.argon2id, memoryCost: memoryKib, timeCost: passes, parallelism: 1 }

  const hash = (password: string, gone?: AbortSignal) =>
    queue.run(() => argon2.hash(normalize(password), parameters), gone)

  await requireGenuineArgon2()
  // Compared for unknown users, so that their response takes as long.
  const decoyHash = await hash(crypto.randomUUID())
  // Rises with the stored hashes that are met, where the settings were higher once.
  let costliest = memoryKib * passes

  /** Works for as long as a comparison with the costliest hash would have taken more than the one with this hash. */
  async function makeUpFor(compared: string, password: string): Promise<void> {
    const { m, t } = parametersOf(compared)
    costliest = Math.max(costliest, m * t)
    const memoryCost = Math.round((costliest - m * t) / passes)
    if (memoryCost >= LEAST_MEMORY_KIB) await argon2.hash(password, { ...parameters, memoryCost, raw: true })
  }

  return {
    hash,
    verify: async (hash, password, gone) => {
      const [compared, normalized] = [hash ?? decoyHash, normalize(password)]
      return queue.run(async () => {
        const isRight = (await argon2.verify(compared, normalized)) && hash !== null
        if (!isRight) await makeUpFor(compared, normalized)
        return isRight
      }, gone)
    },
    isOutdated: (hash) => {
      const { m, t } = parametersOf(hash)
      return m * t < memoryKib * passes && m <= memoryKib
    },
    admit: queue.admit,
    queue,
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

/** The tag that RFC 9106, section 5.3, gives for argon2id. */
const REFERENCE_TAG = '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659'

/**
 * argon2 may have been compiled on this machine (scripts/build-argon2.js). A binary that is wrong would lock everybody
 * out, or store hashes that no other binary can verify: it is better not to start. Throws where the tag is another.
 */
async function requireGenuineArgon2(): Promise<void> {
  const bytes = (length: number, value: number) => Buffer.alloc(length, value)
  const tag = await argon2.hash(bytes(32, 1), {
    type: argon2.argon2id,
    memoryCost: 32,
    timeCost: 3,
    parallelism: 4,
    salt: bytes(16, 2),
    secret: bytes(8, 3),
    associatedData: bytes(12, 4),
    raw: true,
  })
  if (tag.toString('hex') === REFERENCE_TAG) return
  throw new Error(
    'argon2 fails the test vector of RFC 9106: remove node_modules/argon2/build, or reinstall the packages.',
  )
}
