import type { AccessTokenClaims } from '../../wire/claims.js'
import type { Authenticated, Authenticator } from './authentication.js'
import type { ShownRequest } from './cross-site.js'
import type { VerifyOptions } from './options.js'
import { renderRefusal, VerificationError } from './verification-error.js'

/** A request, as Express and `node:http` have it. */
export interface VerifiedRequest extends ShownRequest {
  /** What the verified access token says. */
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
 * Makes a middleware `(req, res, next)` that lets requests pass whose access token holds, with `req.claims`, and
 * answers the others with a problem. `next(error)` is called only for what is nobody's refusal.
 */
export function requireAccess(verifier: Authenticator, options?: VerifyOptions) {
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
