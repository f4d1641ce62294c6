import { createHash } from 'node:crypto'
import { jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose'
import type { Clock } from '../../../platform/clock.js'
import type { FindKey } from './key-set.js'

/** Never one of the token alone (`none`), nor one for which a secret would be the key (HS256). */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

const CLOCK_TOLERANCE_SECONDS = 30
const MAX_LENGTH = 16_384
/** How old a notice may be: the provider may try again for a while. */
const NOTICE_SECONDS = 24 * 60 * 60

/** The issuer that the settings expect: one, in one or more spellings, or one for each tenant. */
export type ExpectedIssuer =
  | { readonly issuer: string; readonly aliases: readonly string[] }
  | { readonly template: string; isAllowed(tenant: string): boolean }

export interface Expected {
  audiences: readonly string[]
  /** What its claim `nonce` is compared with. */
  nonce: NonceRule
  /** What `at_hash` is compared with, if the token has it. */
  accessToken: string | null
}

/** `sent`: what we sent ourselves; `shown`: what an app says that it sent, or the hash of which it did; null for nothing. */
export type NonceRule = { readonly sent: string; readonly isOptional: boolean } | { readonly shown: string | null }

/** An ID token that is genuine. */
export interface IdToken {
  /** As the identity is stored with. */
  issuer: string
  claims: JWTPayload & { sub: string; exp: number }
}

/** A notice that is genuine, which is no ID token: it has no subject of its own, and no nonce. */
export interface NoticeToken {
  issuer: string
  claims: JWTPayload
  issuedAt: Date
  expiresAt: Date
}

/** Why an ID token is refused, for the log. */
export class IdTokenFault extends Error {}

export interface IdTokens {
  /**
   * Judges an ID token (OpenID Connect Core, section 3.1.3.7). Throws `provider_unavailable` where the provider's keys cannot
   * be read; any other error says that the token is not valid.
   */
  verify(token: string, expected: Expected): Promise<IdToken>
  /** Judges what the provider tells by itself, signed in the same way. Throws as `verify` does. */
  verifyNotice(token: string, audiences: readonly string[]): Promise<NoticeToken>
}

export function createIdTokens(options: {
  findKey: FindKey
  expectedIssuer: ExpectedIssuer
  clock: Pick<Clock, 'now'>
}): IdTokens {
  const { findKey, expectedIssuer, clock } = options

  /** What ID tokens and notices have in common: signature, times, issuer and audience. */
  async function read(token: string, audiences: readonly string[], rules: JWTVerifyOptions) {
    if (token.length > MAX_LENGTH) throw new IdTokenFault('it is too long')
    const { payload, protectedHeader } = await jwtVerify(token, findKey, {
      ...{ algorithms, audience: [...audiences], clockTolerance: CLOCK_TOLERANCE_SECONDS },
      currentDate: clock.now(),
      ...rules,
    })
    const issuer = requireIssuer(payload, expectedIssuer)
    requireOwnAudiences(payload, audiences)
    return { payload, protectedHeader, issuer }
  }

  return {
    async verify(token, { audiences, nonce, accessToken }) {
      const requiredClaims = ['iss', 'sub', 'aud', 'exp', 'iat']
      const { payload, protectedHeader, issuer } = await read(token, audiences, { requiredClaims })
      if (!hasNonce(payload.nonce, nonce)) throw new IdTokenFault('its nonce is another')
      if (!hasHashOf(accessToken, payload.at_hash, protectedHeader.alg))
        throw new IdTokenFault('its at_hash is another')
      return { issuer, claims: { ...payload, sub: String(payload.sub), exp: Number(payload.exp) } }
    },

    async verifyNotice(token, audiences) {
      const rules = { requiredClaims: ['iss', 'aud', 'iat', 'jti'], maxTokenAge: NOTICE_SECONDS }
      const { payload: claims, issuer } = await read(token, audiences, rules)
      const issuedMs = Number(claims.iat) * 1000
      return { issuer, claims, issuedAt: new Date(issuedMs), expiresAt: new Date(issuedMs + NOTICE_SECONDS * 1000) }
    },
  }
}

/** The issuer is what the settings say, and never what the token does; only the tenant is read from it, which is signed. */
function requireIssuer({ iss, tid }: JWTPayload, expected: ExpectedIssuer): string {
  if ('issuer' in expected) {
    if (iss === expected.issuer || expected.aliases.includes(String(iss))) return expected.issuer
    throw new IdTokenFault('its issuer is another')
  }
  if (typeof tid !== 'string' || !/^[\w-]{1,64}$/.test(tid)) throw new IdTokenFault('it names no tenant')
  const issuer = expected.template.replace('{tenantid}', tid)
  if (iss !== issuer) throw new IdTokenFault('its issuer is not that of its tenant')
  if (!expected.isAllowed(tid)) throw new IdTokenFault('its tenant is not in the list')
  return issuer
}

/** A token for others too could be shown here by any of them. */
function requireOwnAudiences({ aud }: JWTPayload, audiences: readonly string[]): void {
  const isOurs = (each: string) => audiences.includes(each)
  if (![aud ?? []].flat().every(isOurs)) throw new IdTokenFault('it is for others too')
}

function hasNonce(claim: unknown, rule: NonceRule): boolean {
  if ('sent' in rule) return claim === rule.sent || (claim === undefined && rule.isOptional)
  const { shown } = rule
  if (claim === undefined || shown === null) return claim === undefined && shown === null
  // Some libraries for apps send the hash to the provider, so that its log does not have the nonce itself.
  return claim === shown || claim === createHash('sha256').update(shown).digest('hex')
}

/** Section 3.1.3.6; a token without the claim, or without an access token beside it, has nothing to compare. */
function hasHashOf(accessToken: string | null, claim: unknown, algorithm: string): boolean {
  if (accessToken === null || claim === undefined) return true
  const hash = createHash(`sha${/\d{3}$/.exec(algorithm)?.[0] ?? '512'}`)
    .update(accessToken)
    .digest()
  return claim === hash.subarray(0, hash.length / 2).toString('base64url')
}
