import { isBearer, parseBearer } from '../../wire/access-token.js'
import { FIRST_PARTY_CLIENT, type AccessTokenClaims, type UserClaims } from '../../wire/claims.js'
import { readCookies } from '../../wire/cookies.js'
import { isSameOrigin, type ShownRequest } from './cross-site.js'
import type { VerifyOptions } from './options.js'
import type { ResourceMetadata } from './resource-metadata.js'
import { renewSession, type RenewalOptions } from './session.js'
import { VerificationError } from './verification-error.js'

export interface Authenticated {
  claims: AccessTokenClaims
  /** Set-Cookie headers for the browser if the session was renewed; the response must then not be cached. */
  setCookies: string[]
}

/** The part of a verifier that adapters use. */
export interface Authenticator {
  readonly issuer: string
  /** What adapters serve and refer to in challenges (RFC 9728), with the option `resource`. */
  readonly resourceMetadata?: ResourceMetadata | null | undefined
  /**
   * Verifies the credentials of a request: the bearer token (RFC 6750, section 2.1) or, with `cookies`, the session
   * cookies. Throws like `verify`, and also `cross_site_request`, `ambiguous_credentials` and errors of a renewal.
   */
  authenticate(request: ShownRequest, options?: VerifyOptions): Promise<Authenticated>
}

interface AuthenticationOptions {
  verify: (token: string) => Promise<AccessTokenClaims>
  /** Verifies a token whose key the request proves; null if such tokens are not accepted. */
  verifyProven: ((token: string) => Promise<AccessTokenClaims>) | null
  /** Null if cookies are not accepted. */
  session: RenewalOptions | null
}

/** Authenticates a request. The header takes precedence over cookies. */
export async function authenticate(request: ShownRequest, options: AuthenticationOptions): Promise<Authenticated> {
  const { verify, verifyProven, session } = options
  const { authorization, cookie } = request.headers
  if (isBearer(authorization)) return { claims: await verify(requireBearer(authorization)), setCookies: [] }
  const bound = verifyProven === null ? null : parseDpop(authorization)
  if (verifyProven !== null && bound !== null) return { claims: await verifyProven(bound), setCookies: [] }
  if (session === null || cookie === undefined) throw new VerificationError('token_missing')

  const accessTokens = readCookies(cookie, session.names.access)
  const canRenew = readCookies(cookie, session.names.refresh).length > 0
  if ((accessTokens.length > 0 || canRenew) && !isSameOrigin(request)) throw new VerificationError('cross_site_request')
  const tried = await tryAccessCookies(accessTokens, verify)
  if ('claims' in tried) return { claims: tried.claims, setCookies: [] }
  if (!canRenew) throw tried.refused
  const renewal = await renewSession(cookie, session)
  // Sallyport accepts a token that is refused here: it may not have received the revocation yet.
  if (renewal === null) throw tried.refused
  return { claims: await verify(renewal.token), setCookies: renewal.setCookies }
}

/** The token of the scheme DPoP (RFC 9449, section 7.1); null for any other header. */
function parseDpop(authorization: string | undefined): string | null {
  return /^DPoP +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1] ?? null
}

/** Tokens in a query or a form are ignored. */
function requireBearer(authorization: string): string {
  const token = parseBearer(authorization)
  if (token === null) throw new VerificationError('token_invalid')
  return token
}

/**
 * The cookie that is valid; otherwise why the first one was refused. If cookies of two sessions are valid, one may have
 * been planted so that the victim acts as another user, and they cannot be distinguished. A token that a client was issued
 * is in a cookie only if it was planted.
 */
async function tryAccessCookies(
  tokens: string[],
  verify: AuthenticationOptions['verify'],
): Promise<{ claims: UserClaims } | { refused: VerificationError }> {
  let passed: UserClaims | undefined
  let refused: VerificationError | undefined
  for (const token of tokens) {
    try {
      const claims = await verify(token)
      if (claims.sid === undefined || claims.client_id !== FIRST_PARTY_CLIENT)
        throw new VerificationError('token_invalid')
      if (passed !== undefined && passed.sid !== claims.sid) throw new VerificationError('ambiguous_credentials')
      passed = claims
    } catch (error) {
      if (!(error instanceof VerificationError) || error.status !== 401) throw error
      refused ??= error
    }
  }
  return passed ? { claims: passed } : { refused: refused ?? new VerificationError('token_missing') }
}
