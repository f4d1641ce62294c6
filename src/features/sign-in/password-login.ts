import type { Database } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { User } from '../accounts/accounts.js'
import { stranger, type Actor } from '../audit/audit.js'
import type { KnownDevices } from '../browser/browser.js'
import type { SessionTokens } from '../families/families.js'
import type { Passwords } from '../passwords/passwords.js'
import { completeSignIn, type CompletionOptions, type SignInContext } from './completing.js'
import { nextStep } from './next-step.js'
import type { Proof } from './proof.js'
import type { LoginBody } from './schemas.js'

export interface PasswordLoginOptions extends CompletionOptions {
  database: Database
  passwords: Passwords
  devices: KnownDevices
  /** Counts the passwords that were judged. */
  countLogin: (result: 'succeeded' | 'wrong_credentials' | 'banned') => void
}

/** How often a login starts over because the user changed under it, by a rehash of another login for example. */
const MAX_TRIES = 3

export function createPasswordLogin(options: PasswordLoginOptions) {
  const { database, accounts, passwords, audit, devices, clock, countLogin } = options

  /** Checks the password and opens a session; null where the user changed in between. */
  async function tryLogin(body: LoginBody, context: SignInContext): Promise<SessionTokens | null> {
    const { email, password } = body
    const { caller, gone } = context
    const user = await accounts.findByEmail(email)
    const proofs = await prove(user, body, context)
    if (user === null) return refuse('invalid_credentials', caller, null)
    const next = nextStep(user, proofs, clock.now())
    if (next.step === 'refuse') return refuse(next.code, caller, user)

    const isOutdated = user.passwordHash !== null && passwords.isOutdated(user.passwordHash)
    const rehashed = isOutdated ? await passwords.hash(password, gone) : null
    const signIn = { proofs: next.proofs, wish: body, context, event: 'login_succeeded' as const }
    return completeSignIn(options, user, signIn, async (tx) => {
      if (rehashed !== null) await accounts.setPasswordHash(tx, user.id, rehashed)
    })
  }

  /** What the password proves: nothing if it is wrong. Unknown users take the same steps. */
  async function prove(user: User | null, { email, password }: LoginBody, context: SignInContext): Promise<Proof[]> {
    const { device } = context
    const deviceId = device !== null && devices.knows(device, email) ? device.id : null
    const by = { kind: 'stranger' as const, email, deviceId }
    const isRight = await passwords.check({ ...context, by, user, password })
    return isRight ? [{ method: 'pwd', at: clock.now() }] : []
  }

  async function refuse(
    code: 'invalid_credentials' | 'account_banned',
    caller: Caller,
    user: User | null,
  ): Promise<never> {
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
      const tokens = await tryLogin(body, context)
      if (tokens === null) continue
      countLogin('succeeded')
      return tokens
    }
    throw new Problem('overloaded', { retryAfterSeconds: 1 })
  }

  return (body: LoginBody, context: SignInContext) => passwords.admit(() => login(body, context))
}
