import type { IssuedAccessToken } from '../tokens/tokens.js'
import type { FamiliesContext } from './context.js'
import type { TokenUser } from '../accounts/accounts.js'
import type { Family } from './family.js'
import { formatRefreshToken, type RefreshToken } from './refresh-token.js'

/** What a sign-in or a refresh gives: both tokens, and the session and user that they are for. */
export interface SessionTokens {
  accessToken: IssuedAccessToken
  refreshToken: string
  /** When the family ends unless it is refreshed before: the sooner of its idle and its absolute end. */
  refreshExpiresAt: Date
  family: Family
  user: TokenUser
}

/** Makes the tokens of a family, by the database's time at which it was read. */
export function makeSessionTokens(
  { accessTokens, secrets, limits }: FamiliesContext,
  { family, user, now }: { family: Family; user: TokenUser; now: Date },
  refreshToken: RefreshToken,
): SessionTokens {
  const refreshExpiresAt = idleOrAbsoluteEnd(family, limits.idleSeconds[family.mode])
  const subject = {
    userId: user.id,
    sessionId: family.id,
    epoch: user.epoch,
    roles: user.roles,
    authenticatedAt: family.authenticatedAt,
    amr: family.amr,
  }
  return {
    accessToken: accessTokens.issue(subject, { issuedAt: now, notAfter: refreshExpiresAt }),
    refreshToken: formatRefreshToken(secrets, refreshToken),
    refreshExpiresAt,
    family,
    user,
  }
}

/** When a family ends unless it is used before. */
export function idleOrAbsoluteEnd({ lastUsedAt, expiresAt }: Family, idleSeconds: number): Date {
  return new Date(Math.min(lastUsedAt.getTime() + idleSeconds * 1000, expiresAt.getTime()))
}
