import type { AnyEndReason } from '../../wire/end-reason.js'
import type { ProblemCode } from '../../wire/problem-codes.js'
import { ClientError, type FieldError } from './client-error.js'
import { createDeadline } from './deadline.js'
import { parseObject } from './json.js'
import type { Fetch } from './options.js'

/** How long Sallyport may take to answer. */
const TIMEOUT_MS = 10_000

export interface Answer {
  status: number
  ok: boolean
  /** What the body says, where it is JSON; else null. */
  body: Partial<Record<string, unknown>> | null
  retryAfterSeconds: number | undefined
}

/** A request as Sallyport reads it. The header tells that no form or link of another site has sent it. */
export function jsonRequest(method: string, body?: object, headers: Record<string, string> = {}): RequestInit {
  const all = { accept: 'application/json', 'x-sallyport-csrf': '1', ...headers }
  if (body === undefined) return { method, headers: all }
  return { method, headers: { ...all, 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/**
 * The whole answer to a request. Throws `unreachable` when there is none in time, and `superseded` where the signal
 * aborts first.
 */
export async function ask(fetch: Fetch, url: string, init: RequestInit, signal?: AbortSignal): Promise<Answer> {
  const deadline = createDeadline(TIMEOUT_MS, signal)
  try {
    const answer = fetch(url, { ...init, redirect: 'error', signal: deadline.signal }).then(readAnswer)
    return await Promise.race([answer, deadline.late])
  } catch (error) {
    if (signal?.aborted) throw new ClientError('superseded', { cause: error })
    // `fetch` itself fails for nothing else; a ClientError comes from a refresh on its way.
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
 * Whether Sallyport has done what it was asked. It answers an object, or 204 where there is nothing to tell; the sign-in
 * page of a network answers 200 as well, and has done nothing.
 */
export function isDone({ status, ok, body }: Answer): boolean {
  return status === 204 || (ok && body !== null)
}

/** A problem (RFC 9457) as an error; `unexpected_answer` for whatever is not one of Sallyport's. */
export function errorOf({ status, body, retryAfterSeconds }: Answer): ClientError {
  if (typeof body?.code !== 'string' || body.status !== status) {
    return new ClientError('unexpected_answer', { status, retryAfterSeconds })
  }
  // Codes and reasons are only ever added: one that this version does not know is handed on as it is.
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
