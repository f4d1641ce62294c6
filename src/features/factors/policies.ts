import { hashSubject, type Budget, type Policy } from '../limits/limits.js'

const HOUR = 60 * 60
const DAY = 24 * HOUR

/**
 * Wrong codes of one user, at sign-in and at reauthentication together (MFA-05). After a hundred in a row no code is accepted any more
 * (NIST SP 800-63B-4, section 3.2.2), until a passkey is used or the operator resets the factors.
 */
const codePolicies: Policy[] = [
  { name: 'factor-codes', quota: 10, windowSeconds: HOUR, sliding: false, onSuccess: 'refund', concealed: false },
  {
    name: 'factor-codes-total',
    quota: 100,
    windowSeconds: 90 * DAY,
    sliding: true,
    onSuccess: 'forget',
    concealed: false,
  },
]

export function codeBudgets(userId: string): Budget[] {
  return codePolicies.map((policy) => ({ policy, of: hashSubject(userId) }))
}
