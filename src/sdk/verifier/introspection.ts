import { z } from 'zod'
import { ask, type Fetch } from './http.js'
import { VerificationError } from './verification-error.js'

const TIMEOUT_MS = 2_000
const MAX_BYTES = 65_536

const answerSchema = z.object({ active: z.boolean() })

export interface IntrospectionOptions {
  url: string
  credential: string
  fetch: Fetch
  stop: AbortSignal
}

/**
 * Asks Sallyport whether a token is active (RFC 7662). Throws `token_stale` if it is not: a refresh then returns new claims
 * or reports the ended session. Throws `revocation_stale` without a response, and a plain Error if the credential is
 * refused.
 */
export async function requireActive(token: string, options: IntrospectionOptions): Promise<void> {
  const { url, credential, fetch, stop } = options
  const answer = await ask(`${url}/oauth/introspect`, {
    fetch,
    stop,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
    method: 'POST',
    headers: {
      authorization: `Bearer ${credential}`,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
  }).catch((cause: unknown) => {
    throw unanswered(cause)
  })
  const { status, text } = answer
  if (status >= 500 || status === 429) throw unanswered(new Error(`Introspection responded with status ${status}.`))
  if (status !== 200) {
    throw new Error(`Introspection responded with status ${status}: check "url" and "credential".`)
  }
  if (!parseAnswer(text).active) throw new VerificationError('token_stale')
}

function parseAnswer(text: string): z.infer<typeof answerSchema> {
  try {
    return answerSchema.parse(JSON.parse(text))
  } catch (error) {
    throw unanswered(error)
  }
}

function unanswered(cause: unknown): VerificationError {
  return new VerificationError('revocation_stale', { retryAfterSeconds: 1, cause })
}
