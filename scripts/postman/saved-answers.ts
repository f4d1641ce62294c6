// The responses that Postman shows for a request without sending it: those in the document.

import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { problemDetails } from '../../src/platform/http/problem-details.js'
import { Problem } from '../../src/platform/problem.js'
import { problemCodes, type ProblemCode } from '../../src/wire/problem-codes.js'
import type { DescribedAnswer, Operation } from './document.js'
import type { CollectionRequest } from './request.js'
import type { Step } from './step.js'

/** A response in Postman's format. */
export interface SavedAnswer {
  name: string
  originalRequest: Omit<CollectionRequest, 'description'>
  status: string
  code: number
  header: { key: string; value: string }[]
  _postman_previewlanguage: 'json' | 'text'
  cookie: []
  body: string
}

const problemSchema = z.record(z.string(), z.unknown())

/** The response that a step expects, in each documented form. */
export function expectedAnswers(
  { name, send, answers, reason }: Step,
  operation: Operation,
): [DescribedAnswer, ...DescribedAnswer[]] {
  // With another method, the request belongs to no operation.
  if (send?.method !== undefined && isProblemCode(answers)) return [undescribed(answers)]
  const [first, ...others] = operation.answers.filter(({ status, code }) => (code ?? status) === answers)
  if (!first) throw new Error(`"${name}" expects ${answers}, which the document does not describe.`)
  if (reason === undefined) return [first, ...others]
  return [{ ...first, example: { ...problemSchema.parse(first.example), reason } }]
}

function isProblemCode(answers: Step['answers']): answers is ProblemCode {
  return Object.hasOwn(problemCodes, answers)
}

function undescribed(code: ProblemCode): DescribedAnswer {
  const example = problemDetails(new Problem(code), '5f0c64f2-9f0a-4b7e-8d0c-2f6d4f1d8f11')
  return {
    status: problemCodes[code].status,
    code,
    mediaType: 'application/problem+json',
    example,
    required: Object.keys(example),
  }
}

export function savedAnswer(answer: DescribedAnswer, request: CollectionRequest): SavedAnswer {
  const { status, code, mediaType, example } = answer
  const { method, auth, header, body, url } = request
  const isJson = mediaType?.endsWith('json') ?? false
  const statusText = STATUS_CODES[status] ?? ''
  return {
    name: `${status} ${code ?? statusText}`,
    originalRequest: { method, ...(auth && { auth }), header, ...(body && { body }), url },
    status: statusText,
    code: status,
    header: mediaType === null ? [] : [{ key: 'Content-Type', value: mediaType }],
    _postman_previewlanguage: isJson ? 'json' : 'text',
    cookie: [],
    body: isJson ? JSON.stringify(example, null, 2) : String(example ?? ''),
  }
}
