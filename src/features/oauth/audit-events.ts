import type { AuditEvents } from '../audit/audit.js'

export const oauthEvents = {
  oauth_signed_in: 'done',
  oauth_consent_given: 'done',
  oauth_consent_refused: 'done',
  oauth_code_reused: 'alarm',
} as const satisfies AuditEvents
