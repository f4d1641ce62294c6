import type { ProblemCode } from '../../wire/problem-codes.js'
import { Problem } from '../problem.js'
import { HandlerTimeout } from './handler-timeout.js'

const tooSlow = 'The response took too long. Retry, with the same Idempotency-Key if one was sent.'
const neverArrived = 'The request did not arrive in time.'

/**
 * Translates any error into a problem. Problems are returned unchanged, errors of Fastify about a request get the
 * corresponding code, and anything else becomes `internal_error`.
 *
 * @param arrived whether the whole request had been read when the error occurred
 */
export function toProblem(error: unknown, arrived: boolean): Problem {
  if (error instanceof Problem) return error

  // The handler timeout starts with the request's first byte, so a slow body can exceed it.
  if (error instanceof HandlerTimeout) {
    return arrived
      ? new Problem('overloaded', { detail: tooSlow, cause: error })
      : new Problem('invalid_request', { detail: neverArrived, headers: { connection: 'close' }, cause: error })
  }
  const statusCode = statusOf(error)
  if (statusCode >= 400 && statusCode < 500) return new Problem(codeOfStatus(statusCode), { cause: error })
  return new Problem('internal_error', { cause: error })
}

/** Fastify and its plugins mark errors of the client by a `statusCode` between 400 and 499. */
function codeOfStatus(statusCode: number): ProblemCode {
  switch (statusCode) {
    case 404:
      return 'not_found'
    case 413:
      return 'payload_too_large'
    case 415:
      return 'unsupported_media_type'
    default:
      return 'invalid_request'
  }
}

function statusOf(error: unknown): number {
  const isMarked = typeof error === 'object' && error !== null && 'statusCode' in error
  return isMarked && typeof error.statusCode === 'number' ? error.statusCode : 0
}
