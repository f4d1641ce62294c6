import type { Client } from './client.js'
import { errorOf, jsonRequest } from './http.js'
import { internalsOf } from './internals.js'
import { authorizationOf } from './pending-flow.js'
import { readAccessReply } from './refresh-outcome.js'
import type { ClientState } from './session.js'

/** What a user shows: a code of their authenticator app, a recovery code, or the credential of a passkey. */
export type FactorProof = { code: string } | { recovery_code: string } | { credential: object }

/**
 * Authenticates the signed-in user again: by the password of users without a second factor, by a factor of all others. The
 * session continues with an access token that tells of it. Throws `invalid_credentials`, `rate_limited`, and
 * `insufficient_user_authentication` for a password that is not enough.
 */
export async function reauthenticate(client: Client, proof: FactorProof | { password: string }): Promise<ClientState> {
  const { mode, lock, session, send, ...inside } = internalsOf(client)
  const headers = await authorizationOf(inside)
  // After a refresh that is under way, whose token may be older than what this one writes.
  return lock.run(
    async ({ signal }) => {
      const answer = await send('/v1/auth/reauthenticate', jsonRequest('POST', proof, headers), signal)
      const reply = answer.ok ? readAccessReply(answer.body, mode) : null
      if (reply === null) throw errorOf(answer)
      session.adopt(reply)
      return session.state
    },
    { steal: false },
  )
}
