/**
 * Owns the ways in: how a person proves who they are, and what the proofs come to. Each way has a file of its own and
 * ends in `completeSignIn`. The passwords themselves belong to passwords, the sessions to families.
 */
import type { SessionTokens } from '../families/families.js'
import type { SignInContext } from './completing.js'
import { createPasswordLogin, type PasswordLoginOptions } from './password-login.js'
import { createRegistration, type RegistrationOptions } from './registration.js'
import type { LoginBody, RegisterBody } from './schemas.js'

export type { SignInContext } from './completing.js'

export type SignInOptions = PasswordLoginOptions & RegistrationOptions

export interface SignIn {
  /** Throws `registration_closed`, `rate_limited`, `email_taken`, `password_too_weak` and `validation_failed`. */
  register(body: RegisterBody, context: SignInContext): Promise<SessionTokens>
  /**
   * Throws `invalid_credentials`, one answer for all that is wrong, `account_banned` for the right password, and
   * `rate_limited` without looking at it where too many were wrong.
   */
  login(body: LoginBody, context: SignInContext): Promise<SessionTokens>
}

export function createSignIn(options: SignInOptions): SignIn {
  return { register: createRegistration(options), login: createPasswordLogin(options) }
}
