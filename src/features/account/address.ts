import type { Queries } from '../../platform/database/database.js'
import type { Accounts, User } from '../accounts/accounts.js'
import type { Flows } from '../flows/flows.js'
import type { Passwords } from '../passwords/passwords.js'
import type { Revoke } from '../revocation/revocation.js'

export interface AddressOptions {
  accounts: Accounts
  passwords: Pick<Passwords, 'forgetGuesses'>
  flows: Flows
}

/**
 * Gives a user another address, in a transaction that holds their row. Access tokens become stale, so that the next refresh
 * brings it, and what was begun for the old address ends. Throws `email_taken`, after which the transaction is lost.
 */
export async function changeAddress(
  { accounts, passwords, flows }: AddressOptions,
  tx: Queries,
  revoke: Revoke,
  { user, to, isVerified }: { user: User; to: string; isVerified: boolean },
): Promise<void> {
  await accounts.setEmail(tx, user.id, to, { isVerified })
  await accounts.outdateTokens(tx, revoke, user.id)
  // Guesses are counted by address, and the old one may become another user's.
  await passwords.forgetGuesses(tx, user.email)
  await passwords.forgetGuesses(tx, to)
  await flows.endAllOf(tx, user.id)
}
