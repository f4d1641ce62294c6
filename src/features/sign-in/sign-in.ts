/**
 * Owns the ways in: how a person proves who they are, and what the proofs come to. Each way has a file of its own and
 * ends in `completeSignIn`. The passwords themselves belong to passwords, the sessions to families.
 */
import type { Mode } from '../../wire/mode.js'
import type { SignInContext } from '../browser/browser.js'
import type { SessionTokens } from '../families/families.js'
import type { BegunFlow } from '../flows/flows.js'
import type { Requester } from '../limits/limits.js'
import { createInvitationAcceptance } from './invitation.js'
import { createMailedCode, type MailedCode, type MailedCodeOptions } from './mailed-code.js'
import { createPasskeyLogin, type PasskeyLogin, type PasskeyLoginOptions } from './passkey-login.js'
import { createPasswordLogin, type PasswordLoginOptions } from './password-login.js'
import { createRegistration, type Registered } from './registration.js'
import { createSecondFactor, type SecondFactor, type SecondFactorOptions } from './second-factor.js'
import type { AcceptInvitationBody, LoginBody, RegisterBody } from './schemas.js'
import { createAddressConfirmation, createVerificationRequest } from './verification.js'

export type { Invitation } from './invitation.js'
export type { PendingStep, SignedInTwice } from './second-factor.js'
export type { Confirmation, ConfirmAddress } from './verification.js'
export type { signInEvents } from './audit-events.js'
export { raisedBy } from './elevation.js'
export { removeFactors } from './mailed-code.js'
export { createPasswordReset, type PasswordReset } from './password-reset.js'
export { createReauthentication, type Reauthentication } from './reauthentication.js'
export { RefusedReturn } from './refused-return.js'
export { createAnswerLimit } from './social-answers.js'
export type { FurtherSteps } from './social-routes.js'
export { createSocialLogin, type SocialLogin, type SocialSignIn } from './social-login.js'

export type SignInOptions = PasswordLoginOptions & PasskeyLoginOptions & MailedCodeOptions & SecondFactorOptions

export interface SignIn {
  /**
   * Throws `registration_closed`, `rate_limited`, `password_too_weak` and `validation_failed`, and `email_taken` unless the
   * address has to be confirmed first.
   */
  register(body: RegisterBody, context: SignInContext, holders: string[]): Promise<Registered>
  /**
   * Throws `invalid_credentials`, one answer for all that is wrong, `account_banned` for the right password, and
   * `rate_limited` without looking at it where too many were wrong.
   */
  login(body: LoginBody, context: SignInContext): Promise<SessionTokens>
  /** Throws `flow_invalid`, `email_taken`, `password_too_weak` and `validation_failed`. */
  acceptInvitation(body: AcceptInvitationBody, context: SignInContext): Promise<SessionTokens>
  /** Mails a link and a code to a user whose address is not verified. Throws `flow_invalid` for one that is. */
  requestVerification(userId: string, wish: { mode: Mode; holders: string[] }, requester: Requester): Promise<BegunFlow>
  readonly mailedCode: MailedCode
  /** What follows the problem `mfa_required`. */
  readonly secondFactor: SecondFactor
  readonly passkeyLogin: PasskeyLogin
  /** What confirming an address brings about, by the kind of the flow that began it. */
  readonly confirmAddress: ReturnType<typeof createAddressConfirmation>
}

export function createSignIn(options: SignInOptions): SignIn {
  return {
    register: createRegistration(options),
    login: createPasswordLogin(options),
    acceptInvitation: createInvitationAcceptance(options),
    requestVerification: createVerificationRequest(options),
    mailedCode: createMailedCode(options),
    secondFactor: createSecondFactor(options),
    passkeyLogin: createPasskeyLogin(options),
    confirmAddress: createAddressConfirmation(options),
  }
}
