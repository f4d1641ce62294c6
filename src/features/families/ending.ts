import type { EndReason } from '../../wire/end-reason.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import type { Actor } from '../audit/audit.js'
import type { RevokingStatement } from '../revocation/revocation.js'
import type { FamiliesContext } from './context.js'
import type { EndingFamilies } from './family.js'
import * as store from './store.js'

/** The party that ends a session, and its caller; `subject` is the user whose session it is. */
export interface EndedBy {
  actor: Actor | 'subject'
  caller: Caller
}

/**
 * Ends families with all that belongs to it, in one statement: the tombstone, the revocation and the audit event. Those that
 * have ended already stay as they are.
 */
export async function endFamilies(
  { audit, clock }: FamiliesContext,
  client: Queries,
  revoking: RevokingStatement,
  which: EndingFamilies,
  reason: EndReason,
  by: EndedBy,
): Promise<void> {
  const { actor, caller } = by
  const byUser = actor === 'subject' || actor.kind === 'user' ? actor : null
  const ended = await store.endFamilies(client, which, {
    reason,
    by: byUser === 'subject' ? 'subject' : (byUser?.id ?? null),
    ip: caller.ip,
    userAgent: caller.userAgent,
    shiftMs: clock.shiftMs,
    together: (ended) => [
      revoking.within(ended),
      audit.insertionForEach({ event: 'session_ended', ...by, detail: { reason } }, { at: clock.now(), ended }),
    ],
  })
  revoking.ended(ended)
}
