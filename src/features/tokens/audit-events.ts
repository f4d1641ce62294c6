import type { AuditEvents } from '../audit/audit.js'

export const keyEvents = {
  key_rotated: 'done',
  key_withdrawn: 'done',
  keys_resealed: 'done',
} as const satisfies AuditEvents
