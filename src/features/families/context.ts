import type { Prisma } from '../../generated/prisma/client.js'
import type { Clock } from '../../platform/clock.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database } from '../../platform/database/database.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Audit } from '../audit/audit.js'
import type { Revocations } from '../revocation/revocation.js'
import type { AccessTokens } from '../tokens/tokens.js'
import type { familyEvents } from './audit-events.js'
import type { FamilyMode, RotationSettings, Verdict } from './rotation.js'

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
  /**
   * Parts of each statement that ends families: `left` has a row for each OAuth client that loses its session at the user's
   * browser, those of families that go on included (OpenID Connect Back-Channel Logout, section 2.7).
   */
  toldWhenEnded?: ((left: Prisma.Sql) => Prisma.Sql[]) | undefined
  /** Counts what became of each refresh token that was presented. */
  countRefresh: (outcome: RefreshOutcome) => void
}

/** Verdicts, and what is judged before there is one. */
export type RefreshOutcome = Verdict['outcome'] | 'ahead' | 'forged'

export interface FamilySettings extends RotationSettings {
  /** The absolute life of a family, by its mode. */
  maxSeconds: Record<FamilyMode, number>
  maxSessionsPerUser: number
}
