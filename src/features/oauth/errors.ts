import type { FastifyInstance, RouteOptions } from 'fastify'
import { z } from 'zod'
import { problemCodes, type ProblemCode } from '../../wire/problem-codes.js'
import { toProblem } from '../../platform/http/errors.js'
import { problemHeaders } from '../../platform/http/problem-details.js'
import { FORM_ADVICE, PARAMETER_TWICE } from '../../platform/http/form-body.js'
import { documentedProblems } from '../../platform/http/problem-responses.js'
import { noteProblem } from '../../platform/http/error-handler.js'
import { Problem, type ProblemOptions } from '../../platform/problem.js'

/** The body of a refusal of OAuth (RFC 6749, section 5.2). */
export const oauthErrorSchema = z
  .looseObject({
    error: z.string().describe('Machine-readable error code.'),
    error_description: z.string().describe('Human-readable explanation.'),
  })
  .meta({ id: 'OAuthError', description: 'RFC 6749, section 5.2.' })

export interface OAuthError {
  status: number
  error: string
  error_description: string
}

/**
 * A problem as standard clients know it. They expect 400 for whatever is wrong with a request and 401 for a client that
 * is not known; nothing in the RFCs is for a client that may not ask at all, so `access_denied` is borrowed from the
 * authorization endpoint (section 4.1.2.1), as are the two errors of the server.
 */
export function toOAuthError(problem: Problem): OAuthError {
  return { ...kindOf(problem.code), error_description: describe(problem) }
}

function kindOf(code: ProblemCode): { status: number; error: string } {
  const { status } = problemCodes[code]
  if (code === 'invalid_client') return { status, error: 'invalid_client' }
  if (status === 403) return { status, error: 'access_denied' }
  if (status === 429 || status === 503) return { status, error: 'temporarily_unavailable' }
  if (status >= 500) return { status, error: 'server_error' }
  return { status: 400, error: 'invalid_request' }
}

function describe({ code, detail, options: { errors } }: Problem): string {
  const places = errors?.map(({ path, message }) => `${path.slice(1)}: ${message}`).join('; ')
  return toDescription(code === 'unsupported_media_type' ? FORM_ADVICE : (places ?? detail))
}

/** A text as `error_description`: section 5.2 allows no quotation mark, no backslash, and ASCII alone. */
export function toDescription(text: string): string {
  return text
    .replaceAll('…', '...')
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replace(/[^\x20-\x7E]/g, '?')
}

/**
 * The challenge of a client that is refused, in the scheme that it used (section 5.2); for one that used none, in that
 * of the metadata.
 */
export function challengeFor(authorization: string | undefined): string {
  // RFC 6750, section 3.1: here the token is the client's credential.
  if (/^Bearer\b/i.test(authorization ?? '')) return 'Bearer realm="sallyport", error="invalid_token"'
  return 'Basic realm="sallyport"'
}

/** Makes the routes of a scope refuse as OAuth does, and describe it so. What no route answers stays a problem. */
export function answerOAuthErrors(scope: FastifyInstance): void {
  scope.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error, request.raw.complete)
    noteProblem(problem, request)
    const { status, ...body } = toOAuthError(problem)
    void reply
      .code(status)
      .headers({
        ...problemHeaders(problem),
        'content-type': 'application/json; charset=utf-8',
        ...(status === 401 ? { 'www-authenticate': challengeFor(request.headers.authorization) } : {}),
      })
      .send(JSON.stringify(body))
  })
  scope.addHook('onRoute', describeErrors)
}

const exampleOptions: Partial<Record<ProblemCode, ProblemOptions>> = {
  invalid_request: { detail: PARAMETER_TWICE },
}

/** Puts the errors of OAuth in the place of the problems that a route describes. */
function describeErrors(route: RouteOptions): void {
  const errors = new Map<number, Map<string, object>>()
  for (const code of documentedProblems(route)) {
    const { status, ...value } = toOAuthError(new Problem(code, exampleOptions[code]))
    const ofStatus = errors.get(status) ?? new Map<string, object>()
    if (!ofStatus.has(value.error)) ofStatus.set(value.error, { summary: problemCodes[code].title, value })
    errors.set(status, ofStatus)
  }
  const successes = Object.entries(route.schema?.response ?? {}).filter(([status]) => Number(status) < 400)
  const refusals = [...errors].map(([status, examples]): [string, object] => [
    String(status),
    {
      description: [...examples.keys()].map((error) => `\`${error}\``).join(', '),
      content: { 'application/json': { schema: oauthErrorSchema, examples: Object.fromEntries(examples) } },
    },
  ])
  route.schema = { ...route.schema, response: Object.fromEntries([...successes, ...refusals]) }
}
