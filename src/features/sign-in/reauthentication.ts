import type { Database, Queries } from '../../platform/database/database.js'
import type { Clock } from '../../platform/clock.js'
import { Problem } from '../../platform/problem.js'
import { steppingUser, stepUpProblem, type MfaSetting } from '../access/access.js'
import type { Accounts } from '../accounts/accounts.js'
import type { Audit } from '../audit/audit.js'
import type { Factors } from '../factors/factors.js'
import type { AccessGrant, Families, Proof } from '../families/families.js'
import type { Flows } from '../flows/flows.js'
import type { Passkeys, RequestOptions } from '../passkeys/passkeys.js'
import type { Confirmer, Passwords } from '../passwords/passwords.js'
import type { signInEvents } from './audit-events.js'
import { elevatedBy } from './elevation.js'
import { createFactorCheck, type PresentedFactor } from './factor-check.js'

export interface ReauthenticationOptions {
  database: Database
  accounts: Accounts
  families: Families
  passwords: Passwords
  factors: Factors
  passkeys: Passkeys
  flows: Flows
  audit: Audit<typeof signInEvents>
  clock: Clock
  mfa: MfaSetting
}

/** A signed-in user who authenticates again. */
export interface Reauthenticator extends Confirmer {
  /** The methods of the session so far. */
  amr: readonly string[]
}

/** What they show: the password or one factor. */
export interface PresentedProof extends PresentedFactor {
  password?: string | undefined
}

export interface Reauthenticated extends AccessGrant {
  /** How many recovery codes the user has left; null where they showed the password. */
  recoveryCodesLeft: number | null
}

export interface Reauthentication {
  /**
   * Moves the `auth_time` of a session forward: by the password of users without a second factor, by a factor of all others.
   * Throws `insufficient_user_authentication` for a method that does not suffice, `invalid_credentials` and `rate_limited`.
   */
  reauthenticate(self: Reauthenticator, presented: PresentedProof): Promise<Reauthenticated>
  /** The options with which a browser is asked for one of the user's passkeys. */
  passkeyOptions(userId: string): Promise<RequestOptions>
}

export function createReauthentication(options: ReauthenticationOptions): Reauthentication {
  const { database, accounts, passwords, factors, passkeys, flows, clock, mfa } = options
  const factorCheck = createFactorCheck(options)

  async function byPassword(self: Reauthenticator, password: string): Promise<Reauthenticated> {
    const user = steppingUser(await accounts.require(self.userId), mfa)
    // Otherwise a thief of the password alone could remove the factors that protect against that.
    if (user.isAskedForFactors) throw stepUpProblem(user, self.amr)
    const confirmed = await passwords.confirm(self, password)
    return passwords.actOnConfirmed(self, { user: confirmed, password }, async (tx) => ({
      ...(await elevate(options, tx, self, { method: 'pwd', at: clock.now() })),
      recoveryCodesLeft: null,
    }))
  }

  async function byFactor(self: Reauthenticator, presented: PresentedFactor): Promise<Reauthenticated> {
    const { userId, sessionId, caller } = self
    const done = await factorCheck.guard(presented, self, async () => {
      const shown = await factorCheck.check(presented, { userId, purpose: 'reauthenticate', caller })
      if (shown === null) return null
      return database.transaction(async (tx) => {
        const user = await accounts.lock(tx, userId)
        if (user === null) throw new Problem('session_ended', { reason: 'deleted' })
        // Another request has used the same code since it was checked (MFA-01).
        if (!(await shown.use(tx))) return null
        if (presented.credential !== undefined) await factors.forgiveCodes(tx, userId)
        const grant = await elevate(options, tx, self, shown.proof)
        return { ...grant, recoveryCodesLeft: await factors.recordUse(tx, shown.proof, { user, sessionId, caller }) }
      })
    })
    if (done === null) throw await refuse(options, self)
    // A recovery code that was used is news.
    flows.wakeMail()
    return done
  }

  return {
    reauthenticate: (self, { password, ...presented }) =>
      password === undefined ? byFactor(self, presented) : byPassword(self, password),

    passkeyOptions: (userId) =>
      database.query((client) => passkeys.requestOptions(client, { userId, purpose: 'reauthenticate' }), {
        safeToRetry: true,
      }),
  }
}

/** Writes the proof to the session, in the transaction of its effect. */
async function elevate(
  { families, audit }: ReauthenticationOptions,
  tx: Queries,
  { userId, sessionId, caller }: Reauthenticator,
  proof: Proof,
): Promise<AccessGrant> {
  const grant = await families.elevate(tx, sessionId, ({ amr }) => elevatedBy(proof, amr))
  if (grant === null) throw new Problem('session_ended')
  const actor = { kind: 'user' as const, id: userId }
  const detail = { method: proof.method }
  await audit.record(tx, { event: 'reauthenticated', actor, caller, userId, sessionId, detail })
  return grant
}

async function refuse(
  { database, audit }: ReauthenticationOptions,
  { userId, sessionId, caller }: Reauthenticator,
): Promise<Problem> {
  const actor = { kind: 'user' as const, id: userId }
  const event = 'second_factor_failed'
  await database.query((client) => audit.record(client, { event, actor, caller, userId, sessionId }))
  return new Problem('invalid_credentials')
}
