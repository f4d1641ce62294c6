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
  /** Additional members of the code. */
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

/** The response body of a problem. `basePath` is the path of PUBLIC_URL, under which its page is. */
export function problemDetails(problem: Problem, requestId: string, basePath = ''): ProblemDetails {
  const { reason, errors, members } = problem.options
  return {
    type: `${basePath}/problems/${problem.code}`,
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
  const challenge = challengeOf(problem.code, problem.options.challenge)
  const retryAfter = retryAfterSecondsOf(problem)
  return {
    ...problem.options.headers,
    'content-type': PROBLEM_MEDIA_TYPE,
    'cache-control': 'no-store',
    ...(challenge === null ? {} : { 'www-authenticate': challenge }),
    ...(retryAfter === null ? {} : { 'retry-after': String(retryAfter) }),
  }
}

/** The member `error` of a challenge (RFC 6750, section 3.1; RFC 9470, section 3). */
const challengeErrors: Partial<Record<ProblemCode, string>> = {
  token_invalid: 'invalid_token',
  token_expired: 'invalid_token',
  token_stale: 'invalid_token',
  session_ended: 'invalid_token',
  insufficient_user_authentication: 'insufficient_user_authentication',
  insufficient_scope: 'insufficient_scope',
}

/**
 * The challenge of a 401, and of a token that lacks a scope (RFC 6750, section 3); null for anything else. `error` is
 * told only where a token was shown and refused: a client that showed none gets no hint about what it would have needed
 * (section 3.1). The realm stands there because the scheme must be followed by at least one parameter.
 */
export function challengeOf(code: ProblemCode, parameters: Readonly<Record<string, string>> = {}): string | null {
  const error = challengeErrors[code]
  if (problemCodes[code].status !== 401 && error === undefined) return null
  const all = { realm: 'sallyport', ...(error === undefined ? {} : { error }), ...parameters }
  const pairs = Object.entries(all).map(([name, value]) => `${name}="${value}"`)
  return `Bearer ${pairs.join(', ')}`
}

/** Seconds for `Retry-After`, or null where a repetition would not help. */
export function retryAfterSecondsOf(problem: Problem): number | null {
  if (problem.options.retryAfterSeconds !== undefined) return Math.max(1, Math.ceil(problem.options.retryAfterSeconds))
  const repetitionHelps = problem.status === 503 || problem.code === 'refresh_superseded'
  return repetitionHelps ? 1 : null
}
