import { z } from 'zod'
import { readCookies, type SessionCookieNames } from '../../wire/cookies.js'
import { problemCodes, type ProblemCode } from '../../wire/problem-codes.js'
import { ask, type Answer, type Fetch } from './http.js'
import { VerificationError } from './verification-error.js'

/** What a browser shows in mode `session`, and how an access cookie that no longer serves is replaced. */

const TIMEOUT_MS = 3_000
const MAX_BYTES = 65_536

export interface RenewalOptions {
  url: string
  names: SessionCookieNames
  fetch: Fetch
  stop: AbortSignal
}

export interface Renewal {
  /** The access token that has just been issued. */
  token: string
  /** The Set-Cookie lines that hand it to the browser. */
  setCookies: string[]
}

/**
 * Has Sallyport replace the access cookie by means of the refresh cookie, as it does on its own routes. No other cookie
 * leaves this service. Null when it does not replace it; throws the VerificationError that says why it refuses, and
 * `revocation_stale` without an answer.
 */
export async function renewSession(
  cookieHeader: string,
  { url, names, fetch, stop }: RenewalOptions,
): Promise<Renewal | null> {
  const cookie = [names.access, names.refresh]
    .flatMap((name) => readCookies(cookieHeader, name).map((value) => `${name}=${value}`))
    .join('; ')
  const limits = { fetch, stop, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }
  const answer = await ask(`${url}/v1/whoami`, { ...limits, headers: { cookie, accept: 'application/json' } }).catch(
    (cause: unknown) => {
      throw new VerificationError('revocation_stale', { retryAfterSeconds: 1, cause })
    },
  )
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

/** What the server said, where it refuses this request; that nobody can tell, for whatever else went wrong. */
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
