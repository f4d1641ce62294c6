import type { AuditEvents } from '../audit/audit.js'

export const passwordEvents = {
  password_check_failed: 'refused',
  password_check_limited: 'alarm',
} as const satisfies AuditEvents
