import type { AuditEvents } from '../audit/audit.js'

export const flowEvents = {
  flow_code_wrong: 'refused',
  flow_codes_limited: 'refused',
  mails_limited: 'refused',
} as const satisfies AuditEvents
