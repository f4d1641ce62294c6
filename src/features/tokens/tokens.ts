/**
 * Owns the signing keys and the access tokens: how a key is made, published, rotated and retired, how an access token
 * is signed, and whether one is genuine. Whether a genuine token still holds is the matter of revocation.
 */
import type { Clock } from '../../platform/clock.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database } from '../../platform/database/database.js'
import type { Audit } from '../audit/audit.js'
import { createAccessTokens, type AccessTokens } from './access-token.js'
import type { SigningAlgorithm } from './algorithms.js'
import type { keyEvents } from './audit-events.js'
import { createSigningKeys, type SigningKeys } from './signing-keys.js'

export { FIRST_PARTY_CLIENT } from '../../wire/claims.js'
export type { AccessTokens, ClientGrant, IssuedAccessToken } from './access-token.js'
export type { Withdrawal } from './key-changes.js'
export type { SigningKeys } from './signing-keys.js'

export interface TokensOptions {
  database: Database
  secrets: SecretKeys
  clock: Clock
  audit: Audit<typeof keyEvents>
  signingAlgorithm: SigningAlgorithm
  issuer: string
  audience: string
  accessTokenTtlSeconds: number
}

export interface Tokens {
  keys: SigningKeys
  accessTokens: AccessTokens
}

export function createTokens(options: TokensOptions): Tokens {
  const { database, secrets, clock, audit, issuer, audience, signingAlgorithm, accessTokenTtlSeconds } = options
  const keys = createSigningKeys({ database, secrets, algorithm: signingAlgorithm, clock, audit })
  return {
    keys,
    accessTokens: createAccessTokens({ keys, clock, issuer, audience, ttlSeconds: accessTokenTtlSeconds }),
  }
}
