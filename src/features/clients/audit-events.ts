import type { AuditEvents } from '../audit/audit.js'

export const clientEvents = {
  client_created: 'done',
  client_secret_rotated: 'done',
  client_disabled: 'done',
  client_enabled: 'done',
  client_removed: 'done',
  client_document_changed: 'done',
  client_document_limited: 'alarm',
  client_creation_limited: 'alarm',
  registration_token_created: 'done',
  registration_token_removed: 'done',
  resource_created: 'done',
  resource_removed: 'done',
} as const satisfies AuditEvents
