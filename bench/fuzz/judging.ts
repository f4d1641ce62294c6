import { z } from 'zod'
import { problemCodes } from '../../src/wire/problem-codes.js'
import { parseJson } from '../json.js'
import type { DescribedAnswer } from './document.js'
import type { AnyRequest } from './requests.js'
import type { Answer } from './sending.js'

export interface Expected {
  /** Headers that every response carries, and their values. */
  headers: Record<string, string>
}

const PROBLEM = 'application/problem+json'

const problemSchema = z.object({ type: z.string(), status: z.number(), code: z.string(), request_id: z.string() })

/** RFC 6749, section 5.2. */
const oauthErrorSchema = z.object({ error: z.string(), error_description: z.string() })

/** A body that is not a problem at all. */
const noProblem = { type: '', status: 0, code: '', request_id: '' }

/** Problems that can occur before the operation is known. */
const ofNobody: [status: number, codes: string[]][] = [
  [400, ['invalid_request']],
  [404, ['not_found']],
  [405, ['method_not_allowed']],
]

/** Everything that is wrong with a response. */
export function faultsOf(request: AnyRequest, answer: Answer, { headers }: Expected): string[] {
  return [
    ...faultsOfHeaders(request, answer, headers),
    ...(answer.status >= 400 ? faultsOfProblem(request, answer) : []),
    ...faultsAgainstDocument(request, answer),
  ]
}

function faultsOfHeaders(
  { operation, headers }: AnyRequest,
  answer: Answer,
  expected: Record<string, string>,
): string[] {
  // Pages for people load their own styles and scripts.
  const own = operation === null ? ['content-security-policy'] : []
  const missing = Object.entries(expected).flatMap(([name, value]) => {
    const actual = answer.headers[name]
    if (actual === undefined) return [`has no ${name}`]
    return actual === value || own.includes(name) ? [] : [`has ${name}: ${String(actual)}`]
  })
  const isOAuths = operation?.answers.get(answer.status)?.mediaType === 'application/json'
  // RFC 6749, section 5.2: a client that sends no credentials by the header is told of its fault in the body.
  const byStatus = isOAuths && headers['authorization'] === undefined ? [] : (neededBy.get(answer.status) ?? [])
  const needed = ['x-request-id', 'cache-control', 'vary', ...byStatus]
  return [...missing, ...needed.filter((name) => answer.headers[name] === undefined).map((name) => `has no ${name}`)]
}

/** RFC 9110, sections 11.6.1, 10.2.1 and 10.2.3. */
const neededBy = new Map([
  [401, ['www-authenticate']],
  [405, ['allow']],
  [429, ['retry-after']],
  [503, ['retry-after']],
])

function faultsOfProblem({ method, operation }: AnyRequest, { status, headers, text }: Answer): string[] {
  const faults = status >= 500 ? [`has the server error ${status}`] : []
  // A documented OAuth error is checked against its schema.
  const isOAuths = operation?.answers.get(status)?.mediaType === 'application/json'
  if (isOAuths && headers['content-type']?.startsWith('application/json')) return faults
  if (!headers['content-type']?.startsWith(PROBLEM)) return [...faults, 'is a refusal without a problem body']
  if (method === 'HEAD') return faults
  const { data: problem = noProblem } = problemSchema.safeParse(parseJson(text))
  if (!Object.hasOwn(problemCodes, problem.code)) faults.push(`has the unknown code "${problem.code}"`)
  if (problem.status !== status) faults.push(`has status ${problem.status} in its body and ${status} in its header`)
  if (problem.type !== `/problems/${problem.code}`) faults.push(`has the type "${problem.type}"`)
  if (problem.request_id !== headers['x-request-id']) faults.push('has another request id than its header')
  return faults
}

function faultsAgainstDocument({ operation, exact, method }: AnyRequest, answer: Answer): string[] {
  if (operation === null) return []
  const described = operation.answers.get(answer.status)
  if (exact) return faultsOfBody(described, answer, method)
  // Another spelling of the address may or may not be the operation's, and another method may have its own route.
  const nobodys = ofNobody.find(([status]) => status === answer.status)?.[1]
  if (answer.status < 400 || nobodys?.includes(codeOf(answer)) || method === 'HEAD') return []
  return method === operation.method ? faultsOfBody(described, answer, method) : []
}

function faultsOfBody(described: DescribedAnswer | undefined, answer: Answer, method: string): string[] {
  const { status, headers, text } = answer
  if (described === undefined) return [`has the undocumented status ${status}`]
  const { mediaType, fits, codes } = described
  if (fits === null || mediaType === null) return text === '' ? [] : [`has an undocumented body`]
  if (method === 'HEAD') return []
  if (!headers['content-type']?.startsWith(mediaType))
    return [`is ${String(headers['content-type'])}, not ${mediaType}`]
  if (mediaType === 'text/event-stream') return []
  const faults = fits(parseJson(text)) ? [] : [`does not match its schema: ${describe(fits)}`]
  const isTold = status < 400 || codes.has(codeOf(answer))
  return isTold ? faults : [...faults, `has the undocumented code ${codeOf(answer)}`]
}

function describe({ errors }: NonNullable<DescribedAnswer['fits']>): string {
  return (errors ?? []).map(({ instancePath, message = '' }) => `${instancePath || '/'} ${message}`).join(', ')
}

function codeOf({ text }: Answer): string {
  const body = parseJson(text)
  return problemSchema.safeParse(body).data?.code ?? oauthErrorSchema.safeParse(body).data?.error ?? ''
}

/** The key for the counts: the operation if the request was its own, and the result. */
export function nameOf({ operation, exact }: Pick<AnyRequest, 'operation' | 'exact'>): string {
  if (operation === null) return 'no operation'
  return exact ? operation.id : 'astray'
}
