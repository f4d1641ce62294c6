import { Problem } from '../../platform/problem.js'
import type { User } from '../accounts/accounts.js'
import { stranger } from '../audit/audit.js'
import type { SignInContext } from '../browser/browser.js'
import type { BegunTotp, FactorChange, Factors } from '../factors/factors.js'
import type { Proof } from '../families/families.js'
import { flowInvalid, type Flow } from '../flows/flows.js'
import type { Attestation, CreationOptions, Passkeys, RequestOptions } from '../passkeys/passkeys.js'
import { completeSignInWithin, wayInOf, wishOf, type HeldUser, type SignedIn } from './completing.js'
import { createFactorCheck, type PresentedFactor } from './factor-check.js'
import type { PasswordLoginOptions } from './password-login.js'
import { firstStepSchema, methodsOf, type FirstStep, type PendingSignIn } from './second-step.js'

export interface SecondFactorOptions extends PasswordLoginOptions {
  factors: Factors
  passkeys: Passkeys
}

/** A sign-in that a second factor has completed. */
export interface SignedInTwice extends SignedIn {
  /** How many recovery codes the user has left. */
  recoveryCodesLeft: number
  /** The recovery codes that came with a first factor; null otherwise. */
  recoveryCodes: string[] | null
}

/** Refuses a request that may not set the cookies of the sign-in's mode. */
export type ContextOf = (flow: Flow) => SignInContext

/** What the second step of a sign-in asks for. */
export type PendingStep = Pick<PendingSignIn, 'methods' | 'enrolls'>

export interface SecondFactor {
  /** Of the tokens that a browser holds, the newest first, the first that is of an open second step. Throws `flow_invalid`. */
  requireNewest(holders: readonly string[]): Promise<string>
  /** What the holder of a token can show, or whether they have to enroll a first factor. Throws `flow_invalid`. */
  describe(token: string): Promise<PendingStep>
  /** Completes a sign-in. Throws `flow_invalid`, one answer for all that is wrong, and `rate_limited`. */
  show(token: string, presented: PresentedFactor, contextOf: ContextOf): Promise<SignedInTwice>
  /** The options with which a browser is asked for one of the user's passkeys. Throws `flow_invalid`. */
  passkeyOptions(token: string): Promise<RequestOptions>
  /** Begins to enroll an authenticator app, where the sign-in requires a first factor. Throws `flow_invalid`. */
  beginTotp(token: string, name: string | undefined): Promise<BegunTotp>
  /** Confirms it by a first code, and completes the sign-in. Throws `flow_invalid`. */
  confirmTotp(token: string, code: string, contextOf: ContextOf): Promise<SignedInTwice>
  /** The options with which a browser is asked to make a first passkey. Throws `flow_invalid`. */
  newPasskeyOptions(token: string): Promise<CreationOptions>
  /** Adds that passkey, and completes the sign-in. Throws `flow_invalid`, and `validation_failed` for a credential. */
  addPasskey(
    token: string,
    passkey: { credential: Attestation; name?: string | undefined },
    contextOf: ContextOf,
  ): Promise<SignedInTwice>
}

/** The second step of a sign-in: all that the holder of an `mfa_token` can do. */
export function createSecondFactor(options: SecondFactorOptions): SecondFactor {
  const { database, accounts, factors, passkeys, flows } = options
  const factorCheck = createFactorCheck(options)

  async function requireFlow(token: string): Promise<{ flow: Flow; first: FirstStep; userId: string }> {
    const flow = await flows.requireHeld(token, 'mfa')
    const { userId } = flow
    if (userId === null) throw flowInvalid('expired')
    return { flow, first: flows.payloadOf(flow, firstStepSchema), userId }
  }

  async function requireEnrolling(token: string) {
    const pending = await requireFlow(token)
    if (!pending.first.enrolls) throw flowInvalid('expired')
    return pending
  }

  async function requireUser(userId: string): Promise<User> {
    const user = await database.query((client) => accounts.findById(client, userId), { safeToRetry: true })
    if (user === null) throw flowInvalid('expired')
    return user
  }

  /** Uses one of the flow's attempts, also where RATE_LIMIT is off (MFA-05). */
  async function attempt<T>(flow: Flow, context: SignInContext, check: () => Promise<T | null>): Promise<T> {
    const attempted = await flows.attempt(flow, check)
    if (attempted.isRight) return attempted.result
    await recordWrong(options, flow, context)
    throw attempted.problem
  }

  return {
    async requireNewest(holders) {
      for (const token of holders) {
        try {
          await requireFlow(token)
          return token
        } catch (error) {
          if (!(error instanceof Problem) || error.code !== 'flow_invalid') throw error
        }
      }
      throw flowInvalid('expired')
    },

    async describe(token) {
      const { first, userId } = await requireFlow(token)
      return { methods: methodsOf(await requireUser(userId)), enrolls: first.enrolls }
    },

    async show(token, presented, contextOf) {
      const { flow, first, userId } = await requireFlow(token)
      const context = contextOf(flow)
      const requester = { ...context, userId, sessionId: null }
      const signedIn = await factorCheck.guard(presented, requester, async () => {
        const use = { userId, purpose: 'second_factor' as const, caller: context.caller }
        const shown = await attempt(flow, context, () => factorCheck.check(presented, use))
        return flows.complete(flow, async (tx, revoke, user) => {
          const held = { tx, revoke, user: requireSame(user, first) }
          // Another request has used the same code since it was checked (MFA-01).
          if (!(await shown.use(tx))) throw flowInvalid('wrong_code')
          if (presented.credential !== undefined) await factors.forgiveCodes(tx, userId)
          return open(options, held, { flow, first, context, shown: shown.proof })
        })
      })
      if (signedIn === null) throw new Error('A sign-in ends in tokens or in an error.')
      countCompleted(options, first)
      return { ...signedIn, context, recoveryCodes: null }
    },

    async passkeyOptions(token) {
      const { userId } = await requireFlow(token)
      const use = { userId, purpose: 'second_factor' as const }
      return database.query((client) => passkeys.requestOptions(client, use), { safeToRetry: true })
    },

    async beginTotp(token, name) {
      const { flow, userId } = await requireEnrolling(token)
      const user = await requireUser(userId)
      return factors.beginTotp({ user, name, flowId: flow.id })
    },

    async confirmTotp(token, code, contextOf) {
      const { flow, first } = await requireEnrolling(token)
      const context = contextOf(flow)
      const shown = await attempt(flow, context, async () => {
        const checked = await factors.checkPending({ flowId: flow.id }, code)
        if (checked === 'unknown') throw flowInvalid('expired')
        return checked === 'wrong' ? null : checked
      })
      const signedIn = await flows.complete(flow, (tx, revoke, user) => {
        const held = { tx, revoke, user: requireSame(user, first) }
        const step = { flow, first, context, shown: shown.proof }
        return enroll(options, held, step, (by) => factors.confirmTotp(tx, revoke, shown, by))
      })
      countCompleted(options, first)
      return { ...signedIn, context }
    },

    async newPasskeyOptions(token) {
      const user = await requireUser((await requireEnrolling(token)).userId)
      return database.query((client) => passkeys.creationOptions(client, user))
    },

    async addPasskey(token, { credential, name }, contextOf) {
      const { flow, first, userId } = await requireEnrolling(token)
      const context = contextOf(flow)
      const checked = await passkeys.checkNew({ credential, userId, name, caller: context.caller })
      const signedIn = await flows.complete(flow, (tx, revoke, user) => {
        const held = { tx, revoke, user: requireSame(user, first) }
        const step = { flow, first, context, shown: checked.proof }
        return enroll(options, held, step, async (by) => (await checked.add(tx, revoke, by)).recoveryCodes)
      })
      countCompleted(options, first)
      return { ...signedIn, context }
    },
  }
}

function countCompleted({ countLogin, countSignIn }: SecondFactorOptions, { proofs }: FirstStep): void {
  countLogin('succeeded')
  countSignIn(wayInOf(proofs))
}

/** The second step of a sign-in, with the proof of the factor. */
interface ProvenStep {
  flow: Flow
  first: FirstStep
  context: SignInContext
  shown: Proof
}

/** REF-22: a password that was changed, and a user who was deleted since the first step, end the sign-in. */
function requireSame(user: User | null, { passwordHash }: FirstStep): User {
  if (user?.passwordHash !== passwordHash) throw flowInvalid('expired')
  return user
}

async function open(
  options: SecondFactorOptions,
  held: HeldUser,
  { flow, first, context, shown }: ProvenStep,
): Promise<Pick<SignedInTwice, 'tokens' | 'recoveryCodesLeft'>> {
  const { event, proofs, federated } = first
  const signIn = { proofs: [...proofs, shown], wish: wishOf(flow), context, event, federated }
  const completed = await completeSignInWithin(options, held, signIn)
  // The user was banned since the first step.
  if (!('tokens' in completed)) throw flowInvalid('expired')
  const { tokens } = completed
  const used = { user: held.user, sessionId: tokens.family.id, caller: context.caller }
  return { tokens, recoveryCodesLeft: await options.factors.recordUse(held.tx, shown, used) }
}

type EnrolledBy = Omit<FactorChange, 'change' | 'name'>

/** Adds a first factor, which ends the user's other sessions, and then opens this one. */
async function enroll(
  options: SecondFactorOptions,
  held: HeldUser,
  step: ProvenStep,
  add: (by: EnrolledBy) => Promise<string[] | null>,
): Promise<Omit<SignedInTwice, 'context'>> {
  const { user, tx } = held
  const { caller } = step.context
  const recoveryCodes = await add({ user, sessionId: null, actor: { kind: 'user', id: user.id }, caller })
  const changed = await options.accounts.lock(tx, user.id)
  if (changed === null) throw new Error('A user whose row is held cannot be gone.')
  return { ...(await open(options, { ...held, user: changed }, step)), recoveryCodes }
}

/** How many wrong codes of the second step, after a right first step, the user is told of. */
const TOLD_ATTEMPTS = 3

async function recordWrong(
  { database, flows, audit, clock, countLogin }: SecondFactorOptions,
  { userId, email }: Flow,
  { caller }: SignInContext,
): Promise<void> {
  countLogin('wrong_credentials')
  if (userId === null || email === null) return
  const isNews = (await flows.countAttempts(userId, 'mfa')) >= TOLD_ATTEMPTS
  await database.transaction(async (tx) => {
    await audit.record(tx, { event: 'second_factor_failed', actor: stranger, caller, userId })
    if (!isNews) return
    const hour = Math.floor(clock.now().getTime() / 3_600_000)
    const notice = {
      kind: 'sign_in_failed_second_factor' as const,
      user: { id: userId, email },
      sessionId: null,
      caller,
    }
    // Once an hour.
    await flows.notify(tx, { ...notice, dedupe: `second-factor ${userId} ${hour}` })
  })
  flows.wakeMail()
}
