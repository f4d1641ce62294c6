/**
 * Owns the answer to "may this request pass?": finds the access token, has it verified, asks whether it still holds and
 * meets what the route requires, and in mode `session` stands in for a missing one. The requirement is the route's.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isBearer, parseBearer } from '../../wire/access-token.js'
import { FIRST_PARTY_CLIENT, type AccessTokenClaims, type UserClaims } from '../../wire/claims.js'
import type { ProblemCode } from '../../wire/problem-codes.js'
import type { Clock } from '../../platform/clock.js'
import { callerOf } from '../../platform/http/caller.js'
import type { Authenticate, TokenRequirement } from '../../platform/http/access.js'
import { Problem } from '../../platform/problem.js'
import { genuineCookies, requireRefreshRate, type SessionCookies } from '../browser/browser.js'
import type { Families, LiveUser } from '../families/families.js'
import type { Limits } from '../limits/limits.js'
import type { Revocations } from '../revocation/revocation.js'
import type { AccessTokens } from '../tokens/tokens.js'
import { findShortfall, problemOf, shortfallsOf } from './requirement.js'
import { createSameSessionCheck } from './same-session.js'
import { methodsFor, resolveStepUp, steppingUser, type MfaSetting } from './step-up.js'

export { stepUpProblem } from './requirement.js'
export { createSignedInCheck, type FindSignedIn } from './signed-in.js'
export { steppingUser, type MfaSetting } from './step-up.js'

export interface AccessOptions {
  accessTokens: AccessTokens
  revocations: Revocations
  families: Families
  limits: Pick<Limits, 'requireRate'>
  cookies: SessionCookies
  clock: Clock
  /** MFA: where it is off, no factor is asked for. */
  mfa: MfaSetting
  /** Whether a verifier calls in the name of a browser. */
  isVerifier: (request: FastifyRequest) => Promise<boolean>
}

const tokenProblems = [
  'token_missing',
  'token_invalid',
  'token_expired',
  'token_stale',
  'session_ended',
  'forbidden',
  // A refresh cookie can replace the access cookie.
  'ambiguous_credentials',
  'refresh_token_reused',
  'rate_limited',
  'database_unavailable',
  'revocation_stale',
] as const satisfies ProblemCode[]

const CLIENT_TOKEN = 'This route requires the access token of a user, not of a client.'
const FOREIGN_TOKEN = 'This route requires an access token of a sign-in here, not one that another client was issued.'

/** How the guard of a route with this requirement can refuse, for its description. */
export function accessProblems(requirement: TokenRequirement): ProblemCode[] {
  return [...new Set([...tokenProblems, ...shortfallsOf(requirement)])]
}

interface CookieOptions extends AccessOptions {
  requireSameSession: ReturnType<typeof createSameSessionCheck>
}

/** A token that holds, and its user by the database where it was asked. */
interface Admitted {
  claims: UserClaims
  user?: LiveUser
}

/** Makes the guard of routes that require an access token. */
export function createAccess(access: AccessOptions): Authenticate {
  const options = { ...access, requireSameSession: createSameSessionCheck(access) }
  return (request, reply, requirement) => {
    const { authorization } = request.headers
    // The header wins over a cookie: a client that sends one does not mean the other.
    const admitted = isBearer(authorization)
      ? check(options, requireBearer(authorization), requirement)
      : authenticateByCookie(options, request, reply, requirement)
    // Only now, and not where a cookie is judged: a new access token for the same session would lack the same.
    if (admitted instanceof Promise) return admitted.then((known) => requireMet(options, known, requirement))
    return requireMet(options, admitted, requirement)
  }
}

function requireMet({ clock, mfa }: AccessOptions, admitted: Admitted, declared: TokenRequirement): UserClaims {
  const { claims, user } = admitted
  const stepping = user && steppingUser(user, mfa)
  const requirement = stepping ? resolveStepUp(declared, stepping) : declared
  const shortfall = findShortfall(admitted, requirement, clock.now())
  if (shortfall === null) return claims
  throw problemOf(shortfall, requirement, stepping && methodsFor(stepping, { ...requirement, amr: claims.amr }))
}

async function authenticateByCookie(
  options: CookieOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  requirement: TokenRequirement,
): Promise<Admitted> {
  const shown = await tryAccessCookies(options, request, requirement)
  if ('claims' in shown) {
    await options.requireSameSession(request, shown.claims.sid)
    return shown
  }
  // Whatever was wrong with the access cookies, planted ones included: the refresh cookie decides about the session.
  const renewed = await renewFromRefreshCookie(options, request, reply)
  if (renewed === null) throw shown.refused
  return requirement.token === 'live' ? askDatabase(options, renewed, requirement) : { claims: renewed }
}

/** Tokens in a query or a form are not looked for. */
function requireBearer(authorization: string): string {
  const token = parseBearer(authorization)
  if (token === null) throw new Problem('token_invalid')
  return token
}

function check(options: AccessOptions, token: string, requirement: TokenRequirement): Admitted | Promise<Admitted> {
  const claims = options.accessTokens.recall(token)
  return claims === null
    ? options.accessTokens.verify(token).then((verified) => requireFresh(options, verified, requirement))
    : requireFresh(options, claims, requirement)
}

/**
 * Refuses a client's token, as every route here acts for a user, and a user's token that was issued to another client:
 * it was given for what that client was granted, whatever its audience is. Nothing is wrong with the token, so this is
 * not `invalid_token` (RFC 6750, section 3.1), which would send the client for another one that is refused too.
 */
function requireUser(claims: AccessTokenClaims): UserClaims {
  if (claims.sid === undefined) throw new Problem('forbidden', { detail: CLIENT_TOKEN })
  if (claims.client_id !== FIRST_PARTY_CLIENT) throw new Problem('forbidden', { detail: FOREIGN_TOKEN })
  return claims
}

/** Returns the claims if they are a user's and pass the check of the requested freshness. */
function requireFresh(
  options: AccessOptions,
  verified: AccessTokenClaims,
  requirement: TokenRequirement,
): Admitted | Promise<Admitted> {
  const { token, acceptsStale = false } = requirement
  const claims = requireUser(verified)
  if (token === 'offline') return { claims }
  if (!(acceptsStale && options.revocations.judge(claims) === 'token_stale')) options.revocations.requireValid(claims)
  // The database is sure, however long ago the map was confirmed.
  if (token === 'live') return askDatabase(options, claims, requirement)
  options.revocations.requireCurrent()
  return { claims }
}

async function askDatabase(
  { families }: AccessOptions,
  claims: UserClaims,
  { acceptsStale = false }: TokenRequirement,
): Promise<Admitted> {
  return { claims, user: await families.requireLive(claims, { acceptsStale }) }
}

/**
 * The cookie that passes; else why the first one was refused. Where cookies of two sessions pass, one of them may have
 * been planted to make its victim act as another user, and there is no telling which.
 */
async function tryAccessCookies(
  options: AccessOptions,
  request: FastifyRequest,
  requirement: TokenRequirement,
): Promise<Admitted | { refused: Problem }> {
  let passed: Admitted | undefined
  let refused: Problem | undefined
  for (const token of options.cookies.readAccessTokens(request)) {
    try {
      const admitted = await check(options, token, requirement)
      const isOther = passed !== undefined && passed.claims.sid !== admitted.claims.sid
      if (isOther) throw new Problem('ambiguous_credentials')
      passed = admitted
    } catch (error) {
      // A client's token is in a cookie only where it was planted: the genuine one still counts.
      const isPassedOver = error instanceof Problem && (error.status === 401 || error.code === 'forbidden')
      if (!isPassedOver) throw error
      refused ??= error
    }
  }
  return passed ?? { refused: refused ?? new Problem('token_missing') }
}

async function renewFromRefreshCookie(
  { families, limits, accessTokens, cookies, isVerifier }: AccessOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<UserClaims | null> {
  const tokens = genuineCookies(request, { cookies, parse: families.parse })
  const [token, ...others] = tokens
  if (others.length > 0) throw new Problem('ambiguous_credentials')
  if (token === undefined) return null
  const caller = callerOf(request)
  await requireRefreshRate({ limits, families }, token, caller)
  const renewed = await families.renew(token, caller, { isByService: await isVerifier(request) })
  if (renewed === null) return null
  cookies.setAccessToken(reply, renewed)
  return requireUser(await accessTokens.verify(renewed.accessToken.token))
}
