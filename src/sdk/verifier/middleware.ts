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

type Next = (error?: unknown) => void

/**
 * Creates a middleware `(req, res, next)` that sets `req.claims` for requests with a valid access token, and responds with
 * a problem to others. `next(error)` is called for unexpected errors only. With `acr` or `maxAge`, the user must have
 * authenticated strongly or recently enough. Throws a TypeError for invalid ones.
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
      if (error instanceof VerificationError) refuse(response, error, verifier.issuer)
      else next(error)
    }
    verifier.authenticate(request, options).then(pass, fail)
  }
}

function refuse(response: Response, error: VerificationError, issuer: string): void {
  const { status, headers, body } = renderRefusal(error, issuer)
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.end(body)
}
