import type { Mode } from '../../wire/mode.js'
import type { TokenReply } from '../../wire/token-reply.js'
import type { Answer } from './http.js'

/**
 * What an answer to a refresh means for the session:
 * - `renewed`: new tokens.
 * - `again`: nothing is lost, and the same attempt may succeed later.
 * - `ended`: Sallyport says in so many words that the session is over. Nothing else is a reason to give it up.
 * - `refused`: a repetition would be refused too, but the session may well live.
 */
export type RefreshOutcome = { outcome: 'renewed'; reply: TokenReply } | { outcome: 'again' | 'ended' | 'refused' }

const ends: readonly unknown[] = [
  'session_ended',
  'refresh_token_missing',
  'refresh_token_invalid',
  'refresh_token_reused',
]

/** Judges an answer of `POST /v1/auth/refresh`. */
export function judgeRefresh({ status, body }: Answer, mode: Mode): RefreshOutcome {
  if (status === 200) {
    const reply = readTokenReply(body, mode)
    // Something between here and Sallyport has answered, such as the sign-in page of a network.
    return reply === null ? { outcome: 'again' } : { outcome: 'renewed', reply }
  }
  if (status === 401 && ends.includes(body?.code)) return { outcome: 'ended' }
  // Another refresh was faster, and has left its token to be found by now or in a moment.
  const isOvertaken = body?.code === 'refresh_superseded'
  if (isOvertaken || status === 408 || status === 425 || status === 429 || status >= 500) return { outcome: 'again' }
  return { outcome: 'refused' }
}

/** A token reply with what its mode promises; null for anything else. */
export function readTokenReply(body: Answer['body'], mode: Mode): TokenReply | null {
  const hasTokens =
    (mode === 'session' || typeof body?.access_token === 'string') &&
    (mode !== 'json' || typeof body?.refresh_token === 'string')
  const isWhole =
    typeof body?.expires_in === 'number' && typeof body.session === 'object' && typeof body.user === 'object'
  return isWhole && hasTokens ? (body as TokenReply) : null
}
