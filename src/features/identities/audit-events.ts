import type { AuditEvents } from '../audit/audit.js'

export const identityEvents = {
  identity_linked: 'done',
  identity_unlinked: 'done',
  /** The provider tells another address than before. No rule reads it, but it can be the first sign of an account that was taken over there. */
  identity_address_changed: 'done',
} as const satisfies AuditEvents
