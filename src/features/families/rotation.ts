import { timingSafeEqual } from 'node:crypto'
import type { AnyEndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import type { Attempt } from './refresh-token.js'

/**
 * How many refreshes may overtake one that is on its way. More than the tabs of a browser need that all start at once;
 * few enough that a thief who rotates on and on is found within so many graces.
 */
const MAX_RACING_GENERATIONS = 8

/** How the tokens of a family travel: those of OAuth clients by the form of RFC 6749, section 6. */
export type FamilyMode = Mode | 'client'

/** What decides, beside its user and its parent, whether a family lives. */
export interface Life {
  mode: FamilyMode
  lastUsedAt: Date
  expiresAt: Date
  ended: { at: Date; reason: AnyEndReason } | null
}

/** What the rules look at in a family. */
export interface JudgedFamily extends Life {
  /** The client that the tokens were issued to. */
  clientId: string
  /** The thumbprint of the key that a refresh has to prove (RFC 9449, section 5); null where none is asked for. */
  jkt: string | null
  generation: number
  /** The attempt that made the current generation; null before the first refresh. */
  attempt: Attempt | null
  rotatedAt: Date | null
  /** The generation whose token was last answered by `late_replay`. */
  lateGeneration: number | null
  /** Null once the user is deleted. */
  userId: string | null
  /** Whether the user exists and is banned at this moment. */
  banned: boolean
  /** The browser session that it ends with; `gone` after that was purged, null for a family that ends with none. */
  parent: Life | 'gone' | null
}

export interface RotationSettings {
  /** How long a family lives without being used, by its mode. */
  idleSeconds: Record<FamilyMode, number>
  /** REFRESH_GRACE: how long a lost answer heals, and a lost race is forgiven, without an attempt key. */
  graceSeconds: number
}

/**
 * How long an answer that was lost is given again to a client that knows no attempt keys: `grace` for REFRESH_GRACE, and
 * `until_used` until the successor in it was itself presented.
 */
export type LostAnswer = 'grace' | 'until_used'

export interface Presented {
  generation: number
  /** The modes whose tokens travel as this one did. */
  modes: readonly FamilyMode[]
  /** The client that presents the token: it is bound to the one that it was issued to (RFC 6749, section 10.4). */
  clientId: string
  /** The thumbprint of the key that the client has proven to hold; null where it has shown none. */
  jkt: string | null
  lostAnswer: LostAnswer
  attempt: Attempt
}

export type Verdict =
  | { outcome: 'wrong_mode' | 'wrong_client' | 'wrong_key' }
  | { outcome: 'ended'; reason: AnyEndReason }
  /** `ahead`: the database lost writes that it had acknowledged; the token proves that we issued it. */
  | { outcome: 'rotate'; ahead: boolean }
  | { outcome: 'replay' }
  /** The same answer, which counts: the token after this one is not answered late too. */
  | { outcome: 'late_replay' }
  | { outcome: 'superseded' }
  | { outcome: 'reuse' }

/**
 * Judges a genuine refresh token. A forged one never gets here: otherwise anyone who knew a session's id could end it.
 * The rules stand in the order in which they apply (RFC 9700, section 4.14.2, is the last one).
 */
export function judge(family: JudgedFamily, presented: Presented, settings: RotationSettings, now: Date): Verdict {
  if (!presented.modes.includes(family.mode)) return { outcome: 'wrong_mode' }
  if (presented.clientId !== family.clientId) return { outcome: 'wrong_client' }
  if (family.jkt !== null && presented.jkt !== family.jkt) return { outcome: 'wrong_key' }
  const reason = endOf(family, settings, now)
  if (reason !== null) return { outcome: 'ended', reason }
  const behind = family.generation - presented.generation
  if (behind <= 0) return { outcome: 'rotate', ahead: behind < 0 }
  if (behind === 1 && isSameAttempt(family, presented.attempt, settings, now)) return { outcome: 'replay' }
  if (behind === 1 && isLateRepetition(family, presented)) return { outcome: 'late_replay' }
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

/**
 * Why a family no longer lives, or null while it does; `lives` in the store says the same in SQL. An end that was written
 * comes before one that time brought, and its own before that of its parent.
 */
export function endOf(
  family: Life & Pick<JudgedFamily, 'userId' | 'banned' | 'parent'>,
  settings: Pick<RotationSettings, 'idleSeconds'>,
  now: Date,
): AnyEndReason | null {
  const reason = endOfLife(family, settings, now)
  if (reason !== null) return reason
  if (family.userId === null) return 'deleted'
  if (family.banned) return 'banned'
  if (family.parent === null) return null
  return family.parent === 'gone' ? 'expired' : endOfLife(family.parent, settings, now)
}

function endOfLife(
  { ended, expiresAt, lastUsedAt, mode }: Life,
  { idleSeconds }: Pick<RotationSettings, 'idleSeconds'>,
  now: Date,
): AnyEndReason | null {
  if (ended !== null) return ended.reason
  if (expiresAt <= now) return 'expired'
  return lastUsedAt.getTime() + idleSeconds[mode] * 1000 <= now.getTime() ? 'idle' : null
}

function isSameAttempt(family: JudgedFamily, attempt: Attempt, settings: RotationSettings, now: Date): boolean {
  if (family.attempt === null) return false
  if (timingSafeEqual(family.attempt.hash, attempt.hash)) return true
  return !family.attempt.keyed && !attempt.keyed && isWithinGrace(family, settings, now)
}

/**
 * Without a key, a client whose answer was lost cannot be told from a thief who presents a copy, but for one thing: the two
 * holders of a copied token go on, and the one that is behind comes late again with the next token. So that is not answered.
 */
function isLateRepetition(family: JudgedFamily, { generation, attempt, lostAnswer }: Presented): boolean {
  if (lostAnswer !== 'until_used' || family.attempt === null) return false
  return !family.attempt.keyed && !attempt.keyed && family.lateGeneration !== generation - 1
}

function isWithinGrace(family: JudgedFamily, settings: RotationSettings, now: Date): boolean {
  // No time at all has passed when the clock reads what it read at the rotation: without a grace, that counts too.
  if (settings.graceSeconds === 0 || family.rotatedAt === null) return false
  return now.getTime() - family.rotatedAt.getTime() <= settings.graceSeconds * 1000
}
