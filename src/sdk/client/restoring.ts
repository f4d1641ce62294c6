import type { Mode } from '../../wire/mode.js'
import type { User } from '../../wire/token-reply.js'
import { ClientError } from './client-error.js'
import type { Credential } from './credential.js'
import type { Held } from './held.js'
import type { ClientState, Session } from './session.js'

export interface RestoringOptions {
  mode: Mode
  session: Session
  credential: Credential
  refresh: (stale: Held | null) => Promise<Held>
  me: () => Promise<User>
}

/** Restores the session. Throws if its state cannot be determined. */
export async function restore({ mode, session, credential, refresh, me }: RestoringOptions): Promise<ClientState> {
  try {
    // The browser has both cookies, and the server renews the access cookie if it has expired.
    if (mode === 'session') await me()
    else {
      if ((await credential.read()) !== undefined) session.presume()
      await (session.held ?? refresh(null))
    }
  } catch (error) {
    if (error instanceof ClientError && error.code === 'token_missing') session.end(null)
    // If signed out, or signed in according to the store, the state says so.
    if (session.state.status === 'unknown') throw error
  }
  return session.state
}
