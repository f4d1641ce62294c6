import type { Database, Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import type { Accounts, User } from '../accounts/accounts.js'
import type { Actor, Audit } from '../audit/audit.js'
import type { Requester } from '../limits/limits.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import type { passwordEvents } from './audit-events.js'
import type { Guesses } from './guesses.js'

/** A user who is signed in and shows their password once more. */
export interface Confirmer extends Requester {
  userId: string
  sessionId: string
  /** Aborts when the client disconnects. */
  gone: AbortSignal
}

export interface PasswordConfirmation {
  /**
   * The user, after their password was checked. A wrong one is audited and throws `invalid_credentials`, one too many
   * `rate_limited`.
   */
  confirm(confirmer: Confirmer, password: string): Promise<User>
  /** Acts on a password that was confirmed, in a transaction that holds the user's row. Throws as `confirm` does. */
  actOnConfirmed<T>(
    confirmer: Confirmer,
    confirmed: { user: User; password: string },
    work: (tx: Queries, revoke: Revoke) => Promise<T>,
  ): Promise<T>
}

interface ConfirmationOptions {
  database: Database
  revocations: Revocations
  accounts: Accounts
  audit: Audit<typeof passwordEvents>
  check: Guesses['check']
}

/** How often an action starts over because the password's hash became another under it. */
const MAX_TRIES = 3

export function createPasswordConfirmation(options: ConfirmationOptions): PasswordConfirmation {
  const { database, revocations, accounts, audit, check } = options

  async function confirm(confirmer: Confirmer, password: string): Promise<User> {
    const { userId, sessionId, caller } = confirmer
    const user = await accounts.require(userId)
    const by = { kind: 'user' as const, email: user.email, sessionId }
    if (await check({ ...confirmer, by, user, password }, () => Promise.resolve(true))) return user
    const actor: Actor = { kind: 'user', id: userId }
    await database.query((client) =>
      audit.record(client, { event: 'password_check_failed', actor, caller, userId, sessionId }),
    )
    throw new Problem('invalid_credentials')
  }

  return {
    confirm,

    async actOnConfirmed(confirmer, { user: confirmed, password }, work) {
      let user = confirmed
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const done = await revocations.transaction(async (tx, revoke) => {
          const locked = await accounts.lock(tx, user.id)
          return locked?.passwordHash === user.passwordHash ? { result: await work(tx, revoke) } : null
        })
        if (done !== null) return done.result
        // Either a login has rehashed the password, or it was changed: checking it again tells which.
        user = await confirm(confirmer, password)
      }
      throw new Problem('overloaded', { retryAfterSeconds: 1 })
    },
  }
}
