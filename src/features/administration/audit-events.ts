import type { AuditEvents } from '../audit/audit.js'

export const administrationEvents = {
  user_created: 'done',
  user_invited: 'done',
  user_banned: 'done',
  user_unbanned: 'done',
  roles_changed: 'done',
  factors_reset_announced: 'done',
  factors_reset: 'done',
} as const satisfies AuditEvents
