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
import {
  requireClaims,
  requireMaybeBoundClaims,
  type AccessTokenClaims,
  type MaybeBoundClaims,
} from '../../wire/claims.js'
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
  /** Whether tokens that are bound to a key pass, whose proof the caller then has to ask for. */
  acceptsBound: boolean
}

/**
 * Creates the verification of access tokens (RFC 9068, section 4) by signature, claims and time. It returns frozen claims,
 * or throws `token_invalid`, `token_expired`, `token_stale` for a revoked key, or `revocation_stale` if the key set is
 * unavailable.
 */
export function createTokenVerification(rules: AccessTokenRules): (token: string) => Promise<MaybeBoundClaims> {
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
    // The key may have been withdrawn while the signature was being checked.
    requireTrusted(rules, genuine.kid)
    requireInForce(rules, genuine.claims)
    return genuine.claims
  }
}

async function readGenuine(rules: AccessTokenRules, token: string): Promise<VerifiedToken> {
  const header = parseHeader(token)
  if (header === null) throw new VerificationError('token_invalid')
  const { kid, alg } = header
  // Checked before the key is looked up, because a withdrawn key is no longer in the key set.
  requireTrusted(rules, kid)
  const key = rules.algorithms.some((allowed) => allowed === alg) ? await rules.keySet.find(kid, alg) : null
  if (key === null) throw new VerificationError('token_invalid')
  const claims = await readSigned(token, key, alg, rules.acceptsBound ? requireMaybeBoundClaims : requireClaims)
  if (!isMeantFor(claims, rules)) throw new VerificationError('token_invalid')
  return { kid, claims }
}

/** Verifies the signature with this key and algorithm, regardless of the token's header. */
async function readSigned(
  token: string,
  key: CryptoKey,
  algorithm: string,
  require: (payload: unknown) => AccessTokenClaims,
): Promise<AccessTokenClaims> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [algorithm] })
    return require(parseJson(payload))
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
