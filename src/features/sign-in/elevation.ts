import { levelOf } from '../../wire/acr.js'
import type { Authentication, Proof } from '../families/families.js'
import { authenticationOf } from './next-step.js'

/**
 * The authentication of a session after one more proof. Of what was shown before, only the first methods stay: a session
 * does not keep the level of a factor that was not shown now.
 */
export function elevatedBy(proof: Proof, amr: readonly string[]): Authentication {
  const first = amr.filter(isFirstMethod).map((method) => ({ method, at: proof.at }))
  const authentication = authenticationOf([...first, proof])
  // A user who has lost the passkey that began the session has nothing else to show beside the code.
  const isRecoveryAlone = proof.method === 'rec' && first.length === 0
  return isRecoveryAlone ? { ...authentication, acr: 'aal2' } : authentication
}

/**
 * The authentication of a session whose user has just added a factor, which its first use proves: otherwise they would be
 * asked for the same factor at the next change. Null where the level would not rise, such as for a TOTP code in a session
 * that a passkey began.
 */
export function raisedBy(proof: Proof, { amr, acr }: { amr: readonly string[]; acr: string }): Authentication | null {
  const raised = elevatedBy(proof, amr)
  return levelOf(raised.acr) > levelOf(acr) ? raised : null
}

function isFirstMethod(method: string): method is 'pwd' | 'email' | 'fed' {
  return method === 'pwd' || method === 'email' || method === 'fed'
}
