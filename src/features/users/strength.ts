import { extname } from 'node:path'
import type { Piscina } from 'piscina'
import { Problem } from '../../platform/problem.js'
import { normalize } from './hashing.js'
import type estimateStrength from './strength-estimator.js'

/** What somebody who guesses would try first, beside the common passwords of the world. */
export interface PasswordOwner {
  email: string
  name: string | null
}

export interface StrengthEstimator {
  /**
   * Whether a password withstands guessing, by an estimator that knows common passwords, words and names, repeats,
   * sequences and keyboard walks, and what belongs to its owner. There are no rules about kinds of characters.
   * Throws `overloaded` when too many wait.
   */
  isStrong(password: string, owner: PasswordOwner): Promise<boolean>
  close(): Promise<void>
}

const SERVICE_NAME = 'sallyport'

/** Ten thousand million guesses, the estimator's highest class: out of reach even for who has stolen the hashes. */
const STRONG = 4

/** How much is estimated at a time: the work grows faster than the square of the length. */
const WINDOW = 32

/** How long the thread and its 70 MiB of words are kept for the next password. */
const IDLE_MS = 60_000

/** A few seconds of work. Whoever comes after that is asked to try again. */
const MAX_WAITING = 100

type Pool = Piscina<Parameters<typeof estimateStrength>[0], ReturnType<typeof estimateStrength>>

/** Loads and starts nothing before the first password: a process that only refreshes and verifies never needs it. */
export function createStrengthEstimator(): StrengthEstimator {
  let started: Promise<Pool> | undefined

  return {
    async isStrong(password, owner) {
      const pool = await (started ??= startPool())
      if (pool.queueSize >= MAX_WAITING) throw new Problem('overloaded', { retryAfterSeconds: 2 })
      const known = whatGuessersKnow(owner)
      // A password is at least as hard to guess as any part of it.
      const windows = windowsOf(withoutKnown(normalize(password), known))
      const scores = windows.map((window) => pool.run({ password: window, known }))
      return (await Promise.all(scores)).some((score) => score >= STRONG)
    },
    close: async () => {
      await (await started)?.close()
    },
  }
}

async function startPool(): Promise<Pool> {
  const { Piscina } = await import('piscina')
  return new Piscina({
    // Compiled or not, as this file is.
    filename: new URL(`./strength-estimator${extname(import.meta.url)}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
  })
}

function whatGuessersKnow({ email, name }: PasswordOwner): string[] {
  const parts = [SERVICE_NAME, email, ...email.split(/[^\p{L}\p{N}]+/u), name ?? '', ...(name ?? '').split(/\s+/u)]
  return parts.map(normalize).filter((part) => part.length > 2)
}

/** What is left when everything known is taken out, which counts for nothing, however long it is. */
function withoutKnown(password: string, known: string[]): string {
  const longestFirst = known.toSorted((a, b) => b.length - a.length)
  const patterns = longestFirst.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  return password.replaceAll(new RegExp(patterns.join('|'), 'giu'), ' ')
}

function windowsOf(password: string): string[] {
  const points = Array.from(password)
  if (points.length <= WINDOW) return [password]
  return [points.slice(0, WINDOW), points.slice(-WINDOW)].map((part) => part.join(''))
}
