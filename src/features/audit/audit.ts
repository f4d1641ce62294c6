/**
 * Owns the audit trail: what happened to which user's access, when, from where. Events are written in the transaction
 * of what they tell, so that neither exists without the other. Successful refreshes and verified requests are not
 * events: the session itself keeps when and from where it was last used.
 */
import { uuidv7 } from '../../platform/uuid.js'
import type { Clock } from '../../platform/clock.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import * as store from './store.js'

export type AuditEventName =
  | 'user_registered'
  | 'user_created'
  | 'user_deleted'
  | 'user_banned'
  | 'user_unbanned'
  | 'login_succeeded'
  | 'login_failed'
  | 'login_refused_banned'
  | 'password_changed'
  | 'password_check_failed'
  | 'password_reset'
  | 'roles_changed'
  | 'session_ended'
  | 'refresh_refused'
  | 'refresh_superseded'
  | 'refresh_ahead'
  | 'refresh_reused'
  | 'refresh_wrong_mode'
  | 'key_rotated'
  | 'key_withdrawn'
  | 'keys_resealed'
  | 'password_check_limited'
  | 'registration_limited'
  | 'refresh_limited'
  | 'address_blocked'
  | 'address_allowed'
  | 'address_rule_removed'

export interface AuditEvent {
  event: AuditEventName
  caller: Caller
  userId?: string | null
  sessionId?: string | null
  detail?: Record<string, string | number>
}

export interface Audit {
  /** Writes events with the time of the database's clock. Hand in the transaction that makes them true. */
  record(client: Queries, ...events: AuditEvent[]): Promise<void>
  /** Takes address, agent and what was written about a user out of all events, which remain: they asked to be forgotten. */
  forgetUser(tx: Queries, userId: string): Promise<void>
}

export function createAudit({ clock }: { clock: Clock }): Audit {
  return {
    async record(client, ...events) {
      if (events.length === 0) return
      const at = clock.now()
      await store.insertEvents(
        client,
        events.map(({ event, caller, userId = null, sessionId = null, detail }) => ({
          id: uuidv7(),
          at,
          event,
          userId,
          sessionId,
          ip: caller.ip,
          userAgent: caller.userAgent,
          requestId: caller.requestId,
          ...(detail && { detail }),
        })),
      )
    },

    forgetUser: store.forgetUser,
  }
}
