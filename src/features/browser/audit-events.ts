import type { AuditEvents } from '../audit/audit.js'

export const refreshRateEvents = {
  refresh_limited: 'refused',
} as const satisfies AuditEvents
