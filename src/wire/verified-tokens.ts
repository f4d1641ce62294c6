import type { AccessTokenClaims } from './claims.js'

/** The claims of a token with a verified signature, and its key. */
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
