/** What an authenticator says of a passkey that it uses. */
export interface Use {
  counter: number
  backupEligible: boolean
}

/**
 * - `accept`: the counter has risen, or the authenticator has none
 * - `ignore_counter`: it has not, but several devices may have the passkey, and each counts for itself
 * - `refuse_counter`: it has not, although only one device can have the passkey
 * - `refuse_backup`: whether it can be copied has changed, which WebAuthn rules out (Level 3, section 7.2, step 19)
 */
export type UseVerdict = 'accept' | 'ignore_counter' | 'refuse_counter' | 'refuse_backup'

/** Judges the use of a passkey whose signature is right. Whether it is backed up at the moment decides nothing. */
export function judgeUse(stored: Use, shown: Use): UseVerdict {
  if (shown.backupEligible !== stored.backupEligible) return 'refuse_backup'
  const hasRisen = shown.counter > stored.counter || stored.counter === 0
  if (hasRisen) return 'accept'
  return stored.backupEligible ? 'ignore_counter' : 'refuse_counter'
}
