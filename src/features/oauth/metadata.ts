import { acrLevels } from '../../wire/acr.js'
import { grantTypes } from '../clients/clients.js'
import { claimsOfScopes, openIdScopes } from './scopes.js'

export interface MetadataOptions {
  issuer: string
  publicUrl: string
  /** Whether there is a page to refer to. */
  docs: boolean
  /** Whether there is an OpenID provider. */
  isProvider: boolean
  /** Whether applications may register themselves. */
  registers: boolean
  /** Whether clients can bind their tokens to a key. */
  dpop: boolean
  /** Whether a client id can be the address of a metadata document. */
  metadataDocuments: boolean
}

/** What the server is to standard clients (RFC 8414; OpenID Connect Discovery 1.0, section 3). */
export function serverMetadata(options: MetadataOptions) {
  const { issuer, publicUrl, docs, isProvider, registers, dpop, metadataDocuments } = options
  const authentication = ['client_secret_basic']
  return {
    issuer,
    jwks_uri: `${publicUrl}/.well-known/jwks.json`,
    introspection_endpoint: `${publicUrl}/oauth/introspect`,
    introspection_endpoint_auth_methods_supported: authentication,
    revocation_endpoint: `${publicUrl}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: authentication,
    // Without the provider, tokens are had by the routes under /v1/auth alone, which are no grants of OAuth.
    response_types_supported: isProvider ? ['code'] : [],
    grant_types_supported: isProvider ? [...grantTypes] : [],
    ...(isProvider && providerMetadata(publicUrl)),
    ...(registers && { registration_endpoint: `${publicUrl}/oauth/register` }),
    ...(metadataDocuments && { client_id_metadata_document_supported: true }),
    ...(dpop && { dpop_signing_alg_values_supported: proofAlgorithms }),
    ...(docs && { service_documentation: `${publicUrl}/docs` }),
  }
}

function providerMetadata(publicUrl: string) {
  return {
    authorization_endpoint: `${publicUrl}/oauth/authorize`,
    token_endpoint: `${publicUrl}/oauth/token`,
    userinfo_endpoint: `${publicUrl}/oauth/userinfo`,
    device_authorization_endpoint: `${publicUrl}/oauth/device_authorization`,
    pushed_authorization_request_endpoint: `${publicUrl}/oauth/par`,
    end_session_endpoint: `${publicUrl}/oauth/logout`,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: clientAssertionAlgorithms,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    prompt_values_supported: ['none', 'login', 'consent'],
    scopes_supported: [...openIdScopes],
    claims_supported: [...new Set(Object.values(claimsOfScopes).flat()), 'sid', 'iss'],
    acr_values_supported: [...acrLevels],
    claims_parameter_supported: false,
    request_parameter_supported: false,
  }
}

/** What a client may sign its assertions with (RFC 7523). Ed25519 is the newer name of EdDSA (RFC 9864). */
export const clientAssertionAlgorithms: ('RS256' | 'PS256' | 'ES256' | 'Ed25519' | 'EdDSA')[] = [
  ...(['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'] as const),
]

/** What a client may sign the proof of its key with (RFC 9449). */
export const proofAlgorithms: ('ES256' | 'Ed25519' | 'EdDSA')[] = ['ES256', 'Ed25519', 'EdDSA']
