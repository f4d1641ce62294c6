import type { AuditEvents } from '../audit/audit.js'

export const accountEvents = {
  password_changed: 'done',
  recovery_codes_replaced: 'done',
  password_removed: 'done',
  user_deleted: 'done',
  email_change_requested: 'done',
  email_change_cancelled: 'done',
  email_changed: 'done',
  email_change_undone: 'done',
  session_disowned: 'done',
  registration_disowned: 'done',
  factors_reset_stopped: 'done',
  provider_notice_received: 'done',
  provider_notice_refused: 'refused',
} as const satisfies AuditEvents
