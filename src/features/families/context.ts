import type { Mode } from '../../wire/mode.js'
import type { Clock } from '../../platform/clock.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database } from '../../platform/database/database.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Audit } from '../audit/audit.js'
import type { Revocations } from '../revocation/revocation.js'
import type { AccessTokens } from '../tokens/tokens.js'
import type { familyEvents } from './audit-events.js'
import type { RotationSettings, Verdict } from './rotation.js'

/** What the operations on families work with. */
export interface FamiliesContext {
  database: Database
  revocations: Revocations
  audit: Audit<typeof familyEvents>
  accounts: Pick<Accounts, 'endTrust'>
  accessTokens: AccessTokens
  secrets: SecretKeys
  clock: Clock
  settings: FamilySettings
  /** Counts what became of each refresh token that was presented. */
  countRefresh: (outcome: RefreshOutcome) => void
}

/** Verdicts, and what is judged before there is one. */
export type RefreshOutcome = Verdict['outcome'] | 'ahead' | 'forged'

export interface FamilySettings extends RotationSettings {
  /** The absolute life of a family, by its mode. */
  maxSeconds: Record<Mode, number>
  maxSessionsPerUser: number
}
