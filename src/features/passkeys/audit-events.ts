import type { AuditEvents } from '../audit/audit.js'

export const passkeyEvents = {
  passkey_renamed: 'done',
  /** A counter that went back, of a passkey that may be on several devices, which count separately. */
  passkey_counter_ignored: 'done',
  /** The same of a passkey that cannot be copied: a sign of a copy. */
  passkey_counter_refused: 'alarm',
  passkey_backup_refused: 'alarm',
} as const satisfies AuditEvents
