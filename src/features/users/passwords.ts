import { countCodePoints } from '../../platform/http/text.js'
import { Problem } from '../../platform/problem.js'
import { normalize, type Hashing } from './hashing.js'
import { isStrong as estimate, type PasswordOwner, type StrengthCheck } from './strength.js'

export interface Passwords extends Hashing {
  /**
   * Throws `validation_failed` for a password that is too short or, once normalized, too long, and `password_too_weak`
   * for one that is too easy to guess. `path` is where it stands in the request (RFC 6901).
   */
  requireAcceptable(password: string, owner: PasswordOwner, path?: string): Promise<void>
}

const MAX_LENGTH = 256

export interface PasswordsOptions {
  hashing: Hashing
  minLength: number
  /** The estimator by default. */
  isStrong?: StrengthCheck | undefined
}

export function createPasswords({ hashing, minLength, isStrong = estimate }: PasswordsOptions): Passwords {
  return {
    ...hashing,
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
