/**
 * Owns the users: their addresses, names, roles, passwords and bans. How they sign in is the matter of sign-in; what
 * lives on after that, of families.
 */
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { violatedConstraint } from '../../platform/database/faults.js'
import { uuidv7 } from '../../platform/uuid.js'
import type { Audit } from '../audit/audit.js'
import type { Families, RefreshToken, SessionTokens } from '../families/families.js'
import type { Attempt, Limits } from '../limits/limits.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import { createPasswords, type Passwords } from './passwords.js'
import type { Hashing } from './hashing.js'
import type { StrengthCheck } from './strength.js'
import * as store from './store.js'

export type { StrengthCheck } from './strength.js'
export type { User } from './store.js'
export type { Passwords } from './passwords.js'
export { createHashing, type Hashing } from './hashing.js'
export { createAdministration, type Administration } from './administering.js'
export { banReasonSchema, emailSchema, nameSchema, passwordSchema, rolesSchema } from './schemas.js'

export interface UsersOptions {
  database: Database
  revocations: Revocations
  families: Families
  audit: Audit
  limits: Limits
  clock: Clock
  hashing: Hashing
  passwordMinLength: number
  /** The estimator by default. */
  isStrong?: StrengthCheck | undefined
}

export interface NewUser {
  email: string
  name: string | null
  passwordHash: string
  roles: string[]
}

/** Who asks for a change of their own account, by a verified access token. */
export interface Self extends Attempt {
  userId: string
  sessionId: string
  /** The session's refresh token, where the request carries it in a cookie. */
  refreshToken: RefreshToken | null
  /** Aborted when the user has gone. */
  gone: AbortSignal
}

export interface Users {
  passwords: Passwords
  findByEmail(email: string): Promise<store.User | null>
  /** Throws `session_ended` for a user who has been deleted since the token was issued. */
  require(id: string): Promise<store.User>
  /** Holds a user's row until the transaction ends; null when there is none any more. */
  lock(tx: Queries, id: string): Promise<store.User | null>
  /** Adds a user, in the caller's transaction; throws `email_taken`, after which the transaction is lost. */
  add(tx: Queries, user: NewUser): Promise<string>
  replacePasswordHash(tx: Queries, id: string, passwordHash: string): Promise<void>
  rename(id: string, name: string | null): Promise<store.User>
  /**
   * Changes the password: the user's other sessions end, and access tokens of this one become stale. In mode `session`
   * this one goes on with the tokens that are answered. Throws `invalid_credentials`, `rate_limited` and
   * `password_too_weak`.
   */
  changePassword(self: Self, passwords: { current: string; next: string }): Promise<SessionTokens | null>
  /** Deletes the user and everything that tells of them. Throws `invalid_credentials` and `rate_limited`. */
  remove(self: Self, password: string): Promise<void>
}

/** How often a change starts over because the password's hash became another under it. */
const MAX_TRIES = 3

export function createUsers(options: UsersOptions): Users {
  const { database, revocations, families, audit, limits, clock, hashing, passwordMinLength } = options
  const passwords = createPasswords({ hashing, minLength: passwordMinLength, isStrong: options.isStrong })

  async function requireUser(id: string): Promise<store.User> {
    const user = await database.query((client) => store.findUserById(client, id), { repeatable: true })
    if (user === null) throw new Problem('session_ended', { reason: 'deleted' })
    return user
  }

  /**
   * The user, after their password was checked; a wrong one is audited and throws `invalid_credentials`, one too many
   * `rate_limited`.
   */
  async function requirePassword(self: Self, password: string): Promise<store.User> {
    const { userId, sessionId, caller, gone } = self
    const user = await requireUser(userId)
    const by = { kind: 'user' as const, email: user.email, sessionId }
    const verify = () => hashing.verify(user.passwordHash, password, gone)
    if (await limits.checkPassword({ ...self, by }, verify)) return user
    await database.query((client) =>
      audit.record(client, { event: 'password_check_failed', caller, userId, sessionId }),
    )
    throw new Problem('invalid_credentials')
  }

  /**
   * Acts on a checked password, holding the user's row. A login may have made the hash anew in between, or somebody has
   * changed the password: checking it again tells which.
   */
  async function actOnPassword<T>(
    self: Self,
    password: string,
    checked: store.User,
    work: (tx: Queries, revoke: Revoke) => Promise<T>,
  ): Promise<T> {
    let user = checked
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const done = await revocations.transaction(async (tx, revoke) => {
        const locked = await store.lockUser(tx, user.id)
        return locked?.passwordHash === user.passwordHash ? { result: await work(tx, revoke) } : null
      })
      if (done !== null) return done.result
      user = await requirePassword(self, password)
    }
    throw new Problem('overloaded', { retryAfterSeconds: 1 })
  }

  return {
    passwords,
    findByEmail: (email) => database.query((client) => store.findUserByEmail(client, email), { repeatable: true }),
    require: requireUser,
    lock: store.lockUser,

    async add(tx, user) {
      const id = uuidv7()
      try {
        await store.insertUser(tx, { id, ...user, createdAt: clock.now() })
      } catch (error) {
        if (violatedConstraint(error) === 'user_email_key') throw new Problem('email_taken', { cause: error })
        throw error
      }
      return id
    },

    replacePasswordHash: store.setPasswordHash,

    async rename(id, name) {
      const user = await database.query((client) => store.renameUser(client, id, name))
      if (user === null) throw new Problem('session_ended', { reason: 'deleted' })
      return user
    },

    async changePassword(self, { current, next }) {
      const { userId, sessionId, refreshToken, caller, gone } = self
      const user = await requirePassword(self, current)
      await passwords.requireAcceptable(next, user, '/new_password')
      const passwordHash = await hashing.hash(next, gone)
      return actOnPassword(self, current, user, async (tx, revoke) => {
        await store.setPasswordHash(tx, userId, passwordHash)
        const epoch = await store.raiseEpoch(tx, userId, clock.shiftMs)
        await revoke({ kind: 'user', sub: userId, epoch })
        const by = { userId, caller }
        await families.endAll(tx, revoke, userId, { except: sessionId, reason: 'password_changed', by })
        await audit.record(tx, { event: 'password_changed', caller, userId, sessionId })
        return refreshToken && families.rotate(tx, refreshToken, { sessionId, mode: 'session', caller })
      })
    },

    async remove(self, password) {
      const { userId, caller } = self
      const user = await requirePassword(self, password)
      await actOnPassword(self, password, user, async (tx, revoke) => {
        await families.endAll(tx, revoke, userId, { reason: 'deleted', by: { userId, caller } })
        await families.forgetUser(tx, userId)
        await audit.record(tx, { event: 'user_deleted', caller, userId })
        await audit.forgetUser(tx, userId)
        await limits.forgive(tx, user.email)
        await store.deleteUser(tx, userId)
      })
    },
  }
}
