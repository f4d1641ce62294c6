import type { AnyEndReason } from '../../wire/end-reason.js'
import { problemCodes, type ProblemCode } from '../../wire/problem-codes.js'
import type { AuthenticationDemand } from '../../wire/step-up.js'

export interface RefusalOptions {
  /** Why the session ended, if known. */
  reason?: AnyEndReason | undefined
  /** Seconds after which to retry. */
  retryAfterSeconds?: number | undefined
  /** What is required, with `insufficient_user_authentication`. */
  demand?: AuthenticationDemand | undefined
  /** Whether the proof of the token's key is what was refused (RFC 9449). */
  isProofRefused?: boolean | undefined
  /** The scopes that are required, with `insufficient_scope`. */
  scopes?: readonly string[] | undefined
  cause?: unknown
}

/**
 * A refused token or request. `code` is one of Sallyport's problem codes and `status` its HTTP status: after 401 the client
 * should refresh or sign in, after 503 retry later.
 */
export class VerificationError extends Error {
  override readonly name = 'VerificationError'
  readonly status: number
  readonly reason: AnyEndReason | undefined
  readonly retryAfterSeconds: number | undefined
  /** The levels of which one is required, with `insufficient_user_authentication` where a level is. */
  readonly acrValues: readonly string[] | undefined
  /** The greatest age in seconds, with `insufficient_user_authentication` where an age is required. */
  readonly maxAge: number | undefined
  /** Whether the proof of the token's key is what was refused (RFC 9449, section 7.1). */
  readonly isProofRefused: boolean
  /** The scopes that are required, with `insufficient_scope`. */
  readonly scopes: readonly string[] | undefined

  constructor(
    readonly code: ProblemCode,
    { reason, retryAfterSeconds, demand, isProofRefused = false, scopes, cause }: RefusalOptions = {},
  ) {
    super(problemCodes[code].title, { cause })
    this.status = problemCodes[code].status
    this.reason = reason
    this.retryAfterSeconds = retryAfterSeconds
    this.acrValues = demand?.acr && [demand.acr]
    this.maxAge = demand?.maxAgeSeconds
    this.isProofRefused = isProofRefused
    this.scopes = scopes
  }
}

/** The response to a refused request. */
export interface RefusalReply {
  status: number
  headers: Record<string, string>
  /** JSON. */
  body: string
}

/**
 * Renders an error as the server does: a problem (RFC 9457) with its challenge (RFC 6750, section 3).
 *
 * @param issuer the public URL of Sallyport, which has a page for each code
 * @param resourceMetadataUrl where clients learn of this service, for challenges (RFC 9728, section 5.1)
 */
export function renderRefusal(error: VerificationError, issuer: string, resourceMetadataUrl?: string): RefusalReply {
  const { code, status, reason, retryAfterSeconds, acrValues, maxAge } = error
  const { title, advice } = problemCodes[code]
  const problem = {
    ...{ type: `${issuer.replace(/\/+$/, '')}/problems/${code}`, title, status, code, detail: advice, reason },
    ...{ acr_values: acrValues, max_age: maxAge },
  }
  const challenge = challengeOf(error)
  const metadata = resourceMetadataUrl === undefined ? '' : `, resource_metadata="${resourceMetadataUrl}"`
  return {
    status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      ...(challenge === null ? {} : { 'www-authenticate': challenge + metadata }),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify(problem),
  }
}

/**
 * The challenge of a 401, and of a token that lacks a scope; null for anything else. A request without a token gets no
 * error code in it (RFC 6750, section 3.1).
 */
function challengeOf(error: VerificationError): string | null {
  const { code, status, acrValues, maxAge, scopes = [], isProofRefused } = error
  if (isProofRefused) return 'DPoP realm="sallyport", error="invalid_dpop_proof", algs="ES256 EdDSA"'
  if (code === 'insufficient_scope') return `Bearer realm="sallyport", error="${code}", scope="${scopes.join(' ')}"`
  if (status !== 401) return null
  if (code === 'token_missing') return 'Bearer realm="sallyport"'
  if (code !== 'insufficient_user_authentication') return 'Bearer realm="sallyport", error="invalid_token"'
  const levels = acrValues === undefined ? '' : `, acr_values="${acrValues.join(' ')}"`
  const age = maxAge === undefined ? '' : `, max_age="${maxAge}"`
  return `Bearer realm="sallyport", error="${code}"${levels}${age}`
}
