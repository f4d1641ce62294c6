import type { RouteOptions } from 'fastify'
import { z } from 'zod'
import { problemCodes, type ProblemCode } from '../../wire/problem-codes.js'
import { Problem, type ProblemOptions } from '../problem.js'
import { problemDetails } from './problem-details.js'

/** The shape of every refusal, for the documentation. */
export const problemSchema = z
  .looseObject({
    type: z.string().describe('URI of a page that describes the problem, relative to the URL of the request.'),
    title: z.string(),
    status: z.number(),
    code: z.string().describe('Machine-readable problem code. The meaning of a code never changes.'),
    detail: z.string().describe('Human-readable explanation.'),
    request_id: z.string().describe('Same as the X-Request-Id header, and in the log.'),
    reason: z
      .string()
      .optional()
      .describe('Why the session ended, with session_ended; why a link or a code is refused, with flow_invalid.'),
    errors: z
      .array(
        z.object({
          path: z.string().describe('JSON Pointer (RFC 6901) to the invalid value.'),
          code: z.string(),
          message: z.string(),
        }),
      )
      .optional()
      .describe('The invalid values; only with validation_failed.'),
  })
  .meta({
    id: 'Problem',
    description: 'Problem details (RFC 9457). Some codes have additional members.',
  })

interface Example {
  summary: string
  value: object
}

interface ProblemResponse {
  description: string
  content: {
    'application/problem+json': {
      schema: typeof problemSchema
      examples: Record<string, Example>
    }
  }
}

/** The codes of each response that `problemResponses` has made. */
const codesOfResponse = new WeakMap<object, ProblemCode[]>()

type ProblemResponses<Code extends ProblemCode> = Record<(typeof problemCodes)[Code]['status'], ProblemResponse>

/** The response schemas of a route's refusals, by status, with an example for each code. */
export function problemResponses<Code extends ProblemCode>(...codes: Code[]): ProblemResponses<Code>
export function problemResponses(...codes: ProblemCode[]): Record<number, ProblemResponse> {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of codes) {
    const { status } = problemCodes[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries([...byStatus].map(([status, sameStatus]) => [status, problemResponse(sameStatus)]))
}

function problemResponse(codes: ProblemCode[]): ProblemResponse {
  const examples = Object.fromEntries(codes.map((code) => [code, exampleOf(code)]))
  const response: ProblemResponse = {
    description: codes.map((code) => `\`${code}\``).join(', '),
    content: { 'application/problem+json': { schema: problemSchema, examples } },
  }
  codesOfResponse.set(response, codes)
  return response
}

/**
 * Adds to a route's description the refusals that all routes of its kind can meet, so that no route has to list them.
 * Routes that are not described stay so.
 */
export function documentProblems(route: RouteOptions, ...codes: ProblemCode[]): void {
  const { schema } = route
  if (schema?.operationId === undefined) return
  const response = isRecord(schema.response) ? schema.response : {}
  const known = documentedProblems(route)
  route.schema = { ...schema, response: { ...response, ...problemResponses(...new Set([...known, ...codes])) } }
}

/** The codes of all refusals that a route's description has so far. */
export function documentedProblems({ schema }: RouteOptions): ProblemCode[] {
  return isRecord(schema?.response) ? Object.values(schema.response).flatMap(codesOf) : []
}

function codesOf(response: unknown): ProblemCode[] {
  return isRecord(response) ? (codesOfResponse.get(response) ?? []) : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** An answer without a body. */
export function noContent(description: string) {
  return z.undefined().describe(description)
}

const exampleOptions: Partial<Record<ProblemCode, ProblemOptions>> = {
  session_ended: { reason: 'logout' },
  flow_invalid: { reason: 'wrong_code', members: { attempts_left: 3 } },
  flow_unbound: { members: { needs: ['code'] } },
  insufficient_user_authentication: {
    members: { acr_values: ['aal2'], max_age: 900, methods: ['totp', 'recovery_code'] },
  },
  validation_failed: {
    errors: [{ path: '/email', code: 'invalid_type', message: 'Invalid input: expected string, received undefined' }],
  },
}

const examples = new Map<ProblemCode, Example>()

/** Made once for each code: every route of the document has most of them. */
function exampleOf(code: ProblemCode): Example {
  const made = examples.get(code) ?? {
    summary: problemCodes[code].title,
    value: problemDetails(new Problem(code, exampleOptions[code]), '5f0c64f2-9f0a-4b7e-8d0c-2f6d4f1d8f11'),
  }
  examples.set(code, made)
  return made
}
