import type { AccessTokenClaims } from '../../wire/claims.js'
import type { Authenticated, Authenticator } from './authentication.js'
import type { ShownRequest } from './cross-site.js'
import { checkRequirement, type VerifyOptions } from './options.js'
import { renderRefusal, VerificationError } from './verification-error.js'

/** A request of Express or `node:http`. */
export interface VerifiedRequest extends ShownRequest {
  /** The claims of the verified access token. */
  claims?: AccessTokenClaims
}

interface Response {
  statusCode: number
  setHeader(name: string, value: string): unknown
  appendHeader(name: string, value: string[]): unknown
  end(body: string): unknown
}

interface MetadataRequest {
  method?: string | undefined
  url?: string | undefined
}

interface Reply {
  status: number
  headers: Readonly<Record<string, string>>
  body: string
}

type Next = (error?: unknown) => void

/**
 * Creates a middleware `(req, res, next)` that sets `req.claims` for requests with a valid access token, and responds with
 * a problem to others. `next(error)` is called for unexpected errors only. With `acr` or `maxAge`, the user must have
 * authenticated strongly or recently enough; with `scopes`, the token must have them. Throws a TypeError for invalid ones.
 */
export function requireAccess(verifier: Authenticator, options: VerifyOptions = {}) {
  checkRequirement(options)
  return (request: VerifiedRequest, response: Response, next: Next): void => {
    const pass = ({ claims, setCookies }: Authenticated) => {
      request.claims = claims
      if (setCookies.length > 0) {
        response.appendHeader('set-cookie', setCookies)
        response.setHeader('cache-control', 'no-store')
      }
      next()
    }
    const fail = (error: unknown) => {
      if (error instanceof VerificationError) refuse(response, error, verifier)
      else next(error)
    }
    verifier.authenticate(request, options).then(pass, fail)
  }
}

/**
 * Creates a middleware `(req, res, next)` that serves the metadata of this service as a protected resource (RFC 9728), and
 * passes all other requests on. It belongs before the routes, and not below a path. Throws a TypeError if the verifier has
 * no option `resource`.
 */
export function serveResourceMetadata({ resourceMetadata }: Authenticator) {
  if (!resourceMetadata) throw new TypeError('serveResourceMetadata requires the option "resource" of createVerifier.')
  const { path, headers, body } = resourceMetadata
  return ({ method = 'GET', url = '' }: MetadataRequest, response: Response, next: Next): void => {
    const isAsked = (method === 'GET' || method === 'HEAD') && url.split('?', 1)[0] === path
    if (isAsked) reply(response, { status: 200, headers, body })
    else next()
  }
}

function refuse(response: Response, error: VerificationError, { issuer, resourceMetadata }: Authenticator): void {
  reply(response, renderRefusal(error, issuer, resourceMetadata?.url))
}

function reply(response: Response, { status, headers, body }: Reply): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.end(body)
}
