/** What is recorded, and whether it was done, was refused, or is a sign that somebody is at work who should not be. */
export const auditEvents = {
  user_registered: 'done',
  user_created: 'done',
  user_deleted: 'done',
  user_banned: 'done',
  user_unbanned: 'done',
  registration_refused_taken: 'refused',
  login_succeeded: 'done',
  login_failed: 'refused',
  login_refused_banned: 'refused',
  password_changed: 'done',
  password_check_failed: 'refused',
  password_reset: 'done',
  roles_changed: 'done',
  session_ended: 'done',
  refresh_refused: 'refused',
  refresh_superseded: 'refused',
  refresh_ahead: 'done',
  refresh_reused: 'alarm',
  refresh_wrong_mode: 'refused',
  key_rotated: 'done',
  key_withdrawn: 'done',
  keys_resealed: 'done',
} as const

export type AuditEventName = keyof typeof auditEvents
