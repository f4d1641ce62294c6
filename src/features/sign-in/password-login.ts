import { Problem } from '../../platform/problem.js'
import { isBanned, type User } from '../accounts/accounts.js'
import { stranger, type Actor } from '../audit/audit.js'
import type { SignInContext } from '../browser/browser.js'
import type { SessionTokens } from '../families/families.js'
import type { Limits, Settlement } from '../limits/limits.js'
import type { Passwords } from '../passwords/passwords.js'
import { completeSignIn, requireTokens, type Completion, type CompletionOptions, type WayIn } from './completing.js'
import type { Refused } from './next-step.js'
import type { LoginBody } from './schemas.js'

export interface PasswordLoginOptions extends CompletionOptions {
  passwords: Passwords
  limits: Pick<Limits, 'partyOf'>
  /** Counts the passwords that were judged. */
  countLogin: (result: 'succeeded' | 'wrong_credentials' | 'banned' | 'second_factor') => void
  /** Counts the sessions that were opened. */
  countSignIn: (method: WayIn) => void
}

/** The result of one attempt; null where the user changed in between. */
type Outcome = { completion: Completion; user: User | null } | null

/** How often a login starts over because the user changed under it, by a rehash of another login for example. */
const MAX_TRIES = 3

export function createPasswordLogin(options: PasswordLoginOptions) {
  const { database, accounts, passwords, audit, limits, devices, clock, countLogin, countSignIn } = options

  async function tryLogin(body: LoginBody, context: SignInContext): Promise<Outcome> {
    const { email, password } = body
    const { device } = context
    const user = await database.query((client) => accounts.findByEmail(client, email), { safeToRetry: true })
    const isKnown = user !== null && device !== null && devices.isKnownTo(device, user)
    const by = { kind: 'stranger' as const, email, isKnown }
    // Null is a wrong password, for which unknown users take the same steps.
    const outcome = await passwords.check({ ...context, by, user, password }, async (settlement) => ({
      done: user === null ? null : await complete(user, body, context, settlement),
    }))
    return outcome === null ? { completion: { refused: 'invalid_credentials' }, user } : outcome.done
  }

  /** The password is right. */
  async function complete(
    user: User,
    body: LoginBody,
    context: SignInContext,
    settlement: Settlement,
  ): Promise<Outcome> {
    const proofs = [{ method: 'pwd' as const, at: clock.now() }]
    if (isBanned(user, clock.now())) return { completion: { refused: 'account_banned' }, user }
    const isOutdated = user.passwordHash !== null && passwords.isOutdated(user.passwordHash)
    const rehashed = isOutdated ? await passwords.hash(body.password, context.gone) : null
    const signIn = { proofs, wish: body, context, event: 'login_succeeded' as const, settlement, rehashed }
    const completion = await completeSignIn(options, user, signIn)
    return completion && { completion, user }
  }

  async function refuse(code: Refused, { caller }: SignInContext, user: User | null): Promise<never> {
    const isBanned = code === 'account_banned'
    countLogin(isBanned ? 'banned' : 'wrong_credentials')
    const event = isBanned ? 'login_refused_banned' : 'login_failed'
    const userId = user?.id ?? null
    // A ban is told only to someone who has shown the right password.
    const actor: Actor = isBanned ? { kind: 'user', id: userId } : stranger
    await database.query((client) => audit.record(client, { event, actor, caller, userId }))
    throw new Problem(code)
  }

  async function login(body: LoginBody, context: SignInContext): Promise<SessionTokens> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const outcome = await tryLogin(body, context)
      if (outcome === null) continue
      const { completion, user } = outcome
      if ('refused' in completion) return refuse(completion.refused, context, user)
      countLogin('pending' in completion ? 'second_factor' : 'succeeded')
      const tokens = requireTokens(completion)
      countSignIn('password')
      return tokens
    }
    throw new Problem('overloaded', { retryAfterSeconds: 1 })
  }

  return (body: LoginBody, context: SignInContext): Promise<SessionTokens> => {
    const { email } = body
    const { caller, device } = context
    // What a device shows is held against the user once there is a place for the login.
    const isKnown = device !== null && devices.claims(device, email)
    passwords.requireGuessesLeft({ kind: 'stranger', email, isKnown }, caller)
    const party = { name: isKnown ? null : limits.partyOf(caller), preferred: isKnown }
    return passwords.admit(() => login(body, context), party)
  }
}
