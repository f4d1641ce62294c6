import type { Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { isBanned, type User } from '../accounts/accounts.js'
import type { Actor } from '../audit/audit.js'
import type { SignInContext } from '../browser/browser.js'
import { flowInvalid, flowUnbound, type BegunFlow, type PresentedFlow, type Presented } from '../flows/flows.js'
import type { Requester } from '../limits/limits.js'
import {
  completeSignInWithin,
  requireTokens,
  wishOf,
  type Completion,
  type HeldUser,
  type SignedIn,
} from './completing.js'
import type { PasswordLoginOptions } from './password-login.js'
import { addUser, type RegistrationOptions } from './registration.js'
import type { CodeRequestBody } from './schemas.js'

export interface MailedCodeOptions
  extends RegistrationOptions, Pick<PasswordLoginOptions, 'countLogin' | 'countSignIn'> {
  /** SIGN_IN_METHODS. */
  methods: readonly ('password' | 'otp')[]
}

export interface MailedCode {
  /** Mails a link and a code to an address, if a user has it. Throws `not_offered` and `registration_closed`. */
  request(body: CodeRequestBody, context: SignInContext, holders: readonly string[]): Promise<BegunFlow>
  /**
   * Signs the owner of the address in. Throws `flow_invalid`, `flow_unbound` for a link that was not opened where it was
   * asked for, and `account_banned`.
   */
  verify(
    presented: Presented,
    requester: Requester,
    contextOf: (flow: PresentedFlow) => SignInContext,
  ): Promise<SignedIn>
}

/** A sign-in without a password: a link and a code in one mail. */
export function createMailedCode(options: MailedCodeOptions): MailedCode {
  const { flows, accounts, audit, devices, clock, methods, registration, countLogin, countSignIn } = options

  function requireOffered(): void {
    if (!methods.includes('otp')) {
      throw new Problem('not_offered', { detail: 'Signing in by mail is off: add "otp" to SIGN_IN_METHODS.' })
    }
    flows.requireMail()
  }

  async function present(presented: Presented, requester: Requester): Promise<PresentedFlow> {
    try {
      return await flows.present(presented, ['otp'], requester)
    } catch (error) {
      if (error instanceof Problem && error.code === 'flow_invalid') countLogin('wrong_credentials')
      throw error
    }
  }

  async function signIn(
    held: { tx: Queries; revoke: HeldUser['revoke']; user: User | null },
    flow: PresentedFlow,
    context: SignInContext,
  ): Promise<Completion> {
    const { tx, revoke } = held
    const { email } = flow
    if (email === null) throw flowInvalid('expired')
    const proofs = [{ method: 'email' as const, at: clock.now() }]
    const wish = wishOf(flow)
    // A user may have been added since the mail was sent.
    const user = held.user ?? (await lockByEmail(tx, email))
    if (user === null) {
      // They were deleted since: only who asked for it is added.
      if (flow.payload === null) throw flowInvalid('expired')
      const added = { email, name: null, passwordHash: null, isEmailVerified: true }
      return (await addUser(options, held, added, { proofs, wish, context })).completion
    }
    if (user.email !== email) throw flowInvalid('expired')
    if (isBanned(user, clock.now())) return recordRefusal(tx, user, context)
    const current = user.emailVerifiedAt === null ? await takePossession(options, { tx, revoke, user }, context) : user
    await options.passwords.forgiveGuesses(tx, email)
    const event = 'login_succeeded' as const
    return completeSignInWithin(options, { tx, revoke, user: current }, { proofs, wish, context, event })
  }

  async function lockByEmail(tx: Queries, email: string): Promise<User | null> {
    const found = await accounts.findByEmail(tx, email)
    return found && accounts.lock(tx, found.id)
  }

  async function recordRefusal(tx: Queries, { id: userId }: User, { caller }: SignInContext): Promise<Completion> {
    const actor: Actor = { kind: 'user', id: userId }
    await audit.record(tx, { event: 'login_refused_banned', actor, caller, userId })
    return { refused: 'account_banned' }
  }

  return {
    async request(body, requester, holders) {
      const { device } = requester
      requireOffered()
      if (body.register === true && registration !== 'open') throw new Problem('registration_closed')
      const { email, mode, remember, device_name: deviceName = null, locale = null } = body
      const payload = body.register === true ? { payload: { register: true } } : {}
      // Other clients must not use up the limit on mails of the owner (PWD-13).
      const isKnownDevice = device !== null && devices.claims(device, email)
      const wish = { email, mode, remember, deviceName, locale }
      return flows.request({ kind: 'otp', ...wish, holders, isKnownDevice, requester, ...payload })
    },

    async verify(presented, requester, contextOf) {
      requireOffered()
      const flow = await present(presented, requester)
      if (!flow.isHeld) throw flowUnbound('code')
      const context = contextOf(flow)
      const completed = await flows.complete(flow, (tx, revoke, user) => signIn({ tx, revoke, user }, flow, context))
      flows.wakeMail()
      // Thrown only now: a throw inside the transaction would leave the flow open, and undo what was recorded.
      countLogin('refused' in completed ? 'banned' : 'pending' in completed ? 'second_factor' : 'succeeded')
      const tokens = requireTokens(completed)
      countSignIn('mail')
      return { tokens, context }
    },
  }
}

/**
 * EML-12: the owner of an address that was never verified has just shown that it is theirs. Another person may have made the
 * account in their name, so the password, the second factors and the identities are removed, and all sessions end.
 * Answers the user as they are now.
 */
export async function takePossession(
  options: RegistrationOptions,
  { tx, revoke, user: { id: userId, email } }: HeldUser,
  { caller }: Pick<SignInContext, 'caller'>,
): Promise<User> {
  const { accounts, families, flows, passwords, identities, audit } = options
  const by = { actor: { kind: 'user' as const, id: userId }, caller }
  await accounts.verifyEmail(tx, userId)
  await accounts.setPassword(tx, userId, null)
  await removeFactors(options, tx, userId)
  await identities.forgetUser(tx, userId)
  await accounts.outdateTokens(tx, revoke, userId)
  await families.endAll(tx, revoke, userId, { reason: 'password_reset', by })
  await flows.endAllOf(tx, userId)
  await passwords.forgetGuesses(tx, email)
  await audit.record(
    tx,
    { event: 'email_verified', ...by, userId },
    { event: 'unverified_access_removed', ...by, userId },
  )
  const user = await accounts.lock(tx, userId)
  if (user === null) throw new Error('A user whose row is held cannot be gone.')
  return user
}

/** Removes the second factors of a user, in a transaction that holds their row. */
export async function removeFactors(
  { accounts, factors, passkeys }: Pick<RegistrationOptions, 'accounts' | 'factors' | 'passkeys'>,
  tx: Queries,
  userId: string,
): Promise<void> {
  await accounts.setFactors(tx, userId, [])
  await factors.forgetUser(tx, userId)
  await passkeys.forgetUser(tx, userId)
}
