/**
 * Owns the password as a credential: how it is hashed and checked, how often it may be guessed at, which ones are
 * acceptable, and what may be done once it was shown again. The column that keeps the hash belongs to accounts.
 */
import type { Database, Queries } from '../../platform/database/database.js'
import { countCodePoints } from '../../platform/http/text.js'
import { Problem } from '../../platform/problem.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Audit } from '../audit/audit.js'
import type { Limits } from '../limits/limits.js'
import type { Revocations } from '../revocation/revocation.js'
import type { passwordEvents } from './audit-events.js'
import { createPasswordConfirmation, type PasswordConfirmation } from './confirming.js'
import { createGuesses, failuresAt, failuresInARow, type Guesses } from './guesses.js'
import { normalize, type Hashing } from './hashing.js'
import { createPublishedCheck } from './published.js'
import { isStrong as estimate, type PasswordOwner, type StrengthCheck } from './strength.js'

export type { Confirmer } from './confirming.js'
export { createHashing, type Hashing } from './hashing.js'
export { passwordSchema } from './schemas.js'
export type { StrengthCheck } from './strength.js'

export interface Passwords extends Omit<Hashing, 'verify'>, PasswordConfirmation, Guesses {
  /**
   * Throws `validation_failed` for a password that is too short, once normalized too long, or the present one, and
   * `password_too_weak` for one that is too easy to guess. `path` is where it stands in the request (RFC 6901).
   */
  requireAcceptable(
    password: string,
    owner: PasswordOwner,
    place?: { path: string; present?: string | null },
  ): Promise<void>
  /** Forgets the wrong guesses at an account whose password was set anew, or which is no more. */
  forgetGuesses(tx: Queries, email: string): Promise<void>
  /** Forgets how many guesses in a row were wrong: the owner has signed in in another way. */
  forgiveGuesses(tx: Queries, email: string): Promise<void>
}

export interface PasswordsOptions {
  database: Database
  revocations: Revocations
  accounts: Accounts
  audit: Audit<typeof passwordEvents>
  limits: Limits
  hashing: Hashing
  /** PASSWORD_MIN_LENGTH, in code points. */
  minLength: number
  /** Whether passwords that stand in guides are refused, such as those of the first steps with Sallyport. */
  refusesExamples: boolean
  /** The estimator by default. */
  isStrong?: StrengthCheck | undefined
}

const MAX_LENGTH = 256

export function createPasswords({
  hashing,
  limits,
  minLength,
  refusesExamples,
  isStrong = estimate,
  ...options
}: PasswordsOptions): Passwords {
  const { verify, ...hasher } = hashing
  const isPublished = createPublishedCheck({ refusesExamples })

  const guesses = createGuesses({ limits, verify })

  return {
    ...hasher,
    ...guesses,
    ...createPasswordConfirmation({ ...options, check: guesses.check }),

    async requireAcceptable(password, owner, { path, present = null } = { path: '/password' }) {
      const normalized = normalize(password)
      const length = countCodePoints(normalized)
      if (length < minLength) throw refuse(path, 'too_small', `Must have at least ${minLength} characters`)
      if (length > MAX_LENGTH) throw refuse(path, 'too_big', `Must have at most ${MAX_LENGTH} characters`)
      if (present !== null && normalized === normalize(present)) {
        throw refuse(path, 'unchanged', 'Must be another password than the present one')
      }
      if (isPublished(normalized) || !(await isStrong(password, owner))) {
        const message = 'This password, or a similar one, is among the first that an attacker would try'
        throw new Problem('password_too_weak', { errors: [{ path, code: 'password_too_weak', message }] })
      }
    },

    forgetGuesses: (tx, email) => limits.forget(tx, failuresAt(email)),
    forgiveGuesses: (tx, email) => limits.forget(tx, failuresInARow({ kind: 'stranger', email, isKnown: false })),
  }
}

function refuse(path: string, code: string, message: string): Problem {
  return new Problem('validation_failed', { errors: [{ path, code, message }] })
}
