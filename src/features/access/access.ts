/**
 * Owns the answer to "may this request pass?": finds the access token, has it verified, asks whether it still holds,
 * and in mode `session` stands in for a missing one. What a route requires is declared by the route.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { parseBearer } from '../../wire/access-token.js'
import type { AccessTokenClaims, UserClaims } from '../../wire/claims.js'
import type { ProblemCode } from '../../wire/problem-codes.js'
import { callerOf } from '../../platform/http/caller.js'
import type { Authenticate, Freshness } from '../../platform/http/access.js'
import { Problem } from '../../platform/problem.js'
import { genuineCookies, type SessionCookies } from '../browser/browser.js'
import type { Families } from '../families/families.js'
import type { Revocations } from '../revocation/revocation.js'
import type { AccessTokens } from '../tokens/tokens.js'

export interface AccessOptions {
  accessTokens: AccessTokens
  revocations: Revocations
  families: Families
  cookies: SessionCookies
}

/** How the guard can refuse, for the description of the routes behind it. */
export const accessProblems = [
  'token_missing',
  'token_invalid',
  'token_expired',
  'token_stale',
  'session_ended',
  'forbidden',
  // Where a refresh cookie stands in for the access cookie.
  'ambiguous_credentials',
  'refresh_token_reused',
  'database_unavailable',
  'revocation_stale',
] as const satisfies ProblemCode[]

const CLIENT_TOKEN = "This route acts for a user, and the access token is a client's own."

/** Makes the guard of routes that require an access token. */
export function createAccess(options: AccessOptions): Authenticate {
  return (request, reply, freshness) => {
    const { authorization } = request.headers
    // The header wins over a cookie: a client that sends one does not mean the other.
    if (authorization !== undefined) return check(options, requireBearer(authorization), freshness)
    return authenticateByCookie(options, request, reply, freshness)
  }
}

async function authenticateByCookie(
  options: AccessOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  freshness: Freshness,
): Promise<UserClaims> {
  const shown = await tryAccessCookies(options, request, freshness)
  if ('claims' in shown) return shown.claims
  // Whatever was wrong with the access cookies, planted ones included: the refresh cookie decides about the session.
  const renewed = await renewFromRefreshCookie(options, request, reply)
  if (renewed === null) throw shown.refused
  if (freshness === 'live') await options.families.requireLive(renewed)
  return renewed
}

/** Tokens in a query or a form are not looked for. */
function requireBearer(authorization: string): string {
  const token = parseBearer(authorization)
  if (token === null) throw new Problem('token_invalid')
  return token
}

function check(options: AccessOptions, token: string, freshness: Freshness): UserClaims | Promise<UserClaims> {
  const claims = options.accessTokens.recall(token)
  return claims === null
    ? options.accessTokens.verify(token).then((verified) => requireHolding(options, verified, freshness))
    : requireHolding(options, claims, freshness)
}

/**
 * Refuses a client's token, as every route here acts for a user. Nothing is wrong with the token, so this is not
 * `invalid_token` (RFC 6750, section 3.1), which would send the client for another one that is refused too.
 */
function requireUser(claims: AccessTokenClaims): UserClaims {
  if (claims.sid === undefined) throw new Problem('forbidden', { detail: CLIENT_TOKEN })
  return claims
}

/** The claims, where they are a user's and hold to the freshness asked for. */
function requireHolding(
  { revocations, families }: AccessOptions,
  verified: AccessTokenClaims,
  freshness: Freshness,
): UserClaims | Promise<UserClaims> {
  const claims = requireUser(verified)
  if (freshness === 'offline') return claims
  revocations.requireValid(claims)
  // The database is sure, however long ago the map was confirmed.
  if (freshness === 'live') return families.requireLive(claims).then(() => claims)
  revocations.requireCurrent()
  return claims
}

/**
 * The cookie that passes; else why the first one was refused. Where cookies of two sessions pass, one of them may have
 * been planted to have its victim act as somebody else, and nobody can tell which.
 */
async function tryAccessCookies(
  options: AccessOptions,
  request: FastifyRequest,
  freshness: Freshness,
): Promise<{ claims: UserClaims } | { refused: Problem }> {
  let passed: UserClaims | undefined
  let refused: Problem | undefined
  for (const token of options.cookies.readAccessTokens(request)) {
    try {
      const claims = await check(options, token, freshness)
      if (passed !== undefined && passed.sid !== claims.sid) throw new Problem('ambiguous_credentials')
      passed = claims
    } catch (error) {
      // A client's token is in a cookie only where it was planted: the genuine one still counts.
      const isPassedOver = error instanceof Problem && (error.status === 401 || error.code === 'forbidden')
      if (!isPassedOver) throw error
      refused ??= error
    }
  }
  return passed ? { claims: passed } : { refused: refused ?? new Problem('token_missing') }
}

async function renewFromRefreshCookie(
  { families, accessTokens, cookies }: AccessOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<UserClaims | null> {
  const tokens = genuineCookies(request, { cookies, parse: families.parse })
  const [token, ...others] = tokens
  if (others.length > 0) throw new Problem('ambiguous_credentials')
  const renewed = token && (await families.renew(token, callerOf(request)))
  if (!renewed) return null
  cookies.setAccessToken(reply, renewed)
  return requireUser(await accessTokens.verify(renewed.accessToken.token))
}
