import { Problem } from '../../platform/problem.js'
import { stranger } from '../audit/audit.js'
import type { SessionTokens } from '../families/families.js'
import type { Limits, Policy, Refusal } from '../limits/limits.js'
import type { Passwords } from '../passwords/passwords.js'
import type { signInEvents } from './audit-events.js'
import { openSession, type CompletionOptions, type SignInContext } from './completing.js'
import type { RegisterBody } from './schemas.js'

export interface RegistrationOptions extends CompletionOptions {
  passwords: Passwords
  limits: Limits
  /** REGISTRATION. */
  registration: 'open' | 'invite' | 'closed'
}

/** Registrations from one network, whatever comes of them. */
const registrationPolicy: Policy = {
  name: 'registration',
  quota: 100,
  windowSeconds: 60 * 60,
  sliding: false,
  onSuccess: 'spend',
  concealed: false,
}

export function createRegistration(options: RegistrationOptions) {
  const { database, revocations, accounts, passwords, audit, limits, clock, registration } = options

  async function addAndSignIn(body: RegisterBody, context: SignInContext): Promise<SessionTokens> {
    const { email, password, name = null } = body
    const { caller, gone } = context
    await passwords.requireAcceptable(password, { email, name })
    const passwordHash = await passwords.hash(password, gone)
    const proofs = [{ method: 'pwd' as const, at: clock.now() }]
    try {
      return await revocations.transaction(async (tx, revoke) => {
        const userId = await accounts.add(tx, { email, name, passwordHash, roles: [] })
        const user = await accounts.lock(tx, userId)
        const signIn = { proofs, wish: body, context, event: 'user_registered' as const }
        const tokens = user && (await openSession(options, tx, revoke, user, signIn))
        if (tokens === null) throw new Error('A user who was just added cannot sign in.')
        return tokens
      })
    } catch (error) {
      if (error instanceof Problem && error.code === 'email_taken') {
        await database.query(async (client) => {
          const userId = (await accounts.findByEmail(client, email))?.id ?? null
          await audit.record(client, { event: 'registration_refused_taken', actor: stranger, caller, userId })
        })
      }
      throw error
    }
  }

  return async function register(body: RegisterBody, context: SignInContext): Promise<SessionTokens> {
    if (registration !== 'open') throw new Problem('registration_closed')
    const budgets = limits.ofNetwork(registrationPolicy, context.caller)
    const refusal: Refusal<keyof typeof signInEvents> = { event: 'registration_limited', actor: stranger }
    const request = { ...context, refusal }
    limits.requireNotRefused(budgets)
    const party = { name: limits.partyOf(context.caller), preferred: false }
    const tokens = await passwords.admit(() => limits.guard(budgets, request, () => addAndSignIn(body, context)), party)
    if (tokens === null) throw new Error('A registration ends in tokens or in an error.')
    return tokens
  }
}
