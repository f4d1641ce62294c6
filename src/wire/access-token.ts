/**
 * The validation of an access token, as far as it is possible without the key. Shared by the server and the verifier
 * SDK, so that both accept the same tokens. Claims are validated in `claims.ts`. No packages, no API of Node.
 */
import type { AccessTokenClaims } from './claims.js'

/** Sallyport's tokens stay under 1 KiB with ten roles. A longer token is refused by its length alone. */
const MAX_TOKEN_LENGTH = 8192

/** The part of a header that identifies the key. */
export interface AccessTokenHeader {
  kid: string
  alg: string
}

/**
 * The header of a compact JWS (RFC 7515, section 7.1) that could be an access token (RFC 9068, section 2.1); null for
 * any other text. Nothing in it is trusted: a key or a key URL in it (`jwk`, `jku`, `x5u`, `x5c`, `x5t`) is ignored,
 * and `alg` must be that of the key that `kid` names.
 */
export function parseHeader(token: string): AccessTokenHeader | null {
  if (token.length > MAX_TOKEN_LENGTH) return null
  const parts = token.split('.')
  const [encoded] = parts
  if (parts.length !== 3 || !encoded || !parts.every(isCanonicalBase64url)) return null
  try {
    const header = parseJson(decodeBase64url(encoded))
    return isHeader(header) ? { kid: header.kid, alg: header.alg } : null
  } catch {
    return null
  }
}

function isHeader(value: unknown): value is AccessTokenHeader {
  if (typeof value !== 'object' || value === null) return false
  const { typ, alg, kid, crit, b64 }: Record<string, unknown> = { ...value }
  if (typeof typ !== 'string' || !/^(application\/)?at\+jwt$/i.test(typ)) return false
  // An extension that must be understood (RFC 7515, section 4.1.11), or an unencoded payload (RFC 7797): neither is
  // supported.
  if (crit !== undefined || b64 !== undefined) return false
  return typeof alg === 'string' && typeof kid === 'string' && kid !== ''
}

/**
 * Whether a text is the canonical encoding of its bytes: no second text of a token is valid (RFC 4648, section 3.5).
 * The unused bits of the last character must therefore be zero.
 */
function isCanonicalBase64url(text: string): boolean {
  return text !== '' && /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/.test(text)
}

function decodeBase64url(text: string): Uint8Array {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

/** Reads JSON in UTF-8. Throws for any other bytes, and for a byte order mark. */
export function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
}

/** Whether verified claims come from this issuer and are meant for this audience, each compared as one string. */
export function isMeantFor(
  { iss, aud }: { iss: string; aud: string | string[] },
  { issuer, audience }: { issuer: string; audience: string },
): boolean {
  return iss === issuer && (Array.isArray(aud) ? aud.includes(audience) : aud === audience)
}

export type TimeVerdict = 'valid' | 'token_invalid' | 'token_expired'

/**
 * Whether verified claims are valid now.
 *
 * @param toleranceSeconds the accepted clock skew relative to the issuer
 */
export function judgeTimes(
  { iat, nbf, exp }: { iat: number; nbf: number; exp: number },
  now: Date,
  toleranceSeconds: number,
): TimeVerdict {
  const seconds = now.getTime() / 1000
  // A lifetime that begins in the future would end after everything that refuses the token has been purged.
  if (seconds < Math.max(nbf, iat) - toleranceSeconds) return 'token_invalid'
  return seconds >= exp + toleranceSeconds ? 'token_expired' : 'valid'
}

/**
 * Whether an `Authorization` header is meant for Sallyport, even if its token is malformed. A header with another scheme,
 * such as Basic for a proxy in front, is not, and cookies count as if it were absent.
 */
export function isBearer(authorization: string | undefined): authorization is string {
  return authorization !== undefined && /^bearer\b/i.test(authorization)
}

/** The token of an `Authorization` header (RFC 6750, section 2.1); null for any other value. */
export function parseBearer(authorization: string): string | null {
  return /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization)?.[1] ?? null
}

/** The content of a token whose signature was verified, and the key that signed it. */
export interface VerifiedToken {
  kid: string
  claims: AccessTokenClaims
}

/**
 * Maps the exact text of a verified token to its content, so that its signature is checked only once. Whether it is
 * valid now, its key trusted and its session active must be checked at every use.
 */
export interface VerifiedTokens {
  find(token: string): VerifiedToken | undefined
  remember(token: string, verified: VerifiedToken, now: Date): void
  forget(token: string): void
}

/** The capacity of the cache: enough for every user of a busy instance, at about 1.6 KiB each. */
export const VERIFIED_CACHE_SIZE = 5_000

const FORGET_EVERY_MS = 60_000

/** Keeps tokens up to its capacity, and discards them soon after they have expired. */
export function createVerifiedTokens(tokens: Map<string, VerifiedToken>): VerifiedTokens {
  let forgottenAtMs = -Infinity

  /** The entries of a busy hour must not stay in memory for the rest of the day. */
  function forgetExpired(nowMs: number): void {
    if (nowMs - forgottenAtMs < FORGET_EVERY_MS) return
    forgottenAtMs = nowMs
    for (const [token, { claims }] of tokens) if (claims.exp * 1000 < nowMs - FORGET_EVERY_MS) tokens.delete(token)
  }

  return {
    find: (token) => tokens.get(token),
    remember(token, verified, now) {
      forgetExpired(now.getTime())
      tokens.set(token, verified)
    },
    forget: (token) => void tokens.delete(token),
  }
}
