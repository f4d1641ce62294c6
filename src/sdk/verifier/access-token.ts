import { base64url, compactVerify, type CryptoKey } from 'jose'
import QuickLRU from 'quick-lru'
import { accessTokenClaimsSchema, accessTokenHeaderSchema, type AccessTokenClaims } from '../../wire/claims.js'
import { createVerifiedTokens, VERIFIED_CACHE_SIZE, type VerifiedToken } from '../../wire/verified-tokens.js'
import type { VerifierClock } from './clock.js'
import type { KeySet } from './key-set.js'
import type { Algorithm } from './options.js'
import { VerificationError } from './verification-error.js'

/** The server's own stay under 1 KiB with ten roles. A longer one costs no more than the look at its length. */
const MAX_TOKEN_LENGTH = 8192

export interface AccessTokenRules {
  keySet: KeySet
  issuer: string
  audience: string
  algorithms: readonly Algorithm[]
  clockToleranceSeconds: number
  clock: VerifierClock
}

/**
 * Makes what verifies access tokens (RFC 9068, section 4) by signature, claims and time. It answers frozen claims, or
 * throws `token_invalid`, `token_expired`, `token_stale` for a withdrawn key, and `revocation_stale` where the key set
 * cannot be had.
 */
export function createTokenVerification(rules: AccessTokenRules): (token: string) => Promise<AccessTokenClaims> {
  // At most twice as many.
  const verified = createVerifiedTokens(new QuickLRU({ maxSize: VERIFIED_CACHE_SIZE }))

  return async (token) => {
    requireLength(token)
    rules.keySet.keepFresh()
    let genuine = verified.find(token)
    if (genuine === undefined || !rules.keySet.has(genuine.kid)) {
      verified.forget(token)
      genuine = await readGenuine(rules, token)
      verified.remember(token, genuine, rules.clock.now())
    }
    // A key may have been withdrawn while its signature was being checked.
    requireTrusted(rules, genuine.kid)
    requireInForce(rules, genuine.claims)
    return genuine.claims
  }
}

async function readGenuine(rules: AccessTokenRules, token: string): Promise<VerifiedToken> {
  const { kid, alg } = parseHeader(token)
  // Asked before the key is looked for, because a withdrawn one has left the key set.
  requireTrusted(rules, kid)
  const key = rules.algorithms.some((allowed) => allowed === alg) ? await rules.keySet.find(kid, alg) : null
  if (key === null) throw new VerificationError('token_invalid')
  const claims = await parseSigned(token, key, alg)
  if (claims.iss !== rules.issuer || !isAudience(claims, rules.audience)) throw new VerificationError('token_invalid')
  return { kid, claims: freezeClaims(claims) }
}

function requireLength(token: string): void {
  if (token.length > MAX_TOKEN_LENGTH) throw new VerificationError('token_invalid')
}

function requireTrusted({ keySet }: AccessTokenRules, kid: string): void {
  if (keySet.isWithdrawn(kid)) throw new VerificationError('token_stale')
}

function requireInForce({ clock, clockToleranceSeconds }: AccessTokenRules, claims: AccessTokenClaims): void {
  const now = clock.now().getTime() / 1000
  // An hour that begins in the future would end after everything that refuses the token has been forgotten.
  const begins = Math.max(claims.nbf, claims.iat)
  if (now < begins - clockToleranceSeconds) throw new VerificationError('token_invalid')
  if (now >= claims.exp + clockToleranceSeconds) throw new VerificationError('token_expired')
}

/** The header of a compact JWS (RFC 7515, section 7.1) that could be Sallyport's. */
function parseHeader(token: string): { kid: string; alg: string } {
  const parts = token.split('.')
  const [encoded = ''] = parts
  if (parts.length !== 3 || !parts.every(isCanonicalBase64url)) throw new VerificationError('token_invalid')
  const header = accessTokenHeaderSchema.safeParse(parseJson(base64url.decode(encoded)))
  if (!header.success) throw new VerificationError('token_invalid')
  return header.data
}

/** Whether a text is the one spelling of its bytes: a token has no second text that verifies too (RFC 4648, 3.5). */
function isCanonicalBase64url(text: string): boolean {
  try {
    return text !== '' && base64url.encode(base64url.decode(text)) === text
  } catch {
    return false
  }
}

/** What is signed with that key; nothing in the token chooses the key or its algorithm. */
async function parseSigned(token: string, key: CryptoKey, algorithm: string): Promise<AccessTokenClaims> {
  const signed = await compactVerify(token, key, { algorithms: [algorithm] }).catch((cause: unknown) => {
    throw new VerificationError('token_invalid', { cause })
  })
  const claims = accessTokenClaimsSchema.safeParse(parseJson(signed.payload))
  if (!claims.success) throw new VerificationError('token_invalid', { cause: claims.error })
  return claims.data
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new VerificationError('token_invalid', { cause })
  }
}

function isAudience({ aud }: AccessTokenClaims, audience: string): boolean {
  return Array.isArray(aud) ? aud.includes(audience) : aud === audience
}

/** All requests with one token share one object. */
function freezeClaims(claims: AccessTokenClaims): AccessTokenClaims {
  for (const value of Object.values(claims)) Object.freeze(value)
  return Object.freeze(claims)
}
