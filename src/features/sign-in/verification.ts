import type { Mode } from '../../wire/mode.js'
import type { SignInContext } from '../browser/browser.js'
import { flowInvalid, flowUnbound, type BegunFlow, type PresentedFlow } from '../flows/flows.js'
import { Problem } from '../../platform/problem.js'
import { uuidv7 } from '../../platform/uuid.js'
import { stranger } from '../audit/audit.js'
import type { Requester } from '../limits/limits.js'
import { requireTokens, wishOf, type SignedIn } from './completing.js'
import { addUser, registrationSchema, type RegistrationOptions } from './registration.js'
import { toldMethods } from './told-methods.js'

/** A link or a code that confirms an address, and what else the request shows. */
export interface Confirmation {
  flow: PresentedFlow
  requester: Requester
  /** For a registration whose link was opened elsewhere. */
  password: string | undefined
  /** The user as whom the request is signed in; null if it is not. */
  findSignedIn: () => Promise<string | null>
  /** Refuses a request that may not set the cookies of the flow's mode. */
  contextOf: () => SignInContext
}

/**
 * Confirms the address of a flow of one kind: answers the session that it opens, or null. The feature that begins such a flow
 * says what its end brings about.
 */
export type ConfirmAddress = (confirmation: Confirmation) => Promise<SignedIn | null>

export function createAddressConfirmation(
  options: RegistrationOptions,
): Record<'register' | 'verify_email', ConfirmAddress> {
  const { database, flows, accounts, passwords, limits, audit, clock } = options

  /** The registrant's password, which neither the owner of another's mailbox has nor a mail gateway. */
  async function requirePassword(
    email: string,
    passwordHash: string | null,
    password: string | undefined,
    context: SignInContext,
  ): Promise<void> {
    // Who registered with another provider has no password to show elsewhere, but the code where they began.
    if (passwordHash === null) throw flowUnbound('code')
    if (password === undefined) throw flowUnbound('password')
    const by = { kind: 'stranger' as const, email, isKnown: false }
    const party = { name: limits.partyOf(context.caller), preferred: false }
    passwords.requireGuessesLeft(by, context.caller)
    const isRight = await passwords.admit(
      () =>
        passwords.check({ ...context, by, user: { id: null, passwordHash }, password }, () => Promise.resolve(true)),
      party,
    )
    if (isRight === true) return
    const { caller } = context
    await database.query((client) => audit.record(client, { event: 'login_failed', actor: stranger, caller }))
    throw new Problem('invalid_credentials')
  }

  return {
    async register({ flow, password, contextOf }) {
      const { email } = flow
      if (email === null) throw flowInvalid('expired')
      const context = contextOf()
      const { identity, ...registered } = flows.payloadOf(flow, registrationSchema)
      if (!flow.isHeld) await requirePassword(email, registered.passwordHash, password, context)
      // The password was shown when the flow began, or just now.
      const shownAt = flow.isHeld ? flow.createdAt : clock.now()
      const proofs = [
        identity === undefined
          ? { method: 'pwd' as const, at: shownAt }
          : { method: 'fed' as const, at: shownAt, said: toldMethods(identity.amr) },
        { method: 'email' as const, at: clock.now() },
      ]
      const completion = await flows.complete(flow, async (tx, revoke) => {
        const added = { email, ...registered, isEmailVerified: true }
        const federated = identity && { identityId: uuidv7(), links: identity }
        const signIn = { proofs, wish: wishOf(flow), context, federated }
        return (await addUser(options, { tx, revoke }, added, signIn)).completion
      })
      return { tokens: requireTokens(completion), context }
    },

    async verify_email({ flow, requester: { caller }, findSignedIn }) {
      if (!flow.isHeld && (await findSignedIn()) !== flow.userId) throw flowUnbound('sign_in')
      await flows.complete(flow, async (tx, _revoke, user) => {
        if (user === null || user.email !== flow.email) throw flowInvalid('expired')
        await accounts.verifyEmail(tx, user.id)
        const actor = { kind: 'user' as const, id: user.id }
        await audit.record(tx, { event: 'email_verified', actor, caller, userId: user.id })
      })
      return null
    },
  }
}

/** For users who were not asked to confirm their address, or lost the mail. */
export function createVerificationRequest({ flows, accounts }: RegistrationOptions) {
  return async function requestVerification(
    userId: string,
    { mode, holders }: { mode: Mode; holders: string[] },
    requester: Requester,
  ): Promise<BegunFlow> {
    flows.requireMail()
    const { email, emailVerifiedAt } = await accounts.require(userId)
    if (emailVerifiedAt !== null) throw flowInvalid('used')
    return flows.request({ kind: 'verify_email', email, userId, mode, holders, requester })
  }
}
