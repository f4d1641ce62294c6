import type { AuditEvents } from '../audit/audit.js'

export const familyEvents = {
  session_ended: 'done',
  refresh_refused: 'refused',
  refresh_superseded: 'refused',
  refresh_ahead: 'done',
  refresh_late_replay: 'done',
  refresh_reused: 'alarm',
  refresh_wrong_mode: 'refused',
  refresh_wrong_client: 'refused',
  refresh_wrong_key: 'refused',
} as const satisfies AuditEvents
