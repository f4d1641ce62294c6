import type { AuditEvents } from '../audit/audit.js'

export const clientEvents = {
  client_created: 'done',
  client_secret_rotated: 'done',
  client_disabled: 'done',
  client_enabled: 'done',
  client_removed: 'done',
  resource_created: 'done',
  resource_removed: 'done',
} as const satisfies AuditEvents
