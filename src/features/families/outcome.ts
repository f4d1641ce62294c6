import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { system } from '../audit/audit.js'
import type { familyEvents } from './audit-events.js'
import type { FamiliesContext, RefreshOutcome } from './context.js'
import type { Family } from './family.js'

/** What is written down of each outcome; null for what is ordinary. */
const eventOf: Record<RefreshOutcome, keyof typeof familyEvents | null> = {
  rotate: null,
  replay: null,
  forged: null,
  ahead: 'refresh_ahead',
  late_replay: 'refresh_late_replay',
  superseded: 'refresh_superseded',
  wrong_mode: 'refresh_wrong_mode',
  wrong_client: 'refresh_wrong_client',
  wrong_key: 'refresh_wrong_key',
  ended: 'refresh_refused',
  reuse: 'refresh_reused',
}

/** Counts what became of a genuine token, and audits it unless it is ordinary. */
export async function recordOutcome(
  { audit, countRefresh }: FamiliesContext,
  tx: Queries,
  outcome: RefreshOutcome,
  { family, generation, caller }: { family: Family; generation: number; caller: Caller },
): Promise<void> {
  countRefresh(outcome)
  const event = eventOf[outcome]
  if (event === null) return
  const { id: sessionId, userId, generation: current } = family
  // A token that was used twice may have been shown by the user or by a thief.
  const actor = outcome === 'reuse' ? system : { kind: 'user' as const, id: userId }
  await audit.record(tx, { event, actor, caller, userId, sessionId, detail: { generation, current } })
}
