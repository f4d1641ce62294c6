import { timingSafeEqual } from 'node:crypto'
import type { AnyEndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import type { Attempt } from './refresh-token.js'

/**
 * How many refreshes may overtake one that is on its way. More than the tabs of a browser need that all start at once;
 * few enough that a thief who rotates on and on is found within so many graces.
 */
const MAX_RACING_GENERATIONS = 8

/** What the rules look at in a family. */
export interface JudgedFamily {
  mode: Mode
  /** The client that the tokens were issued to. */
  clientId: string
  generation: number
  /** The attempt that made the current generation; null before the first refresh. */
  attempt: Attempt | null
  rotatedAt: Date | null
  lastUsedAt: Date
  expiresAt: Date
  ended: { at: Date; reason: AnyEndReason } | null
  /** Null once the user is deleted. */
  userId: string | null
  /** Whether the user exists and is banned at this moment. */
  banned: boolean
}

export interface RotationSettings {
  /** How long a family lives without being used, by its mode. */
  idleSeconds: Record<Mode, number>
  /** REFRESH_GRACE: how long a lost answer heals, and a lost race is forgiven, without an attempt key. */
  graceSeconds: number
}

export interface Presented {
  generation: number
  /** The modes whose tokens travel as this one did. */
  modes: readonly Mode[]
  /** The client that presents the token: it is bound to the one that it was issued to (RFC 6749, section 10.4). */
  clientId: string
  attempt: Attempt
}

export type Verdict =
  | { outcome: 'wrong_mode' | 'wrong_client' }
  | { outcome: 'ended'; reason: AnyEndReason }
  /** `ahead`: the database lost writes that it had acknowledged; the token proves that we issued it. */
  | { outcome: 'rotate'; ahead: boolean }
  | { outcome: 'replay' }
  | { outcome: 'superseded' }
  | { outcome: 'reuse' }

/**
 * Judges a genuine refresh token. A forged one never gets here: otherwise anyone who knew a session's id could end it.
 * The rules stand in the order in which they apply (RFC 9700, section 4.14.2, is the last one).
 */
export function judge(family: JudgedFamily, presented: Presented, settings: RotationSettings, now: Date): Verdict {
  if (!presented.modes.includes(family.mode)) return { outcome: 'wrong_mode' }
  if (presented.clientId !== family.clientId) return { outcome: 'wrong_client' }
  const reason = endOf(family, settings, now)
  if (reason !== null) return { outcome: 'ended', reason }
  const behind = family.generation - presented.generation
  if (behind <= 0) return { outcome: 'rotate', ahead: behind < 0 }
  if (behind === 1 && isSameAttempt(family, presented.attempt, settings, now)) return { outcome: 'replay' }
  const overtaken = behind <= MAX_RACING_GENERATIONS && isWithinGrace(family, settings, now)
  return { outcome: overtaken ? 'superseded' : 'reuse' }
}

export type RenewalVerdict =
  | { outcome: 'wrong_mode' | 'wrong_client' }
  | { outcome: 'ended'; reason: AnyEndReason }
  /** `ahead` as in a refresh. */
  | { outcome: 'renew'; ahead: boolean }
  | { outcome: 'reuse' }

/**
 * Judges a genuine refresh cookie that stands in for an access cookie in mode `session`. Nothing rotates, so the
 * current generation serves as often as it comes, and the one before it while the rotation's answer is on its way.
 */
export function judgeRenewal(
  family: JudgedFamily,
  { generation, clientId }: Pick<Presented, 'generation' | 'clientId'>,
  settings: RotationSettings,
  now: Date,
): RenewalVerdict {
  if (family.mode !== 'session') return { outcome: 'wrong_mode' }
  if (clientId !== family.clientId) return { outcome: 'wrong_client' }
  const reason = endOf(family, settings, now)
  if (reason !== null) return { outcome: 'ended', reason }
  if (generation >= family.generation) return { outcome: 'renew', ahead: generation > family.generation }
  const justRotated = generation === family.generation - 1 && isWithinGrace(family, settings, now)
  return justRotated ? { outcome: 'renew', ahead: false } : { outcome: 'reuse' }
}

/** Why a family no longer lives, or null while it does; `lives` in the store says the same in SQL. An end that was written comes before one that time brought. */
export function endOf(
  family: Pick<JudgedFamily, 'ended' | 'expiresAt' | 'lastUsedAt' | 'mode' | 'userId' | 'banned'>,
  settings: RotationSettings,
  now: Date,
): AnyEndReason | null {
  if (family.ended !== null) return family.ended.reason
  if (family.expiresAt <= now) return 'expired'
  if (family.lastUsedAt.getTime() + settings.idleSeconds[family.mode] * 1000 <= now.getTime()) return 'idle'
  if (family.userId === null) return 'deleted'
  return family.banned ? 'banned' : null
}

function isSameAttempt(family: JudgedFamily, attempt: Attempt, settings: RotationSettings, now: Date): boolean {
  if (family.attempt === null) return false
  if (timingSafeEqual(family.attempt.hash, attempt.hash)) return true
  return !family.attempt.keyed && !attempt.keyed && isWithinGrace(family, settings, now)
}

function isWithinGrace(family: JudgedFamily, settings: RotationSettings, now: Date): boolean {
  // No time at all has passed when the clock reads what it read at the rotation: without a grace, that counts too.
  if (settings.graceSeconds === 0 || family.rotatedAt === null) return false
  return now.getTime() - family.rotatedAt.getTime() <= settings.graceSeconds * 1000
}
