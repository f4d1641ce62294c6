import { z } from 'zod'

/** No access token lives longer than this, whatever the settings say, so lowering a setting breaks no live token. */
export const MAX_ACCESS_TOKEN_SECONDS = 3600

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
  client_id: 'sallyport',
  sid: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12',
  epoch: 1767225600000,
  roles: ['auditor'],
  scope: '',
  auth_time: 1767225600,
  amr: ['pwd'],
}

/** What every access token says (RFC 9068, section 2.2), with `roles`, a claim of ours. Times are in seconds since 1970. */
interface SharedClaims {
  iss: string
  sub: string
  aud: string | string[]
  iat: number
  nbf: number
  exp: number
  jti: string
  client_id: string
  roles: string[]
  /** Separated by spaces. */
  scope: string
  /** The strength of the sign-in, such as `aal1`. */
  acr?: string | undefined
  /** Claims that are not known are there as they came. */
  [claim: string]: unknown
}

/**
 * What a user's access token says: `sub` the user, and of ours `sid` the session and `epoch` the version of the user's
 * claims; from OpenID Connect, `auth_time` and `amr` the sign-in.
 */
export interface UserClaims extends SharedClaims {
  /** The session's id. */
  sid: string
  /** Milliseconds since 1970. */
  epoch: number
  auth_time: number
  amr: string[]
}

/** What the access token of a client that acts for itself says: nobody has signed in, and `sub` is the client. */
export interface ClientClaims extends SharedClaims {
  sid?: undefined
  epoch?: undefined
  auth_time?: undefined
  amr?: undefined
}

/** The claims of a user's token or of a client's, which has no `sid`. */
export type AccessTokenClaims = UserClaims | ClientClaims

const text = z.string().min(1)

const sharedClaims = {
  iss: text,
  aud: z.union([text, z.array(text).min(1)]),
  iat: numericDate,
  nbf: numericDate,
  exp: numericDate,
  jti: z.uuid(),
  client_id: text,
  roles: z.array(text),
  scope: z.string(),
  // Not issued before every verifier that is in use takes claims it does not know; those of 0.1 do not.
  acr: text.optional().meta({ description: 'The strength of the sign-in, such as `aal1`. Later versions issue it.' }),
}

const isShortLived = ({ iat, exp }: { iat: number; exp: number }) => exp > iat && exp - iat <= MAX_ACCESS_TOKEN_SECONDS
const lifetimeRule = { path: ['exp'], message: 'A lifetime is positive and at most one hour' }

/**
 * `cnf` (RFC 7800) binds a token to a key that its bearer has to show. To let it through without asking for the key
 * would make a stolen token worth as much as its owner's.
 */
const isBearerToken = (claims: Record<string, unknown>) => claims.cnf === undefined
const bearerRule = { path: ['cnf'], message: 'Tokens that are bound to a key are not understood' }

export const userClaimsSchema = z
  .looseObject({
    ...sharedClaims,
    sub: z.uuid(),
    sid: z.uuid(),
    epoch: numericDate,
    auth_time: numericDate,
    amr: z.array(text),
  })
  .refine(isShortLived, lifetimeRule)
  .refine(isBearerToken, bearerRule)
  .meta({ examples: [exampleClaims] }) satisfies z.ZodType<UserClaims>

const absent = z.never().optional()

const clientClaimsSchema = z
  .looseObject({ ...sharedClaims, sub: text, sid: absent, epoch: absent, auth_time: absent, amr: absent })
  .refine(({ sub, client_id: clientId }) => sub === clientId, { path: ['sub'], message: 'A client is its own subject' })
  .refine(isShortLived, lifetimeRule)
  .refine(isBearerToken, bearerRule) satisfies z.ZodType<ClientClaims>

const accessTokenClaimsSchema = z.union([userClaimsSchema, clientClaimsSchema])

/**
 * Reads the payload of a token whose signature was checked: libraries let `exp: 1e999` and an object as `sub` through.
 * Claims that are not known are let through (RFC 7519, section 4), so that a verifier serves longer than the version it
 * was made for. The answer is frozen throughout, since all requests with one token share it. Throws a ZodError.
 */
export function requireClaims(payload: unknown): AccessTokenClaims {
  const claims = accessTokenClaimsSchema.parse(payload)
  freezeDeeply(claims)
  return claims
}

/** A loop, not a recursion: nothing but the length of a token bounds how deep an unknown claim is nested. */
function freezeDeeply(root: object): void {
  const pending: unknown[] = [root]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value !== 'object' || value === null) continue
    Object.freeze(value)
    for (const member of Object.values(value)) pending.push(member)
  }
}
