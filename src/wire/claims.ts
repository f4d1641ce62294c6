import { z } from 'zod'

/** Maximum lifetime of access tokens, regardless of settings, so that lowering the setting breaks no valid token. */
export const MAX_ACCESS_TOKEN_SECONDS = 3600

/** The client that Sallyport's own sign-in issues tokens to. No other client can have this name. */
export const FIRST_PARTY_CLIENT = 'sallyport'

const numericDate = z.int().nonnegative()

/** For the documentation. */
export const exampleClaims = {
  iss: 'https://auth.example.com',
  sub: '0199b2c4-7d5b-7b1e-8c44-0d2f6a9e3b57',
  aud: 'https://auth.example.com',
  iat: 1767225600,
  nbf: 1767225600,
  exp: 1767226200,
  jti: '6b0f3a1e-2c57-4d5e-9f0a-8e4d7c1b2a63',
  client_id: FIRST_PARTY_CLIENT,
  sid: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12',
  epoch: 1767225600000,
  roles: ['auditor'],
  scope: '',
  auth_time: 1767225600,
  amr: ['pwd'],
  acr: 'aal1',
}

/** The claims of every access token (RFC 9068, section 2.2), and `roles`. Times are in seconds since 1970. */
interface SharedClaims {
  iss: string
  sub: string
  aud: string | string[]
  iat: number
  nbf: number
  exp: number
  jti: string
  client_id: string
  /**
   * The version of the client, in milliseconds since 1970: a client that is disabled or loses a secret gets a new one, and
   * tokens with a smaller one are stale. Absent in tokens of Sallyport's own sign-in.
   */
  client_epoch?: number | undefined
  roles: string[]
  /** Separated by spaces. */
  scope: string
  /** The strength of the sign-in, such as `aal1`. */
  acr?: string | undefined
  /** Unknown claims are passed through. */
  [claim: string]: unknown
}

/**
 * The claims of a user's access token: `sub` is the user, `sid` the session, `epoch` the version of the user's claims;
 * `auth_time` and `amr` (OpenID Connect) describe the sign-in.
 */
export interface UserClaims extends SharedClaims {
  /** The session's id. */
  sid: string
  /** Milliseconds since 1970. */
  epoch: number
  auth_time: number
  amr: string[]
}

/** The claims of a client's own access token: there is no user, and `sub` is the client. */
export interface ClientClaims extends SharedClaims {
  sid?: undefined
  epoch?: undefined
  auth_time?: undefined
  amr?: undefined
}

/** The claims of a user's token, or of a client's token, which has no `sid`. */
export type AccessTokenClaims = UserClaims | ClientClaims

/** Whether a claim `scope`, a list with spaces between (RFC 8693, section 4.2), has all of these scopes. */
export function hasScopes(scope: string, wanted: readonly string[]): boolean {
  const granted = scope.split(' ')
  return wanted.every((name) => granted.includes(name))
}

const text = z.string().min(1)

const sharedClaims = {
  iss: text,
  aud: z.union([text, z.array(text).min(1)]),
  iat: numericDate,
  nbf: numericDate,
  exp: numericDate,
  jti: z.uuid(),
  client_id: text,
  client_epoch: numericDate
    .optional()
    .meta({ description: 'Milliseconds since 1970; in tokens of registered clients. See docs/revocation.md.' }),
  roles: z.array(text),
  scope: z.string(),
  acr: text.optional().meta({ description: 'The strength of the authentication: `aal1`, `aal2` or `phr`.' }),
}

const isShortLived = ({ iat, exp }: { iat: number; exp: number }) => exp > iat && exp - iat <= MAX_ACCESS_TOKEN_SECONDS
const lifetimeRule = { path: ['exp'], message: 'Must be after iat, by at most one hour' }

/**
 * `cnf` (RFC 7800) binds a token to a key that its bearer must prove to hold. Accepting it without that proof would
 * make a stolen token usable.
 */
const isBearerToken = (claims: Record<string, unknown>) => claims.cnf === undefined
const bearerRule = { path: ['cnf'], message: 'Sender-constrained tokens are not supported' }

const genuineUserClaims = z
  .looseObject({
    ...sharedClaims,
    sub: z.uuid(),
    sid: z.uuid(),
    epoch: numericDate,
    auth_time: numericDate,
    amr: z.array(text),
  })
  .refine(isShortLived, lifetimeRule)

export const userClaimsSchema = genuineUserClaims
  .refine(isBearerToken, bearerRule)
  .meta({ examples: [exampleClaims] }) satisfies z.ZodType<UserClaims>

const absent = z.never().optional()

const genuineClientClaims = z
  .looseObject({ ...sharedClaims, sub: text, sid: absent, epoch: absent, auth_time: absent, amr: absent })
  .refine(({ sub, client_id: clientId }) => sub === clientId, { path: ['sub'], message: 'Must be equal to client_id' })
  .refine(isShortLived, lifetimeRule)

const clientClaimsSchema = genuineClientClaims.refine(isBearerToken, bearerRule) satisfies z.ZodType<ClientClaims>

const accessTokenClaimsSchema = z.union([userClaimsSchema, clientClaimsSchema])

const boundClaimsSchema = z.looseObject({ cnf: z.looseObject({ jkt: text }).optional() })

/**
 * Validates the payload of a token whose signature was verified: libraries accept `exp: 1e999` and an object as `sub`.
 * Unknown claims are accepted (RFC 7519, section 4), so that a verifier keeps working with later versions. The result
 * is deeply frozen, because all requests with one token share it. Throws a ZodError.
 */
export function requireClaims(payload: unknown): AccessTokenClaims {
  const claims = accessTokenClaimsSchema.parse(payload)
  freezeDeeply(claims)
  return claims
}

/** Claims of a token that may be bound to a key, which has to be proven wherever the token is accepted. */
export type MaybeBoundClaims = AccessTokenClaims & { cnf?: { jkt: string } | undefined }

/** The same for a token that may be bound to a key (RFC 9449, section 6.1). */
export function requireMaybeBoundClaims(payload: unknown): MaybeBoundClaims {
  const { cnf } = boundClaimsSchema.parse(payload)
  const claims = { ...z.union([genuineUserClaims, genuineClientClaims]).parse(payload), cnf }
  freezeDeeply(claims)
  return claims
}

/** Iterative rather than recursive: the nesting of an unknown claim is limited only by the length of the token. */
function freezeDeeply(root: object): void {
  const pending: unknown[] = [root]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value !== 'object' || value === null) continue
    Object.freeze(value)
    for (const member of Object.values(value)) pending.push(member)
  }
}
