/**
 * Owns the users: the table `user` with its columns, roles, epoch and bans, and the user data in tokens and replies.
 * Passwords belong to passwords, actions of users to account, those of operators to administration.
 */
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { violatedConstraint } from '../../platform/database/faults.js'
import { Problem } from '../../platform/problem.js'
import { uuidv7 } from '../../platform/uuid.js'
import type { Revoke } from '../revocation/revocation.js'
import * as store from './store.js'

export { emailSchema, newEmailSchema } from '../../platform/http/email-address.js'
export { nameSchema, rolesSchema } from './schemas.js'
export {
  heldUserOf,
  type HoldingUser,
  isBanned,
  isNotBanned,
  presentUser,
  type FactorKind,
  type Profile,
  signInOf,
  type SigningIn,
  tokenUserColumns,
  tokenUserOf,
  type TokenUser,
  type TokenUserRow,
  type User,
  webauthnIdColumn,
} from './store.js'

export interface NewUser {
  email: string
  name: string | null
  /** Null for a user who signs in without one. */
  passwordHash: string | null
  roles: string[]
  /** Whether the user has just shown that the address is theirs. */
  isEmailVerified?: boolean
}

export interface Accounts {
  findByEmail(client: Queries, email: string): Promise<store.User | null>
  findById(client: Queries, id: string): Promise<store.User | null>
  /** Throws `session_ended` for a user who was deleted after the token was issued. */
  require(id: string): Promise<store.User>
  /** Locks a user's row until the transaction ends; null if it was deleted. */
  lock(tx: Queries, id: string): Promise<store.User | null>
  /** Adds a user in the caller's transaction. Throws `email_taken`, after which the transaction cannot continue. */
  add(tx: Queries, user: NewUser): Promise<string>
  /** Changes what users say about themselves; a member that is undefined stays. */
  changeProfile(id: string, profile: store.Profile): Promise<store.User>
  /** Gives a user another address; throws `email_taken`, after which the transaction is lost. */
  setEmail(tx: Queries, id: string, email: string, options?: { isVerified: boolean }): Promise<void>
  /** Marks the address as verified. Access tokens stay valid, because no claim contains it. */
  verifyEmail(tx: Queries, id: string): Promise<void>
  /** Null leaves the user without a password. */
  setPassword(tx: Queries, id: string, passwordHash: string | null): Promise<void>
  /** Replaces the hash of a password by another of the same password. */
  replaceHash(tx: Queries, id: string, passwordHash: string): Promise<void>
  setRoles(tx: Queries, id: string, roles: string[]): Promise<void>
  /** Sets which kinds of second factors a user has. No device is trusted any more. */
  setFactors(tx: Queries, id: string, factors: readonly store.FactorKind[]): Promise<void>
  /** Ends the trust in all devices of a user. A change of the password or the factors does so too. */
  endTrust(tx: Queries, id: string): Promise<void>
  /** The random id by which a user's passkeys know them; null for a user who has never had one. */
  findWebauthnId(client: Queries, id: string): Promise<Uint8Array | null>
  /** The same, made for a user who has none. Throws `session_ended` for a deleted user. */
  webauthnIdOf(client: Queries, id: string): Promise<Uint8Array>
  /** Bans a user from now on, by the database's clock; `until` is null for a permanent ban. */
  ban(tx: Queries, id: string, until: Date | null): Promise<void>
  unban(tx: Queries, id: string): Promise<void>
  /** Makes the user's access tokens stale everywhere, because their claims have changed. No session ends. */
  outdateTokens(tx: Queries, revoke: Revoke, id: string): Promise<void>
  remove(tx: Queries, id: string): Promise<void>
}

export function createAccounts({ database, clock }: { database: Database; clock: Clock }): Accounts {
  return {
    findByEmail: store.findUserByEmail,
    findById: store.findUserById,

    async require(id) {
      const user = await database.query((client) => store.findUserById(client, id), { safeToRetry: true })
      if (user === null) throw new Problem('session_ended', { reason: 'deleted' })
      return user
    },

    lock: store.lockUser,

    async add(tx, { isEmailVerified = false, ...user }) {
      const id = uuidv7()
      const createdAt = clock.now()
      const emailVerifiedAt = isEmailVerified ? createdAt : null
      await refuseTakenEmail(store.insertUser(tx, { id, ...user, emailVerifiedAt, createdAt }))
      return id
    },

    async changeProfile(id, profile) {
      const user = await database.query((client) => store.changeProfile(client, id, profile))
      if (user === null) throw new Problem('session_ended', { reason: 'deleted' })
      return user
    },

    setEmail: (tx, id, email, { isVerified } = { isVerified: false }) =>
      refuseTakenEmail(store.setEmail(tx, id, email, isVerified ? clock.now() : null)),
    verifyEmail: (tx, id) => store.verifyEmail(tx, id, clock.now()),
    setPassword: (tx, id, passwordHash) => store.setPassword(tx, id, passwordHash, clock.now()),
    replaceHash: store.replaceHash,
    setRoles: store.setRoles,
    setFactors: store.setFactors,
    endTrust: store.endTrust,

    findWebauthnId: store.findWebauthnId,

    async webauthnIdOf(client, id) {
      const webauthnId = await store.requireWebauthnId(client, id)
      if (webauthnId === null) throw new Problem('session_ended', { reason: 'deleted' })
      return webauthnId
    },

    ban: (tx, id, until) => store.banUser(tx, id, until, clock.shiftMs),
    unban: store.unbanUser,

    async outdateTokens(tx, revoke, id) {
      const epoch = await store.raiseEpoch(tx, id, clock.shiftMs)
      await revoke({ kind: 'user', sub: id, epoch })
    },

    remove: store.deleteUser,
  }
}

async function refuseTakenEmail(change: Promise<void>): Promise<void> {
  try {
    await change
  } catch (error) {
    if (violatedConstraint(error) === 'user_email_key') throw new Problem('email_taken', { cause: error })
    throw error
  }
}
