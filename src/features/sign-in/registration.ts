import { z } from 'zod'
import type { Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { stranger } from '../audit/audit.js'
import type { SignInContext } from '../browser/browser.js'
import type { SessionTokens } from '../families/families.js'
import type { Factors } from '../factors/factors.js'
import type { BegunFlow, FlowStart } from '../flows/flows.js'
import { externalIdentitySchema } from '../identities/identities.js'
import type { Limits, Policy, Refusal, Requester } from '../limits/limits.js'
import type { Passkeys } from '../passkeys/passkeys.js'
import type { Passwords } from '../passwords/passwords.js'
import type { Revoke } from '../revocation/revocation.js'
import type { signInEvents } from './audit-events.js'
import {
  completeSignInWithin,
  linkWithin,
  requireTokens,
  type Completion,
  type CompletionOptions,
  type ProvenSignIn,
} from './completing.js'
import type { RegisterBody } from './schemas.js'

export interface RegistrationOptions extends CompletionOptions {
  passwords: Passwords
  factors: Factors
  passkeys: Passkeys
  limits: Limits
  /** REGISTRATION. */
  registration: 'open' | 'invite' | 'closed'
  /** EMAIL_VERIFICATION. */
  verification: 'off' | 'later' | 'required'
}

/** What a registration comes to: a session, a mail with which the address is confirmed, or both. */
export type Registered = { tokens: SessionTokens; flow: BegunFlow | null } | { tokens: null; flow: BegunFlow }

/** What waits in the flow of a registration that is to be confirmed. */
export const registrationSchema = z.object({
  name: z.string().nullable(),
  /** Null where the person signed in at another provider instead. */
  passwordHash: z.string().nullable(),
  identity: externalIdentitySchema.optional(),
})

type Registration = z.output<typeof registrationSchema>

/** Registrations from one network, whatever comes of them. */
const registrationPolicy: Policy = {
  name: 'registration',
  quota: 100,
  windowSeconds: 60 * 60,
  sliding: false,
  onSuccess: 'spend',
  concealed: false,
}

const refusal: Refusal<keyof typeof signInEvents> = { event: 'registration_limited', actor: stranger }

/** Runs a registration by another way within the same limit. Throws `rate_limited`. */
export function guardRegistration<T>(limits: Limits, requester: Requester, work: () => Promise<T>): Promise<T | null> {
  return limits.guard(limits.ofNetwork(registrationPolicy, requester.caller), { ...requester, refusal }, work)
}

export function createRegistration(options: RegistrationOptions) {
  const { database, revocations, flows, passwords, limits, clock, registration, verification } = options

  async function hash(body: RegisterBody, { gone }: SignInContext): Promise<Registration> {
    const { email, password, name = null } = body
    await passwords.requireAcceptable(password, { email, name })
    return { name, passwordHash: await passwords.hash(password, gone) }
  }

  /** The same work and the same answer, whether or not the address is registered: only the mail tells it. */
  async function waitForConfirmation(
    body: RegisterBody,
    context: SignInContext,
    holders: string[],
  ): Promise<Registered> {
    const payload = await hash(body, context)
    return { tokens: null, flow: await flows.request({ ...startOf('register', body, context, holders), payload }) }
  }

  async function addAndSignIn(body: RegisterBody, context: SignInContext, holders: string[]): Promise<Registered> {
    const registered = await hash(body, context)
    const { email } = body
    const proofs = [{ method: 'pwd' as const, at: clock.now() }]
    const signIn = { proofs, wish: body, context, event: 'user_registered' as const }
    const isConfirmed = verification === 'later' && flows.sendsMail
    const isVoid = isConfirmed && !(await flows.mayMail(email, context))
    try {
      const done = await revocations.transaction(async (tx, revoke) => {
        const added = await addUser(options, { tx, revoke }, { email, ...registered }, signIn)
        if (!isConfirmed) return { ...added, flow: null }
        const start = { ...startOf('verify_email', body, context, holders), userId: added.userId }
        return { ...added, flow: await flows.begin(tx, start, { isVoid }) }
      })
      if (isConfirmed) flows.wakeMail()
      return { tokens: requireTokens(done.completion), flow: done.flow }
    } catch (error) {
      if (error instanceof Problem && error.code === 'email_taken') await recordTaken(options, email, context)
      throw error
    }
  }

  return async function register(body: RegisterBody, context: SignInContext, holders: string[]): Promise<Registered> {
    if (registration !== 'open') throw new Problem('registration_closed')
    if (verification === 'required') flows.requireMail()
    const budgets = limits.ofNetwork(registrationPolicy, context.caller)
    const request = { ...context, refusal }
    limits.requireNotRefused(budgets)
    const party = { name: limits.partyOf(context.caller), preferred: false }
    const work = verification === 'required' ? waitForConfirmation : addAndSignIn
    const registered = await passwords.admit(
      () => limits.guard(budgets, request, () => work(body, context, holders)),
      party,
    )
    if (registered === null) throw new Error('A registration ends in tokens, in a mail, or in an error.')
    return registered
  }

  async function recordTaken({ accounts, audit }: RegistrationOptions, email: string, { caller }: SignInContext) {
    await database.query(async (client) => {
      const userId = (await accounts.findByEmail(client, email))?.id ?? null
      await audit.record(client, { event: 'registration_refused_taken', actor: stranger, caller, userId })
    })
  }
}

function startOf<Kind extends FlowStart['kind']>(
  kind: Kind,
  body: RegisterBody,
  requester: SignInContext,
  holders: string[],
) {
  const { email, mode, remember, device_name: deviceName = null, locale = null } = body
  return { kind, email, mode, remember, deviceName, locale, holders, requester }
}

interface AddedUser {
  email: string
  name: string | null
  passwordHash: string | null
  roles?: string[]
  isEmailVerified?: boolean
}

/**
 * Adds a user and signs them in; under MFA=required they have to enroll a second factor first. Throws `email_taken` and
 * `identity_taken`, after which the transaction cannot continue.
 */
export async function addUser(
  options: CompletionOptions,
  { tx, revoke }: { tx: Queries; revoke: Revoke },
  { roles = [], ...added }: AddedUser,
  signIn: Omit<ProvenSignIn, 'event'>,
): Promise<{ userId: string; completion: Completion }> {
  const { accounts } = options
  const userId = await accounts.add(tx, { ...added, roles })
  const user = await accounts.lock(tx, userId)
  const registered = { ...signIn, event: 'user_registered' as const }
  const completed = user && (await completeSignInWithin(options, { tx, revoke, user }, registered))
  if (user === null || completed === null || 'refused' in completed)
    throw new Error('A user who was just added cannot sign in.')
  // Without a session yet, the user already needs the identity: it is all that they can sign in with.
  if ('pending' in completed) await linkWithin(options, tx, user, { signIn: registered, sessionId: null })
  return { userId, completion: completed }
}
