import type { EndReason } from '../../wire/end-reason.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import type { Actor } from '../audit/audit.js'
import type { Revoke } from '../revocation/revocation.js'
import type { FamiliesContext } from './context.js'
import type { Ending, Family } from './family.js'
import * as store from './store.js'

/** Who ends a session, and from where. */
export interface EndedBy {
  actor: Actor
  caller: Caller
}

/** Ends one family, in the caller's transaction. Harmless where it has ended already. */
export async function endFamily(
  { audit, clock }: FamiliesContext,
  tx: Queries,
  revoke: Revoke,
  family: Pick<Family, 'id' | 'userId'>,
  reason: EndReason,
  by: EndedBy,
): Promise<void> {
  if (!(await store.endFamily(tx, family.id, endingOf(reason, by), clock.shiftMs))) return
  await revoke({ kind: 'session', sid: family.id })
  await audit.record(tx, {
    event: 'session_ended',
    ...by,
    userId: family.userId,
    sessionId: family.id,
    detail: { reason },
  })
}

/** Ends every family of a user, but the one excepted, in the caller's transaction. */
export async function endFamiliesOfUser(
  { audit, clock }: FamiliesContext,
  tx: Queries,
  revoke: Revoke,
  userId: string,
  { except = null, reason, by }: { except?: string | null; reason: EndReason; by: EndedBy },
): Promise<void> {
  const ended = await store.endFamiliesOfUser(tx, userId, except, endingOf(reason, by), clock.shiftMs)
  await revoke(...ended.map((sid) => ({ kind: 'session' as const, sid })))
  await audit.record(
    tx,
    ...ended.map((sessionId) => ({
      event: 'session_ended' as const,
      ...by,
      userId,
      sessionId,
      detail: { reason },
    })),
  )
}

function endingOf(reason: EndReason, { actor, caller }: EndedBy): Ending {
  return { reason, by: actor.kind === 'user' ? actor.id : null, ip: caller.ip, userAgent: caller.userAgent }
}
