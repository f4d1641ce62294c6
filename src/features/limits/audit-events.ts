import type { AuditEvents } from '../audit/audit.js'

export const limitEvents = {
  password_check_limited: 'alarm',
  registration_limited: 'refused',
  refresh_limited: 'refused',
} as const satisfies AuditEvents
