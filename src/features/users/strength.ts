import type { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { normalize } from './hashing.js'

/** What somebody who guesses would try first, beside the common passwords of the world. */
export interface PasswordOwner {
  email: string
  name: string | null
}

const SERVICE_NAME = 'sallyport'

/** Ten thousand million guesses, the estimator's highest class: out of reach even for who has stolen the hashes. */
const STRONG = 4

/** How much is estimated at a time: the work grows with the square of the length, and the process waits for it. */
const WINDOW = 32

let estimator: Promise<ZxcvbnFactory> | undefined

/**
 * Whether a password withstands guessing, by an estimator that knows common passwords, words and names, repeats,
 * sequences and keyboard walks, and what belongs to its owner. There are no rules about kinds of characters.
 */
export async function isStrong(password: string, { email, name }: PasswordOwner): Promise<boolean> {
  // 70 MiB of words, read by the first process that needs them: one that only refreshes and verifies never does.
  estimator ??= loadEstimator()
  const zxcvbn = await estimator
  const known = [SERVICE_NAME, email, ...email.split(/[^\p{L}\p{N}]+/u), ...(name?.split(/\s+/u) ?? []), name ?? '']
  const inputs = known.filter((word) => word.length > 2)
  // A password is at least as hard to guess as any part of it.
  return windowsOf(normalize(password)).some((window) => zxcvbn.check(window, inputs).score >= STRONG)
}

function windowsOf(password: string): string[] {
  const points = Array.from(password)
  if (points.length <= WINDOW) return [password]
  return [points.slice(0, WINDOW), points.slice(-WINDOW)].map((part) => part.join(''))
}

async function loadEstimator(): Promise<ZxcvbnFactory> {
  const [core, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ])
  return new core.ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    translations: english.translations,
    // Each one more doubles the readings of "p@55w0rd" that are tried.
    l33tMaxSubstitutions: 2,
  })
}
