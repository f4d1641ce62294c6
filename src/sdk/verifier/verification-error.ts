import type { AnyEndReason } from '../../wire/end-reason.js'
import { problemCodes, type ProblemCode } from '../../wire/problem-codes.js'

export interface RefusalOptions {
  /** Why the session ended, where it is known. */
  reason?: AnyEndReason | undefined
  /** Seconds until a repetition can succeed. */
  retryAfterSeconds?: number | undefined
  cause?: unknown
}

/**
 * A token, or a request, that is refused. `code` is one of Sallyport's problem codes and `status` the HTTP status that
 * belongs to it: 401 asks the client to refresh or to sign in, 503 to come back later.
 */
export class VerificationError extends Error {
  override readonly name = 'VerificationError'
  readonly status: number
  readonly reason: AnyEndReason | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(
    readonly code: ProblemCode,
    { reason, retryAfterSeconds, cause }: RefusalOptions = {},
  ) {
    super(problemCodes[code].title, { cause })
    this.status = problemCodes[code].status
    this.reason = reason
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** What answers a request whose token is refused. */
export interface RefusalReply {
  status: number
  headers: Record<string, string>
  /** JSON. */
  body: string
}

/**
 * A refusal as the server itself would answer it: a problem (RFC 9457) with its challenge (RFC 6750, section 3).
 *
 * @param issuer Sallyport's public address, whose pages explain the codes
 */
export function renderRefusal(error: VerificationError, issuer: string): RefusalReply {
  const { code, status, reason, retryAfterSeconds } = error
  const { title, advice } = problemCodes[code]
  const problem = { type: `${issuer.replace(/\/+$/, '')}/problems/${code}`, title, status, code, detail: advice }
  return {
    status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      ...(status === 401 ? { 'www-authenticate': challengeOf(code) } : {}),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify(reason === undefined ? problem : { ...problem, reason }),
  }
}

/** A client that showed no token gets no hint about what it would have needed (RFC 6750, section 3.1). */
function challengeOf(code: ProblemCode): string {
  return code === 'token_missing' ? 'Bearer realm="sallyport"' : 'Bearer realm="sallyport", error="invalid_token"'
}
