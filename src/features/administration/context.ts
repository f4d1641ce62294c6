import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { noCaller } from '../../platform/http/caller.js'
import { operator, type Audit } from '../audit/audit.js'
import type { accountEvents } from '../account/account.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Clients } from '../clients/clients.js'
import type { Factors } from '../factors/factors.js'
import type { Families } from '../families/families.js'
import type { Flows } from '../flows/flows.js'
import type { Identities } from '../identities/identities.js'
import type { Passkeys } from '../passkeys/passkeys.js'
import type { Passwords } from '../passwords/passwords.js'
import type { Revocations } from '../revocation/revocation.js'
import type { signInEvents } from '../sign-in/sign-in.js'
import type { administrationEvents } from './audit-events.js'

/** Actor and caller of all actions here. */
export const byOperator = { actor: operator, caller: noCaller }

/** What the actions of operators work with. */
export interface AdministrationOptions {
  database: Database
  revocations: Revocations
  clients: Clients
  accounts: Accounts
  families: Families
  flows: Flows
  audit: Audit<
    typeof administrationEvents &
      Pick<typeof accountEvents, 'user_deleted' | 'email_changed'> &
      Pick<typeof signInEvents, 'password_reset'>
  >
  clock: Clock
  passwords: Passwords
  factors: Factors
  passkeys: Passkeys
  identities: Identities
  /** FACTOR_RESET_DELAY. */
  resetDelaySeconds: number
}
