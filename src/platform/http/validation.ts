import type { FastifySchemaCompiler } from 'fastify'
import { safeParse, type $ZodIssue, type $ZodType } from 'zod/v4/core'
import { Problem, type FieldError } from '../problem.js'

// A body can be written with thousands of wrong members in 16 KiB; the first few tell enough.
const MAX_ERRORS = 20

/** Validates a part of a request by its zod schema. The offending value is never repeated: it may be a password. */
export const validateByZod: FastifySchemaCompiler<$ZodType> = ({ schema, httpPart }) => {
  return (data: unknown) => {
    // Fastify hands over an absent body as null; zod knows absence as undefined, so `.optional()` means what it says.
    const input = httpPart === 'body' && data === null ? undefined : data
    const result = safeParse(schema, input)
    if (result.success) return { value: result.data }
    return { error: refusal(result.error.issues, httpPart) }
  }
}

function refusal(issues: readonly $ZodIssue[], httpPart: string | undefined): Problem {
  // An address with a malformed id names nothing, like one with an unknown id.
  if (httpPart === 'params') return new Problem('not_found')
  return new Problem('validation_failed', { errors: fieldErrors(issues, httpPart).slice(0, MAX_ERRORS) })
}

/** Lists the invalid values; each unknown member is a separate error. */
export function fieldErrors(issues: readonly $ZodIssue[], httpPart: string | undefined): FieldError[] {
  const prefix = httpPart === 'headers' ? 'Header: ' : httpPart === 'querystring' ? 'Query: ' : ''
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') {
      return [{ path: jsonPointer(issue.path), code: issue.code, message: prefix + issue.message }]
    }
    return issue.keys.map((key) => ({
      path: jsonPointer([...issue.path, key]),
      code: 'unrecognized_key',
      message: `${prefix}Unknown member`,
    }))
  })
}

/** RFC 6901. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
