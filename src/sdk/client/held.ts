import type { TokenReply, User } from '../../wire/token-reply.js'

/** The last token reply, in this tab's memory and nowhere else. */
export interface Held {
  /** Null in mode `session`, where it is a cookie. */
  accessToken: string | null
  expiresAtMs: number
  /** When the answer came: of two, the later one counts. */
  receivedAtMs: number
  session: TokenReply['session']
  user: User
}
