import type { Clock } from '../../platform/clock.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database } from '../../platform/database/database.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Audit } from '../audit/audit.js'
import type { Families } from '../families/families.js'
import type { Flows } from '../flows/flows.js'
import type { Limits } from '../limits/limits.js'
import type { factorEvents } from './audit-events.js'

/** What the operations on factors work with. */
export interface FactorsContext {
  database: Database
  secrets: SecretKeys
  clock: Clock
  limits: Limits
  audit: Audit<typeof factorEvents>
  accounts: Accounts
  families: Families
  flows: Flows
  /** MFA. */
  mfa: 'off' | 'optional' | 'required'
  /** APP_NAME: how authenticator apps call the service. */
  appName: string
}
