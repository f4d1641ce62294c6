/**
 * The rule of an access token, as far as it can be told without its key: the server and the verifier SDK share it, so
 * that no token passes one and not the other. Its claims are the matter of `claims.ts`. No packages, nothing of Node.
 */
import type { AccessTokenClaims } from './claims.js'

/** Ours stay under 1 KiB with ten roles. A longer token is refused by its length alone. */
const MAX_TOKEN_LENGTH = 8192

/** As much of a header as is needed to find the key. */
export interface AccessTokenHeader {
  kid: string
  alg: string
}

/**
 * The header of a compact JWS (RFC 7515, section 7.1) that could be an access token (RFC 9068, section 2.1); null for
 * any other text. Nothing in it is trusted: a key or an address of one that it brings along (`jwk`, `jku`, `x5u`, `x5c`,
 * `x5t`) is ignored, and `alg` has to be that of the key which `kid` names.
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
  // An extension that must be understood (RFC 7515, section 4.1.11), or an unencoded payload (RFC 7797): we know none.
  if (crit !== undefined || b64 !== undefined) return false
  return typeof alg === 'string' && typeof kid === 'string' && kid !== ''
}

/**
 * Whether a text is the one spelling of its bytes: a token has no second text that verifies too (RFC 4648, section 3.5).
 * So the bits of its last letter that belong to no byte are zero.
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

/** Whether genuine claims come from this issuer and are meant for this audience, each compared as one string. */
export function isMeantFor(
  { iss, aud }: { iss: string; aud: string | string[] },
  { issuer, audience }: { issuer: string; audience: string },
): boolean {
  return iss === issuer && (Array.isArray(aud) ? aud.includes(audience) : aud === audience)
}

export type TimeVerdict = 'valid' | 'token_invalid' | 'token_expired'

/**
 * Whether genuine claims are in force.
 *
 * @param toleranceSeconds how far the clock may be from the issuer's
 */
export function judgeTimes(
  { iat, nbf, exp }: { iat: number; nbf: number; exp: number },
  now: Date,
  toleranceSeconds: number,
): TimeVerdict {
  const seconds = now.getTime() / 1000
  // An hour that begins in the future would end after everything that refuses the token has been forgotten.
  if (seconds < Math.max(nbf, iat) - toleranceSeconds) return 'token_invalid'
  return seconds >= exp + toleranceSeconds ? 'token_expired' : 'valid'
}

/** The token of an `Authorization` header (RFC 6750, section 2.1); null for any other value. */
export function parseBearer(authorization: string): string | null {
  return /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization)?.[1] ?? null
}

/** What a token whose signature was checked says, and the key it was signed with. */
export interface VerifiedToken {
  kid: string
  claims: AccessTokenClaims
}

/**
 * From the exact text that was verified to what it says, so that a token seen before costs no signature check. Whether
 * it is in force, its key trusted and its session alive has to be asked at every use.
 */
export interface VerifiedTokens {
  find(token: string): VerifiedToken | undefined
  remember(token: string, verified: VerifiedToken, now: Date): void
  forget(token: string): void
}

/** Of how many the cache is made: enough for every user of a busy instance, at some 1.6 KiB each. */
export const VERIFIED_CACHE_SIZE = 5_000

const FORGET_EVERY_MS = 60_000

/** Remembers what the cache has room for, and nothing for long after it has expired. */
export function createVerifiedTokens(tokens: Map<string, VerifiedToken>): VerifiedTokens {
  let forgottenAtMs = -Infinity

  /** What a busy hour leaves must not be in memory for the rest of the day. */
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
