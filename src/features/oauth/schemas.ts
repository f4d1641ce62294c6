import { z } from 'zod'
import { userClaimsSchema, exampleClaims } from '../../wire/claims.js'

/** `token_type_hint` is allowed and needs no look: a token tells by itself what it is. */
export const tokenBodySchema = z
  .looseObject({ token: z.string().min(1).max(8192), token_type_hint: z.string().optional() })
  .meta({ examples: [{ token: 'eyJ…' }] })

export const introspectionSchema = z
  .object({ active: z.boolean(), token_type: z.literal('Bearer').optional() })
  .extend(z.object(userClaimsSchema.shape).partial().shape)
  .meta({
    id: 'Introspection',
    description: 'RFC 7662, section 2.2. Only `active` is returned for an inactive token.',
    examples: [{ active: true, ...exampleClaims, token_type: 'Bearer' }, { active: false }],
  })

export const metadataSchema = z
  .object({
    issuer: z.string(),
    jwks_uri: z.string(),
    introspection_endpoint: z.string(),
    introspection_endpoint_auth_methods_supported: z.array(z.string()),
    revocation_endpoint: z.string(),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    service_documentation: z.string().optional(),
  })
  .meta({
    id: 'AuthorizationServerMetadata',
    description: 'RFC 8414, section 2.',
    examples: [
      {
        issuer: 'https://auth.example.com',
        jwks_uri: 'https://auth.example.com/.well-known/jwks.json',
        introspection_endpoint: 'https://auth.example.com/oauth/introspect',
        introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
        revocation_endpoint: 'https://auth.example.com/oauth/revoke',
        revocation_endpoint_auth_methods_supported: ['client_secret_basic'],
        response_types_supported: [],
        grant_types_supported: [],
        service_documentation: 'https://auth.example.com/docs',
      },
    ],
  })
