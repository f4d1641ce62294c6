import type { AuditEvents } from '../audit/audit.js'

export const accountEvents = {
  password_changed: 'done',
  user_deleted: 'done',
} as const satisfies AuditEvents
