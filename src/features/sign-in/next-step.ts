import { isBanned, type User } from '../accounts/accounts.js'
import type { Authentication, Proof } from './proof.js'

/** The next step of a sign-in. */
export type NextStep = { step: 'open'; authentication: Authentication } | { step: 'refuse'; code: Refused }

/** Why a sign-in is refused. */
export type Refused = 'invalid_credentials' | 'account_banned'

/**
 * Decides the result of a sign-in, whatever its method: a session, or a refusal. Only an authenticated user is told of a
 * ban.
 */
export function nextStep(user: Pick<User, 'bannedAt' | 'bannedUntil'>, proofs: readonly Proof[], now: Date): NextStep {
  if (proofs.length === 0) return { step: 'refuse', code: 'invalid_credentials' }
  if (isBanned(user, now)) return { step: 'refuse', code: 'account_banned' }
  const amr = [...new Set(proofs.map(({ method }) => method))]
  const authenticatedAt = new Date(Math.max(...proofs.map(({ at }) => at.getTime())))
  return { step: 'open', authentication: { amr, authenticatedAt } }
}
