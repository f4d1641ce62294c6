import { z } from 'zod'
import { userClaimsSchema, exampleClaims } from '../../wire/claims.js'

/** RFC 7009, section 2.1. A token tells by itself what it is, so revocation does not need the hint. */
export const tokenBodySchema = z
  .looseObject({
    token: z.string().min(1).max(8192),
    token_type_hint: z
      .string()
      .optional()
      .meta({ examples: ['access_token'] }),
  })
  .meta({ examples: [{ token: 'eyJ…' }] })

/** RFC 7662, section 2.1. */
export const introspectionBodySchema = tokenBodySchema
  .extend({
    token_type_hint: z
      .string()
      .optional()
      .meta({
        description: 'A refresh token is active only with `refresh_token`. An access token is active with any hint.',
        examples: ['access_token'],
      }),
  })
  .meta({ examples: [{ token: 'eyJ…' }] })

export const introspectionSchema = z
  .object({ active: z.boolean(), token_type: z.enum(['Bearer', 'DPoP']).optional() })
  .extend(z.object(userClaimsSchema.shape).partial().shape)
  // The token of a client that acts for itself names the client.
  .extend({ sub: z.string().optional(), cnf: z.object({ jkt: z.string() }).optional() })
  .meta({
    id: 'Introspection',
    description: 'RFC 7662, section 2.2. Only `active` is returned for an inactive token.',
    examples: [{ active: true, ...exampleClaims, token_type: 'Bearer' }, { active: false }],
  })

const exampleMetadata = {
  issuer: 'https://auth.example.com',
  jwks_uri: 'https://auth.example.com/.well-known/jwks.json',
  introspection_endpoint: 'https://auth.example.com/oauth/introspect',
  introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
  revocation_endpoint: 'https://auth.example.com/oauth/revoke',
  revocation_endpoint_auth_methods_supported: ['client_secret_basic'],
  response_types_supported: [],
  grant_types_supported: [],
  service_documentation: 'https://auth.example.com/docs',
}

const address = z.string().optional()
const list = z.array(z.string()).optional()
const flag = z.boolean().optional()

/** Only where OAUTH is on. */
const ofProvider = {
  authorization_endpoint: address,
  token_endpoint: address,
  userinfo_endpoint: address,
  device_authorization_endpoint: address,
  pushed_authorization_request_endpoint: address,
  end_session_endpoint: address,
  backchannel_logout_supported: flag,
  backchannel_logout_session_supported: flag,
  registration_endpoint: address,
  client_id_metadata_document_supported: flag,
  token_endpoint_auth_methods_supported: list,
  token_endpoint_auth_signing_alg_values_supported: list,
  code_challenge_methods_supported: list,
  dpop_signing_alg_values_supported: list,
  authorization_response_iss_parameter_supported: flag,
  response_modes_supported: list,
  prompt_values_supported: list,
  scopes_supported: list,
  claims_supported: list,
  acr_values_supported: list,
  claims_parameter_supported: flag,
  request_parameter_supported: flag,
}

const metadata = z.object({
  issuer: z.string(),
  jwks_uri: z.string(),
  introspection_endpoint: z.string(),
  introspection_endpoint_auth_methods_supported: z.array(z.string()),
  revocation_endpoint: z.string(),
  revocation_endpoint_auth_methods_supported: z.array(z.string()),
  response_types_supported: z.array(z.string()),
  grant_types_supported: z.array(z.string()),
  service_documentation: z.string().optional(),
  ...ofProvider,
})

export const metadataSchema = metadata.meta({
  id: 'AuthorizationServerMetadata',
  description: 'RFC 8414, section 2.',
  examples: [exampleMetadata],
})

export const openIdConfigurationSchema = metadata
  .extend({
    subject_types_supported: z.array(z.string()),
    id_token_signing_alg_values_supported: z.array(z.string()).meta({
      description:
        'The algorithms of ID tokens. Without OAUTH=on, none is issued: those of the keys in `jwks_uri`, for verifiers that read them here.',
    }),
    request_uri_parameter_supported: z.boolean(),
  })
  .meta({
    id: 'OpenIdConfiguration',
    description:
      'OpenID Connect Discovery 1.0, section 3, also for verifiers that know no other document. Only with OAUTH=on is there ' +
      'an OpenID provider: otherwise there is no authorization endpoint and no token endpoint.',
    examples: [
      {
        ...exampleMetadata,
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
        request_uri_parameter_supported: false,
      },
    ],
  })
