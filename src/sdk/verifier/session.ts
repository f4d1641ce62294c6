import { z } from 'zod'
import { readCookies, type SessionCookieNames } from '../../wire/cookies.js'
import { problemCodes, type ProblemCode } from '../../wire/problem-codes.js'
import { VERIFIER_HEADER } from '../../wire/verifier-header.js'
import { ask, type Answer, type Fetch } from './http.js'
import { VerificationError } from './verification-error.js'

/** Session cookies of mode `session`, and the renewal of an expired access cookie. */

const TIMEOUT_MS = 3_000
const MAX_BYTES = 65_536

export interface RenewalOptions {
  url: string
  /** Tells Sallyport that a service asks, so that the session list keeps the browser's address. */
  credential: string | undefined
  names: SessionCookieNames
  fetch: Fetch
  stop: AbortSignal
}

export interface Renewal {
  /** The new access token. */
  token: string
  /** The Set-Cookie headers for the browser. */
  setCookies: string[]
}

/**
 * Asks Sallyport to renew the access cookie with the refresh cookie, as on its own routes. No other cookies are sent. Null
 * if Sallyport accepts the request without renewing; throws a VerificationError if it refuses, and `revocation_stale`
 * without a response.
 */
export async function renewSession(
  cookieHeader: string,
  { url, credential, names, fetch, stop }: RenewalOptions,
): Promise<Renewal | null> {
  const cookie = [names.access, names.refresh]
    .flatMap((name) => readCookies(cookieHeader, name).map((value) => `${name}=${value}`))
    .join('; ')
  const limits = { fetch, stop, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }
  const headers = { cookie, accept: 'application/json', ...(credential && { [VERIFIER_HEADER]: credential }) }
  const answer = await ask(`${url}/v1/whoami`, { ...limits, headers }).catch((cause: unknown) => {
    throw new VerificationError('revocation_stale', { retryAfterSeconds: 1, cause })
  })
  if (answer.status !== 200) throw refusalOf(answer)
  const setCookies = answer.headers.getSetCookie().filter((line) => line.startsWith(`${names.access}=`))
  const token = setCookies[0]?.slice(names.access.length + 1).replace(/;.*/, '')
  return token === undefined ? null : { token, setCookies }
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemCodes, code)
}

const problemSchema = z.object({
  code: z.string().refine(isProblemCode),
  reason: z.string().optional(),
})

/** The server's problem if it refused the request; `revocation_stale` for any other failure. */
function refusalOf({ status, headers, text }: Answer): VerificationError {
  const problem = problemSchema.safeParse(parseJson(text))
  const retryAfterSeconds = parseSeconds(headers.get('retry-after'))
  const isMeant = problem.success && problemCodes[problem.data.code].status === status && status !== 500
  if (!isMeant) return new VerificationError('revocation_stale', { retryAfterSeconds: retryAfterSeconds ?? 1 })
  return new VerificationError(problem.data.code, { reason: problem.data.reason, retryAfterSeconds })
}

function parseSeconds(text: string | null): number | undefined {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
