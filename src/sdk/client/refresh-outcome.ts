import type { Mode } from '../../wire/mode.js'
import type { TokenReply } from '../../wire/token-reply.js'
import type { Answer } from './http.js'

/**
 * The meaning of a refresh response:
 * - `renewed`: new tokens.
 * - `again`: retry with the same attempt.
 * - `ended`: Sallyport reports that the session has ended. No other outcome signs the user out.
 * - `refused`: a retry would be refused too, but the session may still be active.
 */
export type RefreshOutcome = { outcome: 'renewed'; reply: TokenReply } | { outcome: 'again' | 'ended' | 'refused' }

const ends: readonly unknown[] = [
  'session_ended',
  'refresh_token_missing',
  'refresh_token_invalid',
  'refresh_token_reused',
]

/** Judges a response of `POST /v1/auth/refresh`. */
export function judgeRefresh({ status, body }: Answer, mode: Mode): RefreshOutcome {
  if (status === 200) {
    const reply = readTokenReply(body, mode)
    // The response came from something else, such as a captive portal.
    return reply === null ? { outcome: 'again' } : { outcome: 'renewed', reply }
  }
  if (status === 401 && ends.includes(body?.code)) return { outcome: 'ended' }
  // Another refresh finished first and stores its token now or in a moment.
  const isOvertaken = body?.code === 'refresh_superseded'
  if (isOvertaken || status === 408 || status === 425 || status === 429 || status >= 500) return { outcome: 'again' }
  return { outcome: 'refused' }
}

/** A complete token reply of that mode; null for anything else. */
export function readTokenReply(body: Answer['body'], mode: Mode): TokenReply | null {
  const hasRefreshToken = mode !== 'json' || typeof body?.refresh_token === 'string'
  return hasRefreshToken ? readAccessReply(body, mode) : null
}

/** The same for a reply that brings no refresh token, as that of the session stays. */
export function readAccessReply(body: Answer['body'], mode: Mode): TokenReply | null {
  const isWhole =
    (mode === 'session' || typeof body?.access_token === 'string') &&
    typeof body?.expires_in === 'number' &&
    typeof body.session === 'object' &&
    typeof body.user === 'object'
  return isWhole ? (body as TokenReply) : null
}
