import type { EndReason } from '../../wire/end-reason.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import type { Actor } from '../audit/audit.js'
import type { RevokingStatement } from '../revocation/revocation.js'
import type { FamiliesContext } from './context.js'
import type { Ending, EndingFamilies } from './family.js'
import * as store from './ending-store.js'

/** The party that ends a session, and its caller; `subject` is the user whose session it is. */
export interface EndedBy {
  actor: Actor | 'subject'
  caller: Caller
}

/**
 * Ends families with all that belongs to it, in one statement: the tombstones, the revocations and the audit events, for their
 * children without `offline_access` too. Those that have ended already stay as they are. Returns the ids of what has ended.
 */
export async function endFamilies(
  { audit, clock, toldWhenEnded }: FamiliesContext,
  client: Queries,
  revoking: RevokingStatement,
  which: EndingFamilies,
  reason: EndReason,
  by: EndedBy,
): Promise<string[]> {
  const { actor, caller } = by
  const byUser = actor === 'subject' || actor.kind === 'user' ? actor : null
  const ending: Ending = {
    reason,
    by: byUser === 'subject' ? 'subject' : (byUser?.id ?? null),
    ip: caller.ip,
    userAgent: caller.userAgent,
    shiftMs: clock.shiftMs,
    toldWhenEnded,
    together: (ended) => [
      revoking.within(ended),
      audit.insertionForEach({ event: 'session_ended', ...by, detail: { reason } }, { at: clock.now(), ended }),
    ],
  }
  const { ids, missed } = await store.endFamilies(client, which, ending)
  revoking.ended(ids)
  if (missed.length === 0) return ids
  // None can be opened any more, as their parents have ended.
  const late = await store.endFamilies(client, { parentIds: missed }, ending)
  revoking.ended(late.ids)
  return [...ids, ...late.ids]
}
