/**
 * Owns the password as a credential: how it is hashed and checked, how often it may be guessed at, which ones are
 * acceptable, and what may be done once it was shown again. The column that keeps the hash belongs to accounts.
 */
import type { Database, Queries } from '../../platform/database/database.js'
import { countCodePoints } from '../../platform/http/text.js'
import { Problem } from '../../platform/problem.js'
import type { Accounts } from '../accounts/accounts.js'
import { stranger, type Audit } from '../audit/audit.js'
import type { Limits, Refusal } from '../limits/limits.js'
import type { Revocations } from '../revocation/revocation.js'
import type { passwordEvents } from './audit-events.js'
import { createPasswordConfirmation, type PasswordConfirmation } from './confirming.js'
import { failuresInARow, networkPolicy, passwordBudgets, strangersBudgets, type PasswordCheck } from './guesses.js'
import { normalize, type Hashing } from './hashing.js'
import { isStrong as estimate, type PasswordOwner, type StrengthCheck } from './strength.js'

export type { Confirmer } from './confirming.js'
export { createHashing, type Hashing } from './hashing.js'
export { passwordSchema } from './schemas.js'
export type { StrengthCheck } from './strength.js'

export interface Passwords extends Omit<Hashing, 'verify'>, PasswordConfirmation {
  /**
   * Whether a password is the user's, as long as there are guesses left: else throws `rate_limited` without looking at
   * it. A wrong one, an unknown user and one without a password take as long.
   */
  check(check: PasswordCheck): Promise<boolean>
  /**
   * Throws `validation_failed` for a password that is too short or, once normalized, too long, and `password_too_weak`
   * for one that is too easy to guess. `path` is where it stands in the request (RFC 6901).
   */
  requireAcceptable(password: string, owner: PasswordOwner, path?: string): Promise<void>
  /** Forgets how often strangers have guessed at an account whose password was set anew, or which is no more. */
  forgetGuesses(tx: Queries, email: string): Promise<void>
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
  /** The estimator by default. */
  isStrong?: StrengthCheck | undefined
}

const MAX_LENGTH = 256

export function createPasswords({
  hashing,
  limits,
  minLength,
  isStrong = estimate,
  ...options
}: PasswordsOptions): Passwords {
  const { verify, ...hasher } = hashing

  async function check({ by, user, password, gone, caller, announce }: PasswordCheck): Promise<boolean> {
    const budgets = passwordBudgets(by, limits.ofNetwork(networkPolicy, caller))
    const sessionId = by.kind === 'user' ? by.sessionId : null
    const userId = user?.id ?? null
    const refusal: Refusal<keyof typeof passwordEvents> = {
      event: 'password_check_limited',
      actor: by.kind === 'user' ? { kind: 'user', id: userId } : stranger,
      userId,
      sessionId,
    }
    const request = { caller, announce, refusal, forgets: failuresInARow(by) }
    const verified = await limits.guard(budgets, request, async () =>
      (await verify(user?.passwordHash ?? null, password, gone)) ? true : null,
    )
    return verified !== null
  }

  return {
    ...hasher,
    ...createPasswordConfirmation({ ...options, check }),
    check,

    async requireAcceptable(password, owner, path = '/password') {
      const length = countCodePoints(normalize(password))
      if (length < minLength) throw refuse(path, 'too_small', `A password has at least ${minLength} characters`)
      if (length > MAX_LENGTH) throw refuse(path, 'too_big', `A password has at most ${MAX_LENGTH} characters`)
      if (!(await isStrong(password, owner))) {
        const message = 'This password, or one much like it, is among the first that somebody would try'
        throw new Problem('password_too_weak', { errors: [{ path, code: 'password_too_weak', message }] })
      }
    },

    forgetGuesses: (tx, email) => limits.forget(tx, strangersBudgets(email)),
  }
}

function refuse(path: string, code: string, message: string): Problem {
  return new Problem('validation_failed', { errors: [{ path, code, message }] })
}
