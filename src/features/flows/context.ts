import type { Clock } from '../../platform/clock.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database } from '../../platform/database/database.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Audit } from '../audit/audit.js'
import type { Limits } from '../limits/limits.js'
import type { Outbox } from '../mail/mail.js'
import type { Revocations } from '../revocation/revocation.js'
import type { flowEvents } from './audit-events.js'
import type { FlowSettings } from './kinds.js'

/** What the operations on flows work with. */
export interface FlowsContext {
  database: Database
  secrets: SecretKeys
  clock: Clock
  limits: Limits
  audit: Audit<typeof flowEvents>
  accounts: Accounts
  revocations: Revocations
  outbox: Outbox
  /** Starts the delivery of mails that were committed. */
  wakeMail: () => void
  settings: FlowSettings &
    LinkSettings & {
      /** NOTICES. */
      notices: 'all' | 'credentials'
      /** Whether mails are sent at all; otherwise nothing is begun. */
      sendsMail: boolean
    }
}

export interface LinkSettings {
  /** LINK_URL, without a slash at its end. */
  linkUrl: string
  /** LINK_STYLE: where the token stands in a link. */
  linkStyle: 'query' | 'fragment'
}
