import type { Queries } from '../../platform/database/database.js'
import type { Clock } from '../../platform/clock.js'
import { Problem } from '../../platform/problem.js'
import { steppingUser, stepUpProblem, type MfaSetting } from '../access/access.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Audit } from '../audit/audit.js'
import type { AccessGrant, Authentication, Families, Proof } from '../families/families.js'
import type { Confirmer, Passwords } from '../passwords/passwords.js'
import type { signInEvents } from './audit-events.js'
import { authenticationOf } from './next-step.js'
import type { ReauthenticateBody } from './schemas.js'

export interface ReauthenticationOptions {
  accounts: Accounts
  families: Families
  passwords: Passwords
  audit: Audit<typeof signInEvents>
  clock: Clock
  mfa: MfaSetting
}

/** A signed-in user who authenticates again. */
export interface Reauthenticator extends Confirmer {
  /** The methods of the session so far. */
  amr: readonly string[]
}

/**
 * Moves the `auth_time` of a session forward: by the password of users without a second factor, by a factor of all others.
 * Throws `insufficient_user_authentication` for a method that does not suffice, `invalid_credentials` and `rate_limited`.
 */
export type Reauthenticate = (self: Reauthenticator, body: ReauthenticateBody) => Promise<AccessGrant>

export function createReauthentication(options: ReauthenticationOptions): Reauthenticate {
  const { accounts, families, passwords, audit, clock, mfa } = options

  /** Writes the proof to the session, in the transaction of its effect. */
  async function elevate(
    tx: Queries,
    { userId, sessionId, caller }: Reauthenticator,
    proof: Proof,
  ): Promise<AccessGrant> {
    const grant = await families.elevate(tx, sessionId, (amr) => elevatedBy(proof, amr))
    if (grant === null) throw new Problem('session_ended')
    const actor = { kind: 'user' as const, id: userId }
    const detail = { method: proof.method }
    await audit.record(tx, { event: 'reauthenticated', actor, caller, userId, sessionId, detail })
    return grant
  }

  return async (self, { password }) => {
    const user = steppingUser(await accounts.require(self.userId), mfa)
    // Otherwise a thief of the password alone could remove the factors that protect against that.
    if (user.isAskedForFactors) throw stepUpProblem(user, self.amr)
    const confirmed = await passwords.confirm(self, password)
    return passwords.actOnConfirmed(self, { user: confirmed, password }, (tx) =>
      elevate(tx, self, { method: 'pwd', at: clock.now() }),
    )
  }
}

/**
 * The authentication of a session after one more proof. Of what was shown before, only the first methods stay: a session
 * does not keep the level of a factor that was not shown now.
 */
export function elevatedBy(proof: Proof, amr: readonly string[]): Authentication {
  const first = amr.filter(isFirstMethod).map((method) => ({ method, at: proof.at }))
  return authenticationOf([...first, proof])
}

function isFirstMethod(method: string): method is 'pwd' | 'email' {
  return method === 'pwd' || method === 'email'
}
