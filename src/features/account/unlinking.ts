import type { Queries } from '../../platform/database/database.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Families } from '../families/families.js'
import type { Flows } from '../flows/flows.js'
import type { Identities, IdentityChange } from '../identities/identities.js'
import type { Revoke } from '../revocation/revocation.js'

export interface UnlinkingOptions {
  accounts: Pick<Accounts, 'endTrust'>
  families: Pick<Families, 'endOfIdentity'>
  flows: Pick<Flows, 'endAllOf'>
  identities: Pick<Identities, 'unlink'>
}

/**
 * Unlinks an identity with all that follows, in a transaction that holds the user's row: the sessions that it opened end, the
 * sign-ins that wait for a second factor end too, and no device is trusted any more. False where the user has no such one.
 */
export async function unlinkWithin(
  { accounts, families, flows, identities }: UnlinkingOptions,
  { tx, revoke }: { tx: Queries; revoke: Revoke },
  { id, ...change }: IdentityChange & { id: string },
): Promise<boolean> {
  const { user, actor, caller } = change
  if ((await identities.unlink(tx, id, change)) === null) return false
  const which = { userId: user.id, identityId: id }
  await families.endOfIdentity(tx, revoke, which, { reason: 'identity_unlinked', by: { actor, caller } })
  await accounts.endTrust(tx, user.id)
  await flows.endAllOf(tx, user.id)
  return true
}
