import type { Mode } from '../../wire/mode.js'
import type { CallAsUser } from './account.js'
import type { Credential } from './credential.js'
import { readTokenReply } from './refresh-outcome.js'
import type { Session } from './session.js'

export interface PasswordChange {
  /**
   * Ends the user's other sessions. This one continues with new tokens. A user without a password sets one, without
   * `current_password`.
   */
  changePassword(passwords: { current_password?: string; new_password: string }): Promise<void>
  /** The same, for a user who signs in with a passkey from then on. Throws `last_way_in` without one that does so by itself. */
  removePassword(): Promise<void>
}

interface PasswordChangeOptions {
  mode: Mode
  credential: Credential
  session: Session
  call: CallAsUser
}

/**
 * Creates the functions that change and remove the password. They name the same attempt as the next refresh would: if the
 * response is lost, that refresh returns the new tokens.
 */
export function createPasswordChange({ mode, credential, session, call }: PasswordChangeOptions): PasswordChange {
  async function change(method: 'PUT' | 'DELETE', passwords = {}): Promise<void> {
    const presented = await credential.begin()
    const { token, attempt } = presented ?? {}
    const headers = attempt === undefined ? {} : { 'idempotency-key': attempt }
    const body = await call(method, '/v1/me/password', { ...passwords, refresh_token: token }, headers)
    const reply = readTokenReply(body, mode)
    if (presented === null || reply === null) return
    if (await credential.complete(presented, reply.refresh_token)) session.adopt(reply)
  }

  return {
    changePassword: (passwords) => change('PUT', passwords),
    removePassword: () => change('DELETE'),
  }
}
