import type { Clock } from '../../platform/clock.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database } from '../../platform/database/database.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Audit } from '../audit/audit.js'
import type { Factors } from '../factors/factors.js'
import type { Flows } from '../flows/flows.js'
import type { Limits } from '../limits/limits.js'
import type { passkeyEvents } from './audit-events.js'

/** The relying party (WebAuthn Level 3, section 4). */
export interface RelyingParty {
  /** PASSKEY_RP_ID: the domain that passkeys are made for. */
  rpId: string
  /** PASSKEY_ORIGINS: the pages and apps in which they may be used. */
  origins: readonly string[]
  /** APP_NAME, as authenticators show it. */
  name: string
}

/** What the operations on passkeys work with. */
export interface PasskeysContext {
  database: Database
  secrets: SecretKeys
  clock: Clock
  audit: Audit<typeof passkeyEvents>
  accounts: Accounts
  limits: Limits
  flows: Pick<Flows, 'notify' | 'wakeMail'>
  factors: Pick<Factors, 'change'>
  settings: RelyingParty
}
