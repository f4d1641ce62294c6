import { isBanned, type User } from '../accounts/accounts.js'
import type { Proof } from './proof.js'

/** What a sign-in comes to next. */
export type NextStep =
  | { step: 'open'; proofs: readonly [Proof, ...Proof[]] }
  | { step: 'refuse'; code: 'invalid_credentials' | 'account_banned' }

/**
 * Decides what a sign-in comes to, for every way in: a session, or a refusal. Only for a user who has proven who they
 * are is a ban told.
 */
export function nextStep(user: Pick<User, 'bannedAt' | 'bannedUntil'>, proofs: readonly Proof[], now: Date): NextStep {
  const [first, ...others] = proofs
  if (first === undefined) return { step: 'refuse', code: 'invalid_credentials' }
  if (isBanned(user, now)) return { step: 'refuse', code: 'account_banned' }
  return { step: 'open', proofs: [first, ...others] }
}
