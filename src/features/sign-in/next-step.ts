import { isBanned, type User } from '../accounts/accounts.js'
import type { Authentication, Proof } from '../families/families.js'

/** The next step of a sign-in. */
export type NextStep =
  | { step: 'open'; authentication: Authentication }
  | { step: 'refuse'; code: Refused }
  /** One of the user's second factors has to be shown, or a first one enrolled. */
  | { step: 'show_factor' | 'enroll_factor' }

/** Why a sign-in is refused. */
export type Refused = 'invalid_credentials' | 'account_banned'

/** What decides besides the user and the proofs. */
export interface StepRules {
  /** MFA. */
  mfa: 'off' | 'optional' | 'required'
  /** Whether the user has trusted this device to sign in without a second factor. */
  isTrusted: boolean
  now: Date
}

/**
 * Decides what follows from the proofs of a sign-in, for all ways in (MFA-07): a session, a refusal, or a second factor.
 * Only an authenticated user is told of a ban, and only one who is not banned is asked for a factor.
 */
export function nextStep(
  user: Pick<User, 'bannedAt' | 'bannedUntil' | 'factors'>,
  proofs: readonly Proof[],
  { mfa, isTrusted, now }: StepRules,
): NextStep {
  if (proofs.length === 0) return { step: 'refuse', code: 'invalid_credentials' }
  if (isBanned(user, now)) return { step: 'refuse', code: 'account_banned' }
  if (isSufficient(user, proofs, { mfa, isTrusted })) return { step: 'open', authentication: authenticationOf(proofs) }
  return { step: user.factors.length > 0 ? 'show_factor' : 'enroll_factor' }
}

function isSufficient(
  { factors }: Pick<User, 'factors'>,
  proofs: readonly Proof[],
  { mfa, isTrusted }: Omit<StepRules, 'now'>,
): boolean {
  if (mfa === 'off') return true
  if (factors.length === 0) return mfa === 'optional'
  const [, ...further] = proofs
  // A passkey that has verified its user is two factors by itself.
  return isTrusted || proofs.some((proof) => proof.isUserVerified === true || (further.length > 0 && isFactor(proof)))
}

/**
 * Whether a method is a second factor. A mail is not: an attacker who knows the password may know that of the mailbox too. Nor
 * is a sign-in at another provider, however many factors were shown there.
 */
function isFactor({ method }: Pick<Proof, 'method'>): boolean {
  return method !== 'pwd' && method !== 'email' && method !== 'fed'
}

/**
 * The claims that follow from what was shown. A passkey with user verification resists phishing and counts as two factors by
 * itself (`phr`, without `mfa`); any other factor counts together with a first method (`mfa`, `aal2`). What another provider
 * says of its methods is only told.
 */
export function authenticationOf(proofs: readonly Proof[]): Authentication {
  const isVerified = proofs.some(({ isUserVerified }) => isUserVerified === true)
  const methods = [...new Set(proofs.map(({ method }) => method))]
  const isMultiple = methods.length > 1 && proofs.some(isFactor)
  const told = proofs.flatMap(({ said = [] }) => said)
  return {
    amr: [...new Set([...methods, ...told]), ...(isVerified ? ['user'] : []), ...(isMultiple ? ['mfa'] : [])],
    acr: isVerified ? 'phr' : isMultiple ? 'aal2' : 'aal1',
    authenticatedAt: new Date(Math.max(...proofs.map(({ at }) => at.getTime()))),
  }
}
