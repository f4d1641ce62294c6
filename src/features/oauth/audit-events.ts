import type { AuditEvents } from '../audit/audit.js'

export const oauthEvents = {
  oauth_signed_in: 'done',
  oauth_consent_given: 'done',
  oauth_consent_refused: 'done',
  oauth_code_reused: 'alarm',
  oauth_device_approved: 'done',
  oauth_device_refused: 'done',
  oauth_user_code_limited: 'alarm',
} as const satisfies AuditEvents
