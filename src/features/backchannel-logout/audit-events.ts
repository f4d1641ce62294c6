import type { AuditEvents } from '../audit/audit.js'

export const backchannelLogoutEvents = {
  backchannel_logout_failed: 'refused',
} as const satisfies AuditEvents
