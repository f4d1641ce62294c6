import type { AnyEndReason, EndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import type { Prisma } from '../../generated/prisma/client.js'
import { isBanned, tokenUserOf, type TokenUser, type TokenUserRow } from '../accounts/accounts.js'
import type { IssuedAccessToken } from '../tokens/tokens.js'
import type { FamiliesContext } from './context.js'
import { formatRefreshToken, type RefreshToken } from './refresh-token.js'
import type { JudgedFamily } from './rotation.js'

/** What decides, beside its row, whether a family lives. */
export interface LifeLimits {
  idleSeconds: Record<Mode, number>
  shiftMs: number
}

/** A refresh-token family, whole. */
export interface Family extends JudgedFamily {
  id: string
  /** What the client was granted (RFC 6749, section 3.3); empty for first-party clients. */
  scope: string
  remember: boolean
  deviceName: string | null
  userAgent: string | null
  ip: string | null
  amr: string[]
  /** Text, because a later version may have written a level that is unknown here. */
  acr: string
  authenticatedAt: Date
  createdAt: Date
}

/** First-party clients share one name. */
export const FIRST_PARTY_CLIENT = 'sallyport'

/** Families that are to end: those of the handles and ids, or all of a user but one. */
export type EndingFamilies =
  { handleHashes?: readonly Uint8Array[]; ids?: readonly string[] } | { userId: string; exceptId: string | null }

export interface Ending {
  reason: EndReason
  /** The user who asked for it, `subject` where it is the family's own; null where it was none. */
  by: string | null
  ip: string | null
  userAgent: string | null
  shiftMs: number
  /** Other parts of the statement, for which `ended` has the rows that end. */
  together(ended: Prisma.Sql): Prisma.Sql[]
}

/** The modes whose refresh tokens travel in a request's body, and those in a cookie. */
export const carriedModes = {
  body: ['json'],
  cookie: ['cookie', 'session'],
} as const satisfies Record<string, readonly Mode[]>

export type Carrier = keyof typeof carriedModes

/** A family, its user where there still is one, and the time by which both are judged: the database's. */
export interface FamilyReading {
  family: Family
  user: TokenUser | null
  now: Date
}

/** What the store selects: the columns of a family, and those of its user. */
export interface Row extends TokenUserRow {
  id: string
  generation: number
  attempt_hash: Uint8Array | null
  attempt_keyed: boolean
  rotated_at: Date | null
  mode: Mode
  client_id: string
  scope: string
  remember: boolean
  device_name: string | null
  user_agent: string | null
  ip: string | null
  amr: string[]
  acr: string
  authenticated_at: Date
  created_at: Date
  last_used_at: Date
  expires_at: Date
  ended_at: Date | null
  end_reason: AnyEndReason | null
  now: Date
}

/** A row as the rules read it. Whether the user is banned is decided by the time of the same reading. */
export function readingOf(row: Row): FamilyReading {
  const user = tokenUserOf(row)
  return { family: familyOf(row, user), user, now: row.now }
}

function familyOf(row: Row, user: TokenUser | null): Family {
  return {
    id: row.id,
    userId: row.user_id,
    generation: row.generation,
    attempt: row.attempt_hash && { hash: Buffer.from(row.attempt_hash), keyed: row.attempt_keyed },
    rotatedAt: row.rotated_at,
    mode: row.mode,
    clientId: row.client_id,
    scope: row.scope,
    remember: row.remember,
    deviceName: row.device_name,
    userAgent: row.user_agent,
    ip: row.ip,
    amr: row.amr,
    acr: row.acr,
    authenticatedAt: row.authenticated_at,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
    ended: row.ended_at && row.end_reason && { at: row.ended_at, reason: row.end_reason },
    banned: user !== null && isBanned(user, row.now),
  }
}

/** A new access token for a session whose refresh token stays as it is. */
export interface AccessGrant {
  accessToken: IssuedAccessToken
  /** When the family ends unless it is refreshed before: the sooner of its idle and its absolute end. */
  refreshExpiresAt: Date
  family: Family
  user: TokenUser
}

/** What a sign-in or a refresh gives: both tokens, and the session and user that they are for. */
export interface SessionTokens extends AccessGrant {
  refreshToken: string
}

/** A family and its user, by the database's time at which both were read. */
type LivingReading = FamilyReading & { user: TokenUser }

/** Makes the tokens of a family. */
export function makeSessionTokens(
  context: FamiliesContext,
  reading: LivingReading,
  refreshToken: RefreshToken,
): SessionTokens {
  return {
    ...makeAccessGrant(context, reading),
    refreshToken: formatRefreshToken(context.secrets, refreshToken),
  }
}

/** Makes an access token of a family. */
export function makeAccessGrant(
  { accessTokens, settings }: FamiliesContext,
  { family, user, now }: LivingReading,
): AccessGrant {
  const refreshExpiresAt = idleOrAbsoluteEnd(family, settings.idleSeconds[family.mode])
  const subject = {
    userId: user.id,
    sessionId: family.id,
    epoch: user.epoch,
    roles: user.roles,
    authenticatedAt: family.authenticatedAt,
    amr: family.amr,
    acr: family.acr,
  }
  return {
    accessToken: accessTokens.issue(subject, { issuedAt: now, notAfter: refreshExpiresAt }),
    refreshExpiresAt,
    family,
    user,
  }
}

/** When a family ends unless it is used before. */
export function idleOrAbsoluteEnd({ lastUsedAt, expiresAt }: Family, idleSeconds: number): Date {
  return new Date(Math.min(lastUsedAt.getTime() + idleSeconds * 1000, expiresAt.getTime()))
}
