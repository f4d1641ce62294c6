/**
 * The events of the audit trail, as each feature declares them. The names are API, and remain in the table permanently.
 */
import { accountEvents } from './features/account/audit-events.js'
import { addressRuleEvents } from './features/address-rules/audit-events.js'
import { administrationEvents } from './features/administration/audit-events.js'
import type { AuditEvents } from './features/audit/audit.js'
import { backchannelLogoutEvents } from './features/backchannel-logout/audit-events.js'
import { refreshRateEvents } from './features/browser/audit-events.js'
import { clientEvents } from './features/clients/audit-events.js'
import { factorEvents } from './features/factors/audit-events.js'
import { familyEvents } from './features/families/audit-events.js'
import { flowEvents } from './features/flows/audit-events.js'
import { identityEvents } from './features/identities/audit-events.js'
import { oauthEvents } from './features/oauth/audit-events.js'
import { passkeyEvents } from './features/passkeys/audit-events.js'
import { passwordEvents } from './features/passwords/audit-events.js'
import { signInEvents } from './features/sign-in/audit-events.js'
import { keyEvents } from './features/tokens/audit-events.js'

export const auditEvents = {
  ...signInEvents,
  ...familyEvents,
  ...flowEvents,
  ...accountEvents,
  ...passwordEvents,
  ...factorEvents,
  ...passkeyEvents,
  ...identityEvents,
  ...administrationEvents,
  ...refreshRateEvents,
  ...addressRuleEvents,
  ...clientEvents,
  ...backchannelLogoutEvents,
  ...keyEvents,
  ...oauthEvents,
} satisfies AuditEvents
