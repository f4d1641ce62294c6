import type { AuditEvents } from '../audit/audit.js'

export const passwordEvents = {
  password_check_failed: 'refused',
} as const satisfies AuditEvents
