import type { AuditEvents } from '../audit/audit.js'

export const signInEvents = {
  user_registered: 'done',
  registration_refused_taken: 'refused',
  registration_limited: 'refused',
  login_succeeded: 'done',
  login_failed: 'refused',
  login_refused_banned: 'refused',
  second_factor_failed: 'refused',
  passkeys_limited: 'refused',
  social_sign_in_refused: 'refused',
  reauthenticated: 'done',
  email_verified: 'done',
  unverified_access_removed: 'done',
  password_reset: 'done',
} as const satisfies AuditEvents
