import type { TokenReply, User } from '../../wire/token-reply.js'

/** The last token reply, in this tab's memory and nowhere else. */
export interface Held {
  /** Null in mode `session`, which uses a cookie. */
  accessToken: string | null
  expiresAtMs: number
  /** When the response arrived; the latest one wins. */
  receivedAtMs: number
  session: TokenReply['session']
  user: User
}
