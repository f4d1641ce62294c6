import type { Actor } from '../audit/audit.js'
import type { Factors } from '../factors/factors.js'
import { flowInvalid, type BegunFlow, type Flow, type Flows, type Presented } from '../flows/flows.js'
import type { Limits, Requester } from '../limits/limits.js'
import type { Passkeys } from '../passkeys/passkeys.js'
import type { Passwords } from '../passwords/passwords.js'
import type { CompletionOptions } from './completing.js'
import { removeFactors } from './mailed-code.js'
import type { ForgotPasswordBody } from './recovery-schemas.js'

export interface PasswordResetOptions extends Pick<
  CompletionOptions,
  'database' | 'accounts' | 'families' | 'identities' | 'audit'
> {
  flows: Flows
  passwords: Passwords
  factors: Factors
  passkeys: Passkeys
  limits: Pick<Limits, 'partyOf'>
}

/** A request that ends a flow by a new password. */
export interface ResetContext extends Requester {
  /** Aborts when the client disconnects. */
  gone: AbortSignal
}

export interface PasswordReset {
  /**
   * Begins a reset, and mails it if a user has the address; the response does not tell. Throws `not_offered` where no
   * mail is sent.
   */
  forgotPassword(
    body: ForgotPasswordBody,
    context: Requester & { holders: readonly string[]; isKnownDevice: boolean },
  ): Promise<BegunFlow>
  /**
   * Sets the password of the user to whom the reset was mailed. All sessions end, and none is opened. Throws
   * `flow_invalid`, and what makes a password unacceptable, after which the flow is still open.
   */
  resetPassword(presented: Presented, newPassword: string, context: ResetContext): Promise<void>
}

export function createPasswordReset(options: PasswordResetOptions): PasswordReset {
  const { database, accounts, passwords, flows, limits } = options

  async function reset(presented: Presented, newPassword: string, context: ResetContext): Promise<void> {
    const flow = await flows.present(presented, ['reset_password'], context)
    const { userId } = flow
    const user = userId && (await database.query((client) => accounts.findById(client, userId)))
    if (!user) throw flowInvalid('expired')
    await passwords.requireAcceptable(newPassword, user, { path: '/new_password' })
    const passwordHash = await passwords.hash(newPassword, context.gone)
    await complete(options, flow, passwordHash, context)
  }

  return {
    async forgotPassword({ email, mode, locale = null }, { holders, isKnownDevice, ...requester }) {
      flows.requireMail()
      return flows.request({ kind: 'reset_password', email, mode, locale, holders, isKnownDevice, requester })
    },

    resetPassword: (presented, newPassword, context) => {
      const party = { name: limits.partyOf(context.caller), preferred: false }
      return passwords.admit(() => reset(presented, newPassword, context), party)
    },
  }
}

/** The proof of the address removes what others may have left: the password, all sessions and all flows (EML-12). */
function complete(
  options: PasswordResetOptions,
  flow: Flow,
  passwordHash: string,
  { caller }: ResetContext,
): Promise<void> {
  const { accounts, families, passwords, flows, identities, audit } = options
  return flows.complete(flow, async (tx, revoke, user) => {
    // The mail went to an address that may have become another user's in the meantime.
    if (user === null || user.email !== flow.email) throw flowInvalid('expired')
    const actor: Actor = { kind: 'user', id: user.id }
    await accounts.setPassword(tx, user.id, passwordHash)
    // Those of an address that was never verified may be another person's (EML-12); those of its owner stay (MFA-07).
    if (user.emailVerifiedAt === null) {
      await removeFactors(options, tx, user.id)
      await identities.forgetUser(tx, user.id)
    }
    await accounts.verifyEmail(tx, user.id)
    await accounts.outdateTokens(tx, revoke, user.id)
    await passwords.forgetGuesses(tx, user.email)
    await families.endAll(tx, revoke, user.id, { reason: 'password_reset', by: { actor, caller } })
    await flows.endAllOf(tx, user.id)
    await flows.notify(tx, { kind: 'password_reset', user, sessionId: null, caller })
    await audit.record(tx, { event: 'password_reset', actor, caller, userId: user.id })
  })
}
