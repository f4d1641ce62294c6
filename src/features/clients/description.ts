import { z } from 'zod'
import type { GrantType } from './metadata.js'
import { newClientSchema, type NewClient } from './new-client.js'

/** Grants with a user, who is asked. A client that acts for itself is registered by the operator. */
export const describedGrants: readonly GrantType[] = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
]

/**
 * What an application may say of itself. Our own members are not its to say: it is not first-party, has to use PKCE, and is
 * no verifier. A `backchannel_logout_uri` is left out as well: this server would call it.
 */
const readMembers = [
  ...['client_name', 'redirect_uris', 'grant_types', 'response_types', 'token_endpoint_auth_method'],
  ...['application_type', 'post_logout_redirect_uris', 'jwks', 'jwks_uri', 'id_token_signed_response_alg', 'scope'],
]

const NAMELESS = 'Application without a name'

/** An error of RFC 7591, section 3.2.2. */
export interface DescriptionFault {
  error: 'invalid_redirect_uri' | 'invalid_client_metadata'
  description: string
}

/** Reads what an application says of itself; scopes that it may not have are left out (RFC 7591, section 2). */
export function readDescription(input: unknown, scopes: readonly string[]): NewClient | { fault: DescriptionFault } {
  const given = z.record(z.string(), z.unknown()).safeParse(input)
  if (!given.success) return { fault: { error: 'invalid_client_metadata', description: 'Must be a JSON object' } }
  const said = Object.fromEntries(readMembers.flatMap((name) => (name in given.data ? [[name, given.data[name]]] : [])))
  const read = newClientSchema.safeParse({ client_name: NAMELESS, ...said })
  if (!read.success) return { fault: faultOf(read.error.issues) }
  const { metadata } = read.data
  const foreign = metadata.grant_types.find((grant) => !describedGrants.includes(grant))
  if (foreign !== undefined) return refused('grant_types', `${foreign} is for clients of the operator`)
  if (metadata.grant_types.length === 0) return refused('redirect_uris', 'Required')
  const granted =
    metadata.scope === undefined ? scopes : metadata.scope.split(' ').filter((each) => scopes.includes(each))
  if (granted.length === 0) return refused('scope', `Must be some of ${scopes.join(' ')}`)
  // It is written for any server, so it knows no attempt keys, and would lose its session with an answer.
  return { ...read.data, metadata: { ...metadata, scope: granted.join(' '), lost_answer: 'until_used' } }
}

/** The refusal of a member. */
export function refused(member: string, message: string): { fault: DescriptionFault } {
  return { fault: toFault(member, message) }
}

function faultOf([first]: readonly { path: PropertyKey[]; message: string }[]): DescriptionFault {
  return toFault(String(first?.path[0]), first?.message ?? '')
}

function toFault(member: string, message: string): DescriptionFault {
  const error = member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  return { error, description: `${member}: ${message}` }
}
