import type { AccessTokenClaims } from '../../wire/claims.js'
import type { VerifyOptions } from './options.js'
import { readCookies, renewSession, type RenewalOptions } from './session.js'
import { VerificationError } from './verification-error.js'

/** What a request shows of who it comes from: two of its headers. */
export interface ShownCredentials {
  authorization?: string | undefined
  cookie?: string | undefined
}

export interface Authenticated {
  claims: AccessTokenClaims
  /** Set-Cookie lines for the browser, where the session was renewed; they make the answer one for this user alone. */
  setCookies: string[]
}

/** What an adapter needs of a verifier. */
export interface Authenticator {
  readonly issuer: string
  /**
   * Verifies what the headers of a request show: the bearer token (RFC 6750, section 2.1) or, with `cookies`, the
   * session cookies. Throws as `verify` does, and the refusals of a renewed session too.
   */
  authenticate(shown: ShownCredentials, options?: VerifyOptions): Promise<Authenticated>
}

interface AuthenticationOptions {
  verify: (token: string) => Promise<AccessTokenClaims>
  /** Null where cookies are not looked at. */
  session: RenewalOptions | null
}

/** Who a request comes from. The header wins over a cookie: a client that sends one does not mean the other. */
export async function authenticate(shown: ShownCredentials, options: AuthenticationOptions): Promise<Authenticated> {
  const { verify, session } = options
  if (shown.authorization !== undefined) {
    return { claims: await verify(parseBearer(shown.authorization)), setCookies: [] }
  }
  if (session === null || shown.cookie === undefined) throw new VerificationError('token_missing')

  const tried = await tryAccessCookies(readCookies(shown.cookie, session.names.access), verify)
  if ('claims' in tried) return { claims: tried.claims, setCookies: [] }
  if (readCookies(shown.cookie, session.names.refresh).length === 0) throw tried.refused
  const renewal = await renewSession(shown.cookie, session)
  // Sallyport accepts the token that is refused here: it may not have heard yet of what this verifier knows.
  if (renewal === null) throw tried.refused
  return { claims: await verify(renewal.token), setCookies: renewal.setCookies }
}

/** RFC 6750, section 2.1. Tokens in a query or a form are not looked for. */
function parseBearer(authorization: string): string {
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization)?.[1]
  if (token === undefined) throw new VerificationError('token_invalid')
  return token
}

/**
 * The cookie that passes; else why the first one was refused. Where cookies of two sessions pass, one of them may have
 * been planted to have its victim act as somebody else, and nobody can tell which.
 */
async function tryAccessCookies(
  tokens: string[],
  verify: AuthenticationOptions['verify'],
): Promise<{ claims: AccessTokenClaims } | { refused: VerificationError }> {
  let passed: AccessTokenClaims | undefined
  let refused: VerificationError | undefined
  for (const token of tokens) {
    try {
      const claims = await verify(token)
      if (passed !== undefined && passed.sid !== claims.sid) throw new VerificationError('ambiguous_credentials')
      passed = claims
    } catch (error) {
      if (!(error instanceof VerificationError) || error.status !== 401) throw error
      refused ??= error
    }
  }
  return passed ? { claims: passed } : { refused: refused ?? new VerificationError('token_missing') }
}
