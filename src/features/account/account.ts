/**
 * Owns what users do to their own account: name, address, password, sessions and deletion. The users themselves belong to
 * accounts, their sessions to families.
 */
import type { Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import type { Actor, Audit } from '../audit/audit.js'
import type { Accounts, Profile, User } from '../accounts/accounts.js'
import type { Factors } from '../factors/factors.js'
import type { Flows } from '../flows/flows.js'
import type { Families, SessionTokens } from '../families/families.js'
import type { Identities } from '../identities/identities.js'
import type { Passkeys } from '../passkeys/passkeys.js'
import type { Passwords } from '../passwords/passwords.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import type { accountEvents } from './audit-events.js'
import { rotateShown } from './rotating.js'
import type { Self } from './self.js'
import type { HasOtherWayIn } from './ways-in.js'

export { changeAddress } from './address.js'
export type { accountEvents } from './audit-events.js'
export { createDisowning, type Disowning } from './disowning.js'
export type { Self } from './self.js'
export { createOwnApps, type KnownApps, type OwnApp, type OwnApps } from './own-apps.js'
export { createOwnIdentities, type OwnIdentities } from './own-identities.js'
export { unlinkWithin } from './unlinking.js'
export { createWaysIn } from './ways-in.js'
export { createOwnFactors, type Changed, type OwnFactors } from './own-factors.js'
export { createEmailChange, type EmailChange, type EmailChanger } from './email-change.js'

export interface AccountOptions {
  revocations: Revocations
  accounts: Accounts
  families: Families
  passwords: Passwords
  factors: Factors
  passkeys: Passkeys
  identities: Identities
  flows: Flows
  audit: Audit<typeof accountEvents>
  hasOtherWayIn: HasOtherWayIn
}

export interface Account {
  /** Throws `session_ended` for a user who was deleted after the token was issued. */
  read(userId: string): Promise<User>
  changeProfile(userId: string, profile: Profile): Promise<User>
  /**
   * Changes the password: the user's other sessions end, and access tokens of this one become stale. If its refresh token
   * is presented, this session continues with the returned tokens, and a copy of the old one is useless. Only a user without
   * a password, who has authenticated just now, may leave the current one out. Throws `validation_failed`,
   * `invalid_credentials`, `rate_limited` and `password_too_weak`.
   */
  changePassword(self: Self, passwords: { current: string | null; next: string }): Promise<SessionTokens | null>
  /**
   * Leaves the user without a password, with all that a change of it leads to, rotation included. Throws `last_way_in`
   * without another way in: see `HasOtherWayIn`.
   */
  removePassword(self: Self): Promise<SessionTokens | null>
  /**
   * Deletes the user and all their personal data. Only a user without a password, who has authenticated just now, may leave
   * it out. Throws `validation_failed`, `invalid_credentials` and `rate_limited`.
   */
  remove(self: Self, password: string | null): Promise<void>
}

export function createAccount(options: AccountOptions): Account {
  const { revocations, accounts, families, passwords, factors, passkeys, identities, flows, audit } = options
  const { hasOtherWayIn } = options

  async function removeWithin({ tx, revoke }: Within, { userId, caller }: Self, user: User): Promise<void> {
    const by = { actor: actorOf({ userId }), caller }
    await families.endAll(tx, revoke, userId, { reason: 'deleted', by })
    await families.forgetUser(tx, userId)
    await factors.forgetUser(tx, userId)
    await passkeys.forgetUser(tx, userId)
    await identities.forgetUser(tx, userId)
    await flows.forgetUser(tx, user)
    await audit.record(tx, { event: 'user_deleted', ...by, userId })
    await audit.forgetUser(tx, userId)
    await passwords.forgetGuesses(tx, user.email)
    await accounts.remove(tx, userId)
  }

  async function requireHeld(tx: Queries, userId: string): Promise<User> {
    const user = await accounts.lock(tx, userId)
    if (user === null) throw new Problem('session_ended', { reason: 'deleted' })
    return user
  }

  /** Acts for a user without a password, who was asked to authenticate just now instead. `path` is where it would be. */
  function actWithoutPassword<T>(
    self: Self,
    path: string,
    work: (within: Within, user: User) => Promise<T>,
  ): Promise<T> {
    return revocations.transaction(async (tx, revoke) => {
      const user = await requireHeld(tx, self.userId)
      // Asked of the locked row: a password that was set since the access was checked protects the account.
      if (user.hasPassword) throw passwordRequired(path)
      return work({ tx, revoke }, user)
    })
  }

  /** Changes or removes the password, with all that follows: other sessions end, and the user is told. */
  async function setPasswordWithin(
    { tx, revoke }: Within,
    self: Self,
    { user, passwordHash }: { user: User; passwordHash: string | null },
  ): Promise<void> {
    const { userId, sessionId, caller } = self
    const by = { actor: actorOf(self), caller }
    const event = passwordHash === null ? 'password_removed' : 'password_changed'
    await accounts.setPassword(tx, userId, passwordHash)
    await accounts.outdateTokens(tx, revoke, userId)
    await families.endAll(tx, revoke, userId, { except: sessionId, reason: 'password_changed', by })
    await audit.record(tx, { event, ...by, userId, sessionId })
    await flows.endAllOf(tx, userId)
    await flows.notify(tx, { kind: event, user, sessionId, caller })
  }

  return {
    read: accounts.require,
    changeProfile: accounts.changeProfile,

    async changePassword(self, { current, next }) {
      const { userId, gone } = self
      const user = current === null ? await accounts.require(userId) : await passwords.confirm(self, current)
      if (current === null && user.hasPassword) throw passwordRequired('/current_password')
      await passwords.requireAcceptable(next, user, { path: '/new_password', present: current })
      const passwordHash = await passwords.hash(next, gone)
      const change = async (tx: Queries, revoke: Revoke) => {
        await setPasswordWithin({ tx, revoke }, self, { user, passwordHash })
        return rotateShown(families, tx, self)
      }
      const tokens =
        current === null
          ? await actWithoutPassword(self, '/current_password', ({ tx, revoke }) => change(tx, revoke))
          : await passwords.actOnConfirmed(self, { user, password: current }, change)
      flows.wakeMail()
      return tokens
    },

    async removePassword(self) {
      const { userId } = self
      const tokens = await revocations.transaction(async (tx, revoke) => {
        const user = await requireHeld(tx, userId)
        if (!user.hasPassword) return null
        if (!(await hasOtherWayIn(tx, user, 'password'))) throw new Problem('last_way_in')
        await setPasswordWithin({ tx, revoke }, self, { user, passwordHash: null })
        await passwords.forgetGuesses(tx, user.email)
        return rotateShown(families, tx, self)
      })
      flows.wakeMail()
      return tokens
    },

    async remove(self, password) {
      if (password !== null) {
        const user = await passwords.confirm(self, password)
        await passwords.actOnConfirmed(self, { user, password }, (tx, revoke) =>
          removeWithin({ tx, revoke }, self, user),
        )
        return
      }
      await actWithoutPassword(self, '/password', (within, user) => removeWithin(within, self, user))
    },
  }
}

interface Within {
  tx: Queries
  revoke: Revoke
}

function passwordRequired(path: string): Problem {
  const message = 'Required, as this user has a password'
  return new Problem('validation_failed', { errors: [{ path, code: 'invalid_type', message }] })
}

function actorOf({ userId }: Pick<Self, 'userId'>): Actor {
  return { kind: 'user', id: userId }
}
