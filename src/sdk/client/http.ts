import type { AnyEndReason } from '../../wire/end-reason.js'
import type { ProblemCode } from '../../wire/problem-codes.js'
import { ClientError, type FieldError } from './client-error.js'
import { createDeadline } from './deadline.js'
import { parseObject } from './json.js'
import type { Fetch } from './options.js'

/** Timeout of requests to Sallyport. */
const TIMEOUT_MS = 10_000

export interface Answer {
  status: number
  ok: boolean
  /** The body if it is a JSON object, otherwise null. */
  body: Partial<Record<string, unknown>> | null
  retryAfterSeconds: number | undefined
}

/** A JSON request. The header x-sallyport-csrf proves that it was not sent by a form or link of another site. */
export function jsonRequest(method: string, body?: object, headers: Record<string, string> = {}): RequestInit {
  const all = { accept: 'application/json', 'x-sallyport-csrf': '1', ...headers }
  if (body === undefined) return { method, headers: all }
  return { method, headers: { ...all, 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/**
 * Sends a request and reads the whole response. Throws `unreachable` if there is none in time, and `superseded` if the
 * signal aborts first.
 */
export async function ask(fetch: Fetch, url: string, init: RequestInit, signal?: AbortSignal): Promise<Answer> {
  const deadline = createDeadline(TIMEOUT_MS, signal)
  try {
    const answer = fetch(url, { ...init, redirect: 'error', signal: deadline.signal }).then(readAnswer)
    return await Promise.race([answer, deadline.late])
  } catch (error) {
    if (signal?.aborted) throw new ClientError('superseded', { cause: error })
    // `fetch` itself fails for no other reason; a ClientError comes from a refresh.
    throw error instanceof ClientError ? error : new ClientError('unreachable', { cause: error })
  } finally {
    deadline.end()
  }
}

export async function readAnswer(response: Response): Promise<Answer> {
  const { status, ok, headers } = response
  const retryAfter = headers.get('retry-after') ?? ''
  return {
    status,
    ok,
    body: parseObject(await response.text()),
    retryAfterSeconds: /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : undefined,
  }
}

/**
 * Whether Sallyport has fulfilled the request: it responds with an object, or with 204. A captive portal also responds
 * with 200, but not with JSON.
 */
export function isDone({ status, ok, body }: Answer): boolean {
  return status === 204 || (ok && body !== null)
}

/** Converts a problem (RFC 9457) to an error; `unexpected_answer` for other responses. */
export function errorOf({ status, body, retryAfterSeconds }: Answer): ClientError {
  if (typeof body?.code !== 'string' || body.status !== status) {
    return new ClientError('unexpected_answer', { status, retryAfterSeconds })
  }
  // Codes and reasons unknown to this version are passed through.
  const { code, detail, reason, errors, request_id } = body as unknown as Problem
  const members = Object.fromEntries(Object.entries(body).filter(([name]) => !standardMembers.includes(name)))
  return new ClientError(code, {
    message: detail,
    status,
    reason,
    errors,
    members,
    retryAfterSeconds,
    requestId: request_id,
  })
}

const standardMembers = ['type', 'title', 'status', 'code', 'detail', 'instance', 'request_id', 'reason', 'errors']

interface Problem {
  code: ProblemCode
  detail?: string
  reason?: AnyEndReason
  errors?: FieldError[]
  request_id?: string
}
