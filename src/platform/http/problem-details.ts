import { problemCodes, type ProblemCode } from '../../wire/problem-codes.js'
import type { FieldError, Problem } from '../problem.js'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8'

/** The body of a refusal (RFC 9457). */
export interface ProblemDetails {
  type: string
  title: string
  status: number
  code: ProblemCode
  detail: string
  request_id: string
  reason?: string
  errors?: FieldError[]
  /** What a code tells beyond these. */
  [extension: string]: unknown
}

/** The names that mean the same in every problem, whether it has them or not. */
const standardMembers: ReadonlySet<string> = new Set([
  'type',
  'title',
  'status',
  'code',
  'detail',
  'instance',
  'request_id',
  'reason',
  'errors',
])

/** What the client is told of a problem. */
export function problemDetails(problem: Problem, requestId: string): ProblemDetails {
  const { reason, errors, members } = problem.options
  return {
    type: `/problems/${problem.code}`,
    title: problem.title,
    status: problem.status,
    code: problem.code,
    detail: problem.detail,
    request_id: requestId,
    ...(reason === undefined ? {} : { reason }),
    ...(errors === undefined ? {} : { errors }),
    ...(members === undefined ? {} : extensionsOf(members)),
  }
}

function extensionsOf(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !standardMembers.has(name)))
}

/** The headers that belong to a problem, whatever the route had in mind before it failed. */
export function problemHeaders(problem: Problem): Record<string, string> {
  const challenge = challengeOf(problem.code)
  const retryAfter = retryAfterSecondsOf(problem)
  return {
    ...problem.options.headers,
    'content-type': PROBLEM_MEDIA_TYPE,
    'cache-control': 'no-store',
    ...(challenge === null ? {} : { 'www-authenticate': challenge }),
    ...(retryAfter === null ? {} : { 'retry-after': String(retryAfter) }),
  }
}

const refusedAccessToken: ReadonlySet<ProblemCode> = new Set([
  'token_invalid',
  'token_expired',
  'token_stale',
  'session_ended',
])

/**
 * The challenge of a 401 (RFC 6750, section 3), or null for any other status. `error` is told only where a token was
 * shown and refused: a client that showed none gets no hint about what it would have needed (section 3.1).
 * The realm stands there because the scheme must be followed by at least one parameter.
 */
export function challengeOf(code: ProblemCode): string | null {
  if (problemCodes[code].status !== 401) return null
  return refusedAccessToken.has(code) ? 'Bearer realm="sallyport", error="invalid_token"' : 'Bearer realm="sallyport"'
}

/** Seconds for `Retry-After`, or null where a repetition would not help. */
export function retryAfterSecondsOf(problem: Problem): number | null {
  if (problem.options.retryAfterSeconds !== undefined) return Math.max(1, Math.ceil(problem.options.retryAfterSeconds))
  const repetitionHelps = problem.status === 503 || problem.code === 'refresh_superseded'
  return repetitionHelps ? 1 : null
}
