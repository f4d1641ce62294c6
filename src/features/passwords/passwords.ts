/**
 * Owns the password as a credential: how it is hashed and verified, which ones are acceptable, and what may be done once
 * it was shown again. The column that keeps the hash belongs to accounts.
 */
import type { Database } from '../../platform/database/database.js'
import { countCodePoints } from '../../platform/http/text.js'
import { Problem } from '../../platform/problem.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Audit } from '../audit/audit.js'
import type { Limits } from '../limits/limits.js'
import type { Revocations } from '../revocation/revocation.js'
import type { passwordEvents } from './audit-events.js'
import { createPasswordConfirmation, type PasswordConfirmation } from './confirming.js'
import { normalize, type Hashing } from './hashing.js'
import { isStrong, type PasswordOwner } from './strength.js'

export type { Confirmer } from './confirming.js'
export { createHashing, type Hashing } from './hashing.js'
export { passwordSchema } from './schemas.js'

export interface Passwords extends Hashing, PasswordConfirmation {
  /**
   * Throws `validation_failed` for a password that is too short or, once normalized, too long, and `password_too_weak`
   * for one that is too easy to guess. `path` is where it stands in the request (RFC 6901).
   */
  requireAcceptable(password: string, owner: PasswordOwner, path?: string): Promise<void>
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
}

const MAX_LENGTH = 256

export function createPasswords({ minLength, ...options }: PasswordsOptions): Passwords {
  return {
    ...options.hashing,
    ...createPasswordConfirmation(options),
    async requireAcceptable(password, owner, path = '/password') {
      const length = countCodePoints(normalize(password))
      if (length < minLength) throw refuse(path, 'too_small', `A password has at least ${minLength} characters`)
      if (length > MAX_LENGTH) throw refuse(path, 'too_big', `A password has at most ${MAX_LENGTH} characters`)
      if (!(await isStrong(password, owner))) {
        const message = 'This password, or one much like it, is among the first that somebody would try'
        throw new Problem('password_too_weak', { errors: [{ path, code: 'password_too_weak', message }] })
      }
    },
  }
}

function refuse(path: string, code: string, message: string): Problem {
  return new Problem('validation_failed', { errors: [{ path, code, message }] })
}
