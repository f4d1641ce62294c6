import QuickLRU from 'quick-lru'
import { v4 as randomUuid } from 'uuid'
import {
  createVerifiedTokens,
  isMeantFor,
  judgeTimes,
  parseHeader,
  VERIFIED_CACHE_SIZE,
} from '../../wire/access-token.js'
import {
  FIRST_PARTY_CLIENT,
  MAX_ACCESS_TOKEN_SECONDS,
  requireClaims,
  requireMaybeBoundClaims,
  type AccessTokenClaims,
  type ClientClaims,
  type MaybeBoundClaims,
  type UserClaims,
} from '../../wire/claims.js'
import type { Clock } from '../../platform/clock.js'
import { Problem } from '../../platform/problem.js'
import type { RESOURCE_ALGORITHM, SigningAlgorithm } from './algorithms.js'
import type { KeySet, VerificationKey } from './signing-keys.js'

/** The session and user data of an access token. */
export interface AccessTokenSubject {
  userId: string
  sessionId: string
  epoch: number
  roles: string[]
  authenticatedAt: Date
  /** Authentication methods (RFC 8176). */
  amr: string[]
  /** The strength of the authentication. */
  acr: string
}

/** What a registered client is issued an access token for. */
export interface AccessTokenGrant {
  /** As it was when it authenticated: a token of a client that has changed since is stale from the start. */
  client: { clientId: string; epoch: number }
  /** Separated by spaces (RFC 6749, section 3.3); empty for none. */
  scope: string
  /** The resources that the token is for (RFC 8707). */
  audience: readonly string[]
  /** The thumbprint of the key that the bearer has to prove to hold (RFC 9449, section 6.1); null for a bearer token. */
  jkt?: string | null | undefined
  /** ACCESS_TOKEN_TTL by default; an hour at most. */
  ttlSeconds?: number | undefined
  /** SIGNING_ALGORITHM by default. */
  algorithm?: typeof RESOURCE_ALGORITHM | undefined
}

export interface IssuedAccessToken {
  token: string
  expiresAt: Date
  expiresInSeconds: number
}

export interface AccessTokens {
  /**
   * Signs an access token of a user (RFC 9068), for Sallyport's own sign-in or for a registered client. It never outlives
   * `notAfter`, the end of its session.
   */
  issue(
    subject: AccessTokenSubject,
    at: { issuedAt: Date; notAfter: Date },
    grant?: AccessTokenGrant,
  ): IssuedAccessToken
  /** Signs an access token of a client that acts for itself (RFC 6749, section 4.4): there is no user and no session. */
  issueToClient(grant: AccessTokenGrant, at: { issuedAt: Date }): IssuedAccessToken
  /**
   * The claims of a token that is genuine and in force at this time. Throws `token_invalid`, `token_expired`, and
   * `token_stale` for one of a key that was withdrawn.
   */
  verify(token: string): Promise<AccessTokenClaims>
  /** The same, at once, for a token that was verified before; null where `verify` has to tell. */
  recall(token: string): AccessTokenClaims | null
  /** The claims of a token that we signed and meant for this audience, whether expired or not; null for any other. */
  read(token: string): Promise<AccessTokenClaims | null>
  /**
   * The same for any audience, and also of tokens that are bound to a key: for the authorization server, which asks what they
   * are for and has the key proven.
   */
  readIssued(token: string): Promise<MaybeBoundClaims | null>
  /** The same as `verify` throws. */
  verifyIssued(token: string): Promise<MaybeBoundClaims>
}

type AccessTokenKeys = Pick<KeySet, 'active' | 'find' | 'findAfterReload' | 'isWithdrawn'>

interface AccessTokensOptions {
  keys: AccessTokenKeys
  /** Of resources that ask for another algorithm. */
  resourceKeys: AccessTokenKeys & Pick<KeySet, 'isSigning'>
  signingAlgorithm: SigningAlgorithm
  clock: Clock
  issuer: string
  audience: string
  ttlSeconds: number
}

/** Instances of Sallyport follow the database's clock, so they hardly disagree. */
const CLOCK_TOLERANCE_SECONDS = 5

export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { keys, resourceKeys, signingAlgorithm, clock, issuer, audience, ttlSeconds } = options

  // At most twice as many.
  const verified = createVerifiedTokens(new QuickLRU({ maxSize: VERIFIED_CACHE_SIZE }))

  function find(token: string): AccessTokenClaims | null {
    const known = verified.find(token)
    if (known === undefined) return null
    if (findPublished(known.kid) !== null) return known.claims
    verified.forget(token)
    return null
  }

  async function read(token: string): Promise<AccessTokenClaims | null> {
    const known = find(token)
    if (known !== null) return known
    const key = await findKey(token)
    if (key === null) return null
    const claims = checkSignature(token, key, requireClaims)
    if (claims === null || !isMeantFor(claims, options)) return null
    verified.remember(token, { kid: key.kid, claims }, clock.now())
    return claims
  }

  async function readIssued(token: string): Promise<MaybeBoundClaims | null> {
    const key = await findKey(token)
    const claims = key && checkSignature(token, key, requireMaybeBoundClaims)
    return claims?.iss === issuer ? claims : null
  }

  async function findKey(token: string): Promise<VerificationKey | null> {
    const header = parseHeader(token)
    if (header === null) return null
    const { kid, alg } = header
    const key = findPublished(kid) ?? (await keys.findAfterReload(kid)) ?? (await findResourceKeyAfterReload(kid))
    return key?.algorithm === alg ? key : null
  }

  function findPublished(kid: string): VerificationKey | null {
    return keys.find(kid) ?? resourceKeys.find(kid)
  }

  async function findResourceKeyAfterReload(kid: string): Promise<VerificationKey | null> {
    return resourceKeys.isSigning ? resourceKeys.findAfterReload(kid) : null
  }

  /** Its signature proves nothing any more, but a client that got it from us only has to refresh. */
  function isOfWithdrawnKey(token: string): boolean {
    const header = parseHeader(token)
    return header !== null && (keys.isWithdrawn(header.kid) || resourceKeys.isWithdrawn(header.kid))
  }

  /** Times are left to each use of the token, and to a clock that follows the database's. */
  function checkSignature<Claims>(
    token: string,
    { jwt }: VerificationKey,
    require: (payload: unknown) => Claims,
  ): Claims | null {
    try {
      return require(jwt.verify(token))
    } catch {
      return null
    }
  }

  function requireGenuine<Claims extends AccessTokenClaims>(token: string, claims: Claims | null): Claims {
    if (claims === null) throw new Problem(isOfWithdrawnKey(token) ? 'token_stale' : 'token_invalid')
    return requireInForce(claims)
  }

  function requireInForce<Claims extends AccessTokenClaims>(claims: Claims): Claims {
    const verdict = judgeTimes(claims, clock.now(), CLOCK_TOLERANCE_SECONDS)
    if (verdict !== 'valid') throw new Problem(verdict)
    return claims
  }

  /** The claims that a user's and a client's tokens share. */
  function sharedClaims({ issuedAt, notAfter }: { issuedAt: Date; notAfter?: Date }, grant?: AccessTokenGrant) {
    const iat = toNumericDate(issuedAt)
    const ttl = Math.min(grant?.ttlSeconds ?? ttlSeconds, MAX_ACCESS_TOKEN_SECONDS)
    const latest = notAfter === undefined ? Infinity : toNumericDate(notAfter)
    const exp = Math.max(iat + 1, Math.min(iat + ttl, latest))
    return {
      iss: issuer,
      aud: grant ? audienceOf(grant, issuer) : audience,
      ...{ iat, nbf: iat, exp },
      jti: randomUuid(),
      client_id: grant?.client.clientId ?? FIRST_PARTY_CLIENT,
      ...(grant && { client_epoch: grant.client.epoch }),
      scope: grant?.scope ?? '',
      ...(grant?.jkt && { cnf: { jkt: grant.jkt } }),
    }
  }

  function sign(claims: AccessTokenClaims, grant?: AccessTokenGrant): IssuedAccessToken {
    const isDefault = (grant?.algorithm ?? signingAlgorithm) === signingAlgorithm
    const { jwt } = isDefault ? keys.active() : resourceKeys.active()
    const token = jwt.sign(claims)
    return { token, expiresAt: new Date(claims.exp * 1000), expiresInSeconds: claims.exp - claims.iat }
  }

  return {
    issue(subject, at, grant) {
      const claims: UserClaims = {
        ...sharedClaims(at, grant),
        sub: subject.userId,
        sid: subject.sessionId,
        epoch: subject.epoch,
        roles: subject.roles,
        auth_time: toNumericDate(subject.authenticatedAt),
        amr: subject.amr,
        acr: subject.acr,
      }
      return sign(claims, grant)
    },

    issueToClient(grant, at) {
      const claims: ClientClaims = { ...sharedClaims(at, grant), sub: grant.client.clientId, roles: [] }
      return sign(claims, grant)
    },

    verify: async (token) => requireGenuine(token, await read(token)),
    verifyIssued: async (token) => requireGenuine(token, await readIssued(token)),

    recall(token) {
      const claims = find(token)
      return claims && requireInForce(claims)
    },

    read,
    readIssued,
  }
}

/** The issuer is among them where the token opens the UserInfo endpoint, and where it is for no resource at all. */
function audienceOf({ audience, scope }: AccessTokenGrant, issuer: string): string | string[] {
  const isForIssuer = audience.length === 0 || scope.split(' ').includes('openid')
  const all = [...new Set([...audience, ...(isForIssuer ? [issuer] : [])])]
  const [only, ...others] = all
  return only !== undefined && others.length === 0 ? only : all
}

function toNumericDate(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
