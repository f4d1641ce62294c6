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

/**
 * What an access token says (RFC 9068, section 2.2), with four claims of ours: `sid` the session, `epoch` the version
 * of the user's claims, `roles` and, from OpenID Connect, `auth_time` and `amr` the sign-in. Times are in seconds since
 * 1970.
 */
export interface AccessTokenClaims {
  iss: string
  /** The user's id. */
  sub: string
  aud: string | string[]
  iat: number
  nbf: number
  exp: number
  jti: string
  client_id: string
  /** The session's id. */
  sid: string
  /** Milliseconds since 1970. */
  epoch: number
  roles: string[]
  scope: string
  auth_time: number
  amr: string[]
}

/** Applied after the signature: libraries let `exp: 1e999` and an object as `sub` through. */
export const accessTokenClaimsSchema = z
  .strictObject({
    iss: z.string().min(1),
    sub: z.uuid(),
    aud: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
    iat: numericDate,
    nbf: numericDate,
    exp: numericDate,
    jti: z.uuid(),
    client_id: z.string().min(1),
    sid: z.uuid(),
    epoch: numericDate,
    roles: z.array(z.string().min(1)),
    scope: z.string(),
    auth_time: numericDate,
    amr: z.array(z.string().min(1)),
  })
  .refine((claims) => claims.exp > claims.iat && claims.exp - claims.iat <= MAX_ACCESS_TOKEN_SECONDS, {
    path: ['exp'],
    message: 'A lifetime is positive and at most one hour',
  })
  .meta({ examples: [exampleClaims] }) satisfies z.ZodType<AccessTokenClaims>

/** Header parameters of an access token (RFC 9068, section 2.1). Any key that a token brings along is ignored. */
export const accessTokenHeaderSchema = z.object({
  alg: z.string(),
  kid: z.string().min(1),
  typ: z.string().regex(/^(application\/)?at\+jwt$/i),
  // An extension that must be understood (RFC 7515, section 4.1.11), or an unencoded payload (RFC 7797): we know none.
  crit: z.undefined().optional(),
  b64: z.undefined().optional(),
})
