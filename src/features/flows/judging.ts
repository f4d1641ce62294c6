import type { FlowKind } from './kinds.js'

/** How many wrong codes end a flow. */
export const MAX_ATTEMPTS = 5

export type FlowOutcome = 'done' | 'superseded' | 'cancelled' | 'too_many_attempts'

/** A flow as it is stored, as far as its state goes. */
export interface FlowState {
  kind: FlowKind
  attempts: number
  expiresAt: Date
  endedAt: Date | null
  outcome: FlowOutcome | null
}

/** Why a flow cannot be ended; API: the `reason` of `flow_invalid`. */
export type FlowRefusal = 'wrong_code' | 'expired' | 'used' | 'superseded' | 'too_many_attempts'

/**
 * Judges a flow whose link, or whose holder's token, is genuine: null where it is open. What is not genuine is told as
 * `expired`, so that it cannot be told from what was purged.
 */
export function refusalOf(flow: FlowState, kinds: readonly FlowKind[], now: Date): FlowRefusal | null {
  if (!kinds.includes(flow.kind)) return 'expired'
  if (flow.outcome === 'done') return 'used'
  if (flow.outcome === 'superseded' || flow.outcome === 'too_many_attempts') return flow.outcome
  if (flow.attempts >= MAX_ATTEMPTS) return 'too_many_attempts'
  if (flow.endedAt !== null || flow.expiresAt <= now) return 'expired'
  return null
}
