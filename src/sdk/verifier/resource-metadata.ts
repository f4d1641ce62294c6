import { z } from 'zod'
import { PROOF_ALGORITHMS } from './proof.js'

/** This service as a protected resource, for clients that learn at run time whose tokens it accepts (RFC 9728). */
export interface ResourceOptions {
  /** The URL of the service, which clients name as `resource` (RFC 8707): the audience by default. */
  identifier?: string | undefined
  /** The scopes that its clients may ask for. */
  scopes?: readonly string[] | undefined
  /** The name of the service for users. */
  name?: string | undefined
  /** The URL of its documentation for developers. */
  documentation?: string | undefined
}

/** The metadata of a protected resource, and where it is served. */
export interface ResourceMetadata {
  /** The path on the host of the service. */
  path: string
  /** The whole URL, for `resource_metadata` in challenges (RFC 9728, section 5.1). */
  url: string
  headers: Readonly<Record<string, string>>
  /** JSON (RFC 9728, section 3.2). */
  body: string
}

/** A scope (RFC 6749, section 3.3), which stands in challenges. */
export const scopeSchema = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'Must be a scope: no spaces, quotes or backslashes')

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

export const resourceSchema = z.strictObject({
  identifier: z.string().optional(),
  scopes: z.array(scopeSchema).min(1).optional(),
  name: z.string().min(1).optional(),
  documentation: z.url({ protocol: /^https?$/ }).optional(),
})

// The characters are those that mean the same in a path, in a route of Fastify and in a header.
const identifierSyntax = /^https?:\/\/[^/?#@\s"\\]+(?:\/[\w.~%/-]*)?$/
const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/**
 * The metadata of a service whose tokens come from this issuer. Throws a TypeError if the identifier or the issuer cannot
 * stand in it: both must be https URLs, or http URLs on loopback, without a query.
 */
export function describeResource(
  { identifier, scopes, name, documentation }: ResourceOptions,
  { issuer, audience, dpopUrl }: { issuer: string; audience: string; dpopUrl?: string | undefined },
): ResourceMetadata {
  const resource = identifier ?? audience
  const url = parseIdentifier(identifier === undefined ? 'audience' : 'resource.identifier', resource)
  parseIdentifier('issuer', issuer)
  // Only the slash after the host is left out before the path is appended (RFC 9728, section 3.1).
  const path = `${WELL_KNOWN}${url.pathname === '/' ? '' : url.pathname}`
  return {
    path,
    url: `${url.origin}${path}`,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'public, max-age=300',
      // Agents in browsers read it from other origins. There is nothing secret in it.
      'access-control-allow-origin': '*',
    },
    body: JSON.stringify({
      resource,
      authorization_servers: [issuer],
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
      // Bearer tokens are accepted as well, so `dpop_bound_access_tokens_required` is left out.
      dpop_signing_alg_values_supported: dpopUrl === undefined ? undefined : PROOF_ALGORITHMS,
      resource_name: name,
      resource_documentation: documentation,
    }),
  }
}

function parseIdentifier(option: string, text: string): URL {
  const url = identifierSyntax.test(text) && URL.canParse(text) ? new URL(text) : null
  const isSafe = url?.protocol === 'https:' || loopbackHosts.includes(url?.hostname ?? '')
  // A path with `..` would be served elsewhere than it says.
  if (url === null || !isSafe || !url.href.startsWith(text)) {
    throw new TypeError(
      `Invalid options for createVerifier: with "resource", "${option}" must be an https URL in its normal form and without a query, or an http URL on loopback.`,
    )
  }
  return url
}
