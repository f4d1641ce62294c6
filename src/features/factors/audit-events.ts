import type { AuditEvents } from '../audit/audit.js'

export const factorEvents = {
  factor_added: 'done',
  factor_removed: 'done',
  recovery_code_used: 'done',
  factor_codes_limited: 'alarm',
  totp_secrets_resealed: 'done',
} as const satisfies AuditEvents
