import { z } from 'zod'
import { idTokenAlgorithms, type IdTokenAlgorithm } from '../tokens/tokens.js'
import { resourceIdentifierSchema, findRedirectFault, webUriSchema } from './uris.js'

export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
] as const
export type GrantType = (typeof grantTypes)[number]

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

const authenticationMethods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const

/** What is known of a client, by the names of RFC 7591 and OpenID Connect; the last four members are ours. */
export interface ClientMetadata {
  redirect_uris: string[]
  grant_types: GrantType[]
  response_types: 'code'[]
  token_endpoint_auth_method: (typeof authenticationMethods)[number]
  application_type: 'web' | 'native'
  post_logout_redirect_uris: string[]
  jwks?: { keys: Record<string, unknown>[] } | undefined
  jwks_uri?: string | undefined
  backchannel_logout_uri?: string | undefined
  /** Whether logout tokens must have `sid`: they always do. */
  backchannel_logout_session_required?: boolean | undefined
  /** The scopes that it may ask for, separated by spaces; absent for all. */
  scope?: string | undefined
  id_token_signed_response_alg?: IdTokenAlgorithm | undefined
  /** Whether it gets no token that is not bound to a key (RFC 9449, section 5.2). */
  dpop_bound_access_tokens?: boolean | undefined
  /** Whether an authorization request must use PKCE. */
  pkce: 'required' | 'optional'
  /**
   * What a client gets that lost the answer to a refresh, and names no attempt: the same answer within REFRESH_GRACE, or
   * until it has used the successor. A theft is found one use later then.
   */
  lost_answer: 'grace' | 'until_used'
  /** Whether it is a verifier: it may introspect tokens, and follow the revocation feed. */
  introspect: boolean
  /** The resource that its access tokens are for where it names none. */
  default_resource?: string | undefined
}

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `Must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`)

const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** Scopes with spaces between (RFC 6749, section 3.3). */
const scopeSchema = z
  .string()
  .refine((scope) => scope.split(' ').every((token) => scopeToken.test(token)) && scope.length <= 2048, {
    message: 'Must be scopes with single spaces between, such as "openid profile orders:read"',
  })

/** Members that only a private key has (RFC 7518, section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth']

const jwkSchema = z
  .record(z.string(), z.unknown())
  .refine(({ kty }) => kty === 'RSA' || kty === 'EC' || kty === 'OKP', {
    message: 'Each key must be a JWK whose kty is RSA, EC or OKP',
  })
  .refine((key) => PRIVATE_MEMBERS.every((member) => !(member in key)), {
    message:
      'Must have public keys only: take out the private members, such as "d", and replace the key, which is known now',
  })

const MAX_URIS = 50

const stored = z.object({
  redirect_uris: z.array(z.string()).default([]),
  grant_types: z.array(oneOf(grantTypes)),
  response_types: z.array(oneOf(['code'])),
  token_endpoint_auth_method: oneOf(authenticationMethods).default('client_secret_basic'),
  application_type: oneOf(['web', 'native']).default('web'),
  post_logout_redirect_uris: z.array(z.string()).default([]),
  jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).optional(),
  jwks_uri: z.string().optional(),
  backchannel_logout_uri: z.string().optional(),
  backchannel_logout_session_required: z.boolean().optional(),
  scope: z.string().optional(),
  // Others could be registered before ID tokens were signed.
  id_token_signed_response_alg: oneOf(idTokenAlgorithms).optional().catch(undefined),
  dpop_bound_access_tokens: z.boolean().optional(),
  pkce: oneOf(['required', 'optional']).default('required'),
  lost_answer: oneOf(['grace', 'until_used']).default('grace'),
  introspect: z.boolean().default(false),
  default_resource: z.string().optional(),
}) satisfies z.ZodType<ClientMetadata>

/** Reads the column of a client's metadata. Rules that came later do not make a client unreadable. */
export function readMetadata(column: unknown): ClientMetadata {
  return stored.parse(column)
}

const written = stored.extend({
  redirect_uris: z.array(z.string()).max(MAX_URIS, `Must be at most ${MAX_URIS} addresses`).default([]),
  grant_types: z.array(oneOf(grantTypes)).optional(),
  response_types: z.array(oneOf(['code'])).optional(),
  post_logout_redirect_uris: z.array(z.string()).max(MAX_URIS, `Must be at most ${MAX_URIS} addresses`).default([]),
  jwks: z
    .object({ keys: z.array(jwkSchema).min(1, 'Must have at least one key').max(20, 'Must have at most 20 keys') })
    .optional(),
  jwks_uri: webUriSchema.optional(),
  backchannel_logout_uri: webUriSchema.optional(),
  id_token_signed_response_alg: oneOf(idTokenAlgorithms).optional(),
  scope: scopeSchema.optional(),
  default_resource: resourceIdentifierSchema.optional(),
})

type Written = z.infer<typeof written>

/**
 * The metadata of a new client (RFC 7591, section 2). Members that are not known are ignored, as the RFC requires. What is
 * absent gets the RFC's defaults, except that a client without redirect addresses gets no grant by itself: one that only
 * introspects needs none.
 */
export const clientMetadataSchema = written
  .superRefine((metadata, context) => {
    for (const [member, message] of findFaults(metadata)) {
      context.addIssue({ code: 'custom', path: [member], message })
    }
  })
  .transform(({ grant_types, response_types, ...metadata }): ClientMetadata => {
    const grants = grantsOf({ grant_types, redirect_uris: metadata.redirect_uris })
    return {
      ...metadata,
      redirect_uris: unique(metadata.redirect_uris),
      post_logout_redirect_uris: unique(metadata.post_logout_redirect_uris),
      grant_types: grants,
      response_types: response_types ? unique(response_types) : grants.includes('authorization_code') ? ['code'] : [],
    }
  })

function grantsOf({ grant_types, redirect_uris }: Pick<Written, 'grant_types' | 'redirect_uris'>): GrantType[] {
  if (grant_types !== undefined) return unique(grant_types)
  return redirect_uris.length > 0 ? ['authorization_code'] : []
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)]

type Fault = [member: keyof ClientMetadata, message: string]

/** Members that contradict each other. */
function findFaults(metadata: Written): Fault[] {
  return [...redirectFaults(metadata), ...grantFaults(metadata), ...authenticationFaults(metadata)]
}

function redirectFaults({ application_type, redirect_uris, post_logout_redirect_uris }: Written): Fault[] {
  const members = { redirect_uris, post_logout_redirect_uris }
  return (['redirect_uris', 'post_logout_redirect_uris'] as const).flatMap((member) =>
    members[member].flatMap((uri): Fault[] => {
      const fault = findRedirectFault(uri, application_type)
      return fault === null ? [] : [[member, fault]]
    }),
  )
}

function grantFaults(metadata: Written): Fault[] {
  const { redirect_uris, response_types, token_endpoint_auth_method: method } = metadata
  const grants = grantsOf(metadata)
  const hasCode = grants.includes('authorization_code')
  const faults: Fault[] = []
  if (hasCode && redirect_uris.length === 0) {
    faults.push(['redirect_uris', 'The grant authorization_code requires at least one: where the browser returns to'])
  }
  if (!hasCode && redirect_uris.length > 0) {
    faults.push(['grant_types', 'Redirect addresses are for the grant authorization_code: add it, or leave them out'])
  }
  if (response_types !== undefined && response_types.includes('code') !== hasCode) {
    faults.push(['response_types', 'Must be "code" with the grant authorization_code, and absent without it'])
  }
  if (grants.includes('refresh_token') && !hasCode && !grants.includes(DEVICE_CODE)) {
    faults.push([
      'grant_types',
      `refresh_token requires authorization_code or ${DEVICE_CODE}, which give the first one`,
    ])
  }
  if (grants.includes('client_credentials') && method === 'none') {
    faults.push([
      'token_endpoint_auth_method',
      'Must not be none with client_credentials: such a client proves who it is',
    ])
  }
  return faults
}

function authenticationFaults(metadata: Written): Fault[] {
  const { token_endpoint_auth_method: method, jwks, jwks_uri, pkce, introspect } = metadata
  const faults: Fault[] = []
  if (jwks && jwks_uri !== undefined) faults.push(['jwks', 'Must not be used together with jwks_uri: leave one out'])
  if (method === 'private_key_jwt' && !jwks && jwks_uri === undefined) {
    faults.push([
      'token_endpoint_auth_method',
      'private_key_jwt requires the public keys of the client: jwks or jwks_uri',
    ])
  }
  if (method === 'none' && pkce === 'optional') {
    faults.push(['pkce', 'Must be required where token_endpoint_auth_method is none: nothing else protects the code'])
  }
  if (introspect && !method.startsWith('client_secret_')) {
    faults.push([
      'introspect',
      'Requires a secret: token_endpoint_auth_method client_secret_basic or client_secret_post',
    ])
  }
  return faults
}
