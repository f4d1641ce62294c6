import { compactVerify, type CryptoKey } from 'jose'
import QuickLRU from 'quick-lru'
import {
  createVerifiedTokens,
  isMeantFor,
  judgeTimes,
  parseHeader,
  parseJson,
  VERIFIED_CACHE_SIZE,
  type VerifiedToken,
} from '../../wire/access-token.js'
import { requireClaims, type AccessTokenClaims } from '../../wire/claims.js'
import type { VerifierClock } from './clock.js'
import type { KeySet } from './key-set.js'
import type { Algorithm } from './options.js'
import { VerificationError } from './verification-error.js'

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
  const header = parseHeader(token)
  if (header === null) throw new VerificationError('token_invalid')
  const { kid, alg } = header
  // Asked before the key is looked for, because a withdrawn one has left the key set.
  requireTrusted(rules, kid)
  const key = rules.algorithms.some((allowed) => allowed === alg) ? await rules.keySet.find(kid, alg) : null
  if (key === null) throw new VerificationError('token_invalid')
  const claims = await readSigned(token, key, alg)
  if (!isMeantFor(claims, rules)) throw new VerificationError('token_invalid')
  return { kid, claims }
}

/** What is signed with that key; nothing in the token chooses the key or its algorithm. */
async function readSigned(token: string, key: CryptoKey, algorithm: string): Promise<AccessTokenClaims> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [algorithm] })
    return requireClaims(parseJson(payload))
  } catch (cause) {
    throw new VerificationError('token_invalid', { cause })
  }
}

function requireTrusted({ keySet }: AccessTokenRules, kid: string): void {
  if (keySet.isWithdrawn(kid)) throw new VerificationError('token_stale')
}

function requireInForce({ clock, clockToleranceSeconds }: AccessTokenRules, claims: AccessTokenClaims): void {
  const verdict = judgeTimes(claims, clock.now(), clockToleranceSeconds)
  if (verdict !== 'valid') throw new VerificationError(verdict)
}
