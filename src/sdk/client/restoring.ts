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

/** Finds out who is signed in. Throws where nobody can tell at the moment. */
export async function restore({ mode, session, credential, refresh, me }: RestoringOptions): Promise<ClientState> {
  try {
    // The browser has both tokens, and the server renews what has expired.
    if (mode === 'session') await me()
    else {
      if ((await credential.read()) !== undefined) session.presume()
      await (session.held ?? refresh(null))
    }
  } catch (error) {
    if (error instanceof ClientError && error.code === 'token_missing') session.end(null)
    // Who is signed out is told by the state, and so is an app's user whom the store knows.
    if (session.state.status === 'unknown') throw error
  }
  return session.state
}
