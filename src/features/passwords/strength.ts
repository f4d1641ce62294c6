import type { Piscina } from 'piscina'
import { Problem } from '../../platform/problem.js'
import { normalize } from './hashing.js'
import type estimateStrength from './strength-estimator.js'

/** Words that an attacker would try first, besides common passwords. */
export interface PasswordOwner {
  email: string
  name: string | null
}

const SERVICE_NAME = 'sallyport'

/** Ten thousand million guesses, the estimator's highest class: out of reach even with stolen hashes. */
const STRONG = 4

/** How much is estimated at a time: the work grows faster than the square of the length. */
const WINDOW = 32

/** How long the thread and its 70 MiB of words are kept for the next password. */
const IDLE_MS = 60_000

/** A few seconds of work. Further requests are asked to try again. */
const MAX_WAITING = 100

/** Whether a password withstands guessing. */
export type StrengthCheck = typeof isStrong

type Pool = Piscina<Parameters<typeof estimateStrength>[0], ReturnType<typeof estimateStrength>>

/** One for the whole process. Nothing is loaded or started before the first password: many processes never see one. */
let pool: Promise<Pool> | undefined

/**
 * Whether a password withstands guessing, by an estimator that knows common passwords, words and names, repeats,
 * sequences and keyboard walks, and what belongs to its owner. There are no rules about kinds of characters.
 * Throws `overloaded` when too many wait.
 */
export async function isStrong(password: string, owner: PasswordOwner): Promise<boolean> {
  const estimator = await (pool ??= startPool())
  if (estimator.queueSize >= MAX_WAITING) throw new Problem('overloaded', { retryAfterSeconds: 2 })
  const known = whatGuessersKnow(owner)
  // A password is at least as hard to guess as each part of it.
  const windows = windowsOf(withoutKnown(normalize(password), known))
  const scores = windows.map((window) => estimator.run({ password: window, known }))
  return (await Promise.all(scores)).some((score) => score >= STRONG)
}

async function startPool(): Promise<Pool> {
  const { Piscina } = await import('piscina')
  return new Piscina({
    // The compiled file, at the same distance from src/ and from dist/: a thread has no use for a compiler of its own.
    filename: new URL('../../../dist/features/passwords/strength-estimator.js', import.meta.url).href,
    execArgv: [],
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
