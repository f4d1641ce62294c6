import type { AuditEvents } from '../audit/audit.js'

export const addressRuleEvents = {
  address_blocked: 'done',
  address_allowed: 'done',
  address_rule_removed: 'done',
} as const satisfies AuditEvents
