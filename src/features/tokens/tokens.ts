/**
 * Owns the signing keys and the access tokens: how a key is made, published, rotated and retired, how an access token
 * is signed, and whether one is genuine. ID tokens have keys of their own, which oauth signs with. Whether a genuine token still holds is the matter of revocation.
 */
import type { Clock } from '../../platform/clock.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database } from '../../platform/database/database.js'
import type { Audit } from '../audit/audit.js'
import { createAccessTokens, type AccessTokens } from './access-token.js'
import { RESOURCE_ALGORITHM, type GenerateKey, type SigningAlgorithm } from './algorithms.js'
import type { keyEvents } from './audit-events.js'
import { createAllKeys, type SigningKeys } from './all-keys.js'
import { createKeySet } from './signing-keys.js'

export { FIRST_PARTY_CLIENT } from '../../wire/claims.js'
export { idTokenAlgorithms, RESOURCE_ALGORITHM, type GenerateKey, type IdTokenAlgorithm } from './algorithms.js'
export type { AccessTokenGrant, AccessTokens, IssuedAccessToken } from './access-token.js'
export type { Withdrawal } from './key-changes.js'
export type { SigningKeys } from './all-keys.js'
export type { PrivateKey } from './signing-keys.js'

export interface TokensOptions {
  database: Database
  secrets: SecretKeys
  clock: Clock
  audit: Audit<typeof keyEvents>
  signingAlgorithm: SigningAlgorithm
  issuer: string
  audience: string
  accessTokenTtlSeconds: number
  /** Whether there is an OpenID provider: ID tokens are signed, and access tokens as their resources ask for it. */
  isProvider: boolean
  /** Makes the signing keys; by default new ones. */
  generateKey?: GenerateKey | undefined
}

export interface Tokens {
  keys: SigningKeys
  accessTokens: AccessTokens
}

export function createTokens(options: TokensOptions): Tokens {
  const { database, secrets, clock, audit, issuer, audience, signingAlgorithm, isProvider, generateKey } = options
  const common = { database, secrets, clock, audit, generateKey }
  const ofAccessTokens = createKeySet({ ...common, use: 'access_token', algorithm: signingAlgorithm, isSigning: true })
  const ofResourceTokens = createKeySet({
    ...{ ...common, use: 'resource_token', algorithm: RESOURCE_ALGORITHM },
    isSigning: isProvider && signingAlgorithm !== RESOURCE_ALGORITHM,
  })
  const ofIdTokens = [
    createKeySet({ ...common, use: 'id_token', algorithm: 'RS256', isSigning: isProvider }),
    createKeySet({ ...common, use: 'id_token_es256', algorithm: 'ES256', isSigning: isProvider }),
  ]
  const keys = createAllKeys({ ...common, ofAccessTokens, ofResourceTokens, ofIdTokens })
  const { accessTokenTtlSeconds: ttlSeconds } = options
  const accessTokens = createAccessTokens({
    ...{ keys: ofAccessTokens, resourceKeys: ofResourceTokens, signingAlgorithm },
    ...{ clock, issuer, audience, ttlSeconds },
  })
  return { keys, accessTokens }
}
