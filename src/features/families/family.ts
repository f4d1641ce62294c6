import type { AnyEndReason, EndReason } from '../../wire/end-reason.js'
import type { Mode } from '../../wire/mode.js'
import type { Prisma } from '../../generated/prisma/client.js'
import { isBanned, tokenUserOf, type TokenUser, type TokenUserRow } from '../accounts/accounts.js'
import type { AccessTokenGrant, IssuedAccessToken } from '../tokens/tokens.js'
import type { FamiliesContext } from './context.js'
import { formatRefreshToken, type RefreshToken } from './refresh-token.js'
import type { FamilyMode, JudgedFamily, Life } from './rotation.js'

/** What decides, beside its row, whether a family lives. */
export interface LifeLimits {
  idleSeconds: Record<FamilyMode, number>
  shiftMs: number
}

/** A refresh-token family, whole. */
export interface Family extends JudgedFamily {
  id: string
  /** What the client was granted (RFC 6749, section 3.3); empty for first-party clients. */
  scope: string
  /** The resources that its access tokens are for (RFC 8707); empty for first-party clients. */
  audience: string[]
  /** The `sid` of ID tokens (OpenID Connect Back-Channel Logout, section 2.1); null for first-party clients. */
  rpSid: string | null
  /** The family of the browser session in which the client was authorized; null for first-party clients. */
  parentId: string | null
  /** The grant that the client's authorization belongs to. */
  grantId: string | null
  /** The identity at another provider with which its user signed in; null for every other way in. */
  identityId: string | null
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

/** Families that are to end. */
export type EndingFamilies =
  /** Those of the handles and ids, and of them only one client's if it is given. */
  | { handleHashes?: readonly Uint8Array[]; ids?: readonly string[]; clientId?: string }
  /** All of a user but one and, if `sparesChildren`, but those that would end with it. */
  | { userId: string; exceptId: string | null; sparesChildren?: boolean }
  /** Those of an OAuth client for a user. */
  | { userId: string; clientId: string }
  | { grantId: string }
  /** Those that a user's identity opened, and the clients that were authorized in them. */
  | { userId: string; identityId: string }
  /** Only the children, of families that have ended. */
  | { parentIds: readonly string[] }

export interface Ending {
  reason: EndReason
  /** The user who asked for it, `subject` where it is the family's own; null where it was none. */
  by: string | null
  ip: string | null
  userAgent: string | null
  shiftMs: number
  /** See the context. */
  toldWhenEnded?: FamiliesContext['toldWhenEnded']
  /** Other parts of the statement, for which `ended` has the rows that end. */
  together(ended: Prisma.Sql): Prisma.Sql[]
}

/** The mode of a first-party session. Only the token endpoint hands out the tokens of OAuth clients. */
export function firstPartyModeOf({ mode }: Pick<Family, 'mode'>): Mode {
  if (mode === 'client') throw new Error('This family belongs to an OAuth client, not to a first-party session.')
  return mode
}

/** The modes whose refresh tokens travel in a request's body, in a cookie, and in the form of an OAuth client. */
export const carriedModes = {
  body: ['json'],
  cookie: ['cookie', 'session'],
  client: ['client'],
} as const satisfies Record<string, readonly FamilyMode[]>

/** How first-party refresh tokens travel. */
export type Carrier = Exclude<keyof typeof carriedModes, 'client'>

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
  mode: FamilyMode
  client_id: string
  scope: string
  audience: string[] | null
  cnf_jkt: string | null
  rp_sid: string | null
  parent_id: string | null
  grant_id: string | null
  late_generation: number | null
  identity_id: string | null
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
  /** Only of statements whose rows are judged; the others have the rule in their condition. */
  parent?: ParentRow | 'gone' | null
  now: Date
}

/** As JSON: times are in milliseconds since 1970. */
interface ParentRow {
  mode: FamilyMode
  last_used_at: number
  expires_at: number
  ended_at: number | null
  end_reason: AnyEndReason | null
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
    audience: row.audience ?? [],
    jkt: row.cnf_jkt,
    rpSid: row.rp_sid,
    parentId: row.parent_id,
    grantId: row.grant_id,
    lateGeneration: row.late_generation,
    identityId: row.identity_id,
    parent: parentOf(row.parent ?? null),
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

function parentOf(row: NonNullable<Row['parent']> | null): Life | 'gone' | null {
  if (row === null || row === 'gone') return row
  return {
    mode: row.mode,
    lastUsedAt: new Date(row.last_used_at),
    expiresAt: new Date(row.expires_at),
    ended: row.ended_at && row.end_reason ? { at: new Date(row.ended_at), reason: row.end_reason } : null,
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

/** What the token endpoint gives to an OAuth client. The access token is signed once its scope and audience are known. */
export interface ClientTokens {
  refreshToken: string
  /** When the family ends unless it is refreshed before. */
  refreshExpiresAt: Date
  family: Family
  user: TokenUser
  /**
   * Signs an access token for what the family was granted, or for less (RFC 6749, section 6; RFC 8707, section 2.2), bound to
   * the key that the request has proven, or to `jkt` where it says so. `clientEpoch` is the client's, as it was when it authenticated.
   */
  issueAccessToken(
    told: { clientEpoch: number } & Partial<
      Pick<AccessTokenGrant, 'scope' | 'audience' | 'jkt' | 'ttlSeconds' | 'algorithm'>
    >,
  ): IssuedAccessToken
}

/** A family and its user, by the database's time at which both were read. */
export type LivingReading = FamilyReading & { user: TokenUser }

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

/** Makes an access token of a first-party family. */
export function makeAccessGrant(context: FamiliesContext, reading: LivingReading): AccessGrant {
  const { family, user, now } = reading
  const refreshExpiresAt = idleOrAbsoluteEnd(family, context.settings.idleSeconds[family.mode])
  const times = { issuedAt: now, notAfter: refreshExpiresAt }
  return { accessToken: context.accessTokens.issue(subjectOf(reading), times), refreshExpiresAt, family, user }
}

/** Makes the tokens of an OAuth client's family. `jkt` is the thumbprint of the key that the request has proven. */
export function makeClientTokens(
  context: FamiliesContext,
  reading: LivingReading,
  { refreshToken, jkt }: { refreshToken: RefreshToken; jkt: string | null },
): ClientTokens {
  const { family, user, now } = reading
  const { clientId, scope, audience } = family
  const refreshExpiresAt = idleOrAbsoluteEnd(family, context.settings.idleSeconds[family.mode])
  return {
    refreshToken: formatRefreshToken(context.secrets, refreshToken),
    refreshExpiresAt,
    family,
    user,
    issueAccessToken({ clientEpoch: epoch, ...narrowed }) {
      const grant = { client: { clientId, epoch }, scope, audience, jkt, ...narrowed }
      return context.accessTokens.issue(subjectOf(reading), { issuedAt: now, notAfter: refreshExpiresAt }, grant)
    },
  }
}

function subjectOf({ family, user }: LivingReading) {
  return {
    userId: user.id,
    sessionId: family.id,
    epoch: user.epoch,
    roles: user.roles,
    authenticatedAt: family.authenticatedAt,
    amr: family.amr,
    acr: family.acr,
  }
}

/** When a family ends unless it is used before. */
export function idleOrAbsoluteEnd({ lastUsedAt, expiresAt }: Life, idleSeconds: number): Date {
  return new Date(Math.min(lastUsedAt.getTime() + idleSeconds * 1000, expiresAt.getTime()))
}
