/**
 * Owns the ways in: how a person proves who they are, and what a proof is worth until its session is open. The
 * passwords themselves belong to users, the sessions to families.
 */
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { operatorCaller, type Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { Audit } from '../audit/audit.js'
import { isBanned, type Families, type RefreshToken, type SessionTokens } from '../families/families.js'
import type { Attempt, KnownDevice, KnownDevices, Limits } from '../limits/limits.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import type { User, Users } from '../users/users.js'
import type { LoginBody, RegisterBody } from './schemas.js'

export interface SignInOptions {
  database: Database
  revocations: Revocations
  families: Families
  users: Users
  audit: Audit
  limits: Limits
  devices: KnownDevices
  clock: Clock
  registration: 'open' | 'closed'
}

/** What comes along with the body: who asks on which device, and the sessions that the browser is about to forget. */
export interface Along extends Attempt {
  device: KnownDevice | null
  replaces: RefreshToken[]
}

export interface SignIn {
  /** Throws `registration_closed`, `rate_limited`, `email_taken`, `password_too_weak` and `validation_failed`. */
  register(body: RegisterBody, along: Along): Promise<SessionTokens>
  /**
   * Throws `invalid_credentials`, one answer for all that is wrong, `account_banned` for the right password, and
   * `rate_limited` without looking at it where too many were wrong.
   */
  login(body: LoginBody, along: Along): Promise<SessionTokens>
  /** Adds a user at the operator's command; the address, the name and the password are judged as for anyone else. */
  createUser(user: { email: string; name: string | null; password: string; roles: string[] }): Promise<string>
}

/** How often a login starts over because the password's hash changed under it, by a rehash of another login. */
const MAX_TRIES = 3

export function createSignIn(options: SignInOptions): SignIn {
  const { database, revocations, families, users, audit, limits, devices, clock, registration } = options
  const { passwords } = users

  /** Checks the password and opens a session; null where the user changed in between, so that all is judged again. */
  async function tryLogin(body: LoginBody, along: Along): Promise<SessionTokens | null> {
    const user = await requireCredentials(body, along)
    const rehashed =
      user.passwordHash !== null && passwords.isOutdated(user.passwordHash) ? await passwords.hash(body.password) : null

    return revocations.transaction(async (tx, revoke) => {
      const locked = await users.lock(tx, user.id)
      const holds = locked?.passwordHash === user.passwordHash && !isBanned(locked, clock.now())
      if (!holds) return null
      if (rehashed !== null) await users.replacePasswordHash(tx, user.id, rehashed)
      return openSession(tx, revoke, user.id, body, along, 'login_succeeded')
    })
  }

  /** The user whose password it is. All that can be wrong takes the same steps, up to the audited refusal. */
  async function requireCredentials({ email, password }: LoginBody, along: Along): Promise<User> {
    const { caller, device } = along
    const user = await users.findByEmail(email)
    const deviceId = device !== null && devices.knows(device, email) ? device.id : null
    const check = { ...along, by: { kind: 'stranger' as const, email, deviceId }, userId: user?.id ?? null }
    const matches = await limits.checkPassword(check, () => passwords.verify(user?.passwordHash ?? null, password))
    if (user === null || !matches) {
      await recordAlone('login_failed', caller, user)
      throw new Problem('invalid_credentials')
    }
    if (isBanned(user, clock.now())) {
      await recordAlone('login_refused_banned', caller, user)
      throw new Problem('account_banned')
    }
    return user
  }

  async function recordAlone(
    event: 'login_failed' | 'login_refused_banned',
    caller: Caller,
    user: User | null,
  ): Promise<void> {
    await database.query((client) => audit.record(client, { event, caller, userId: user?.id ?? null }))
  }

  async function openSession(
    tx: Queries,
    revoke: Revoke,
    userId: string,
    { mode, remember, device_name: deviceName }: LoginBody,
    { caller, replaces }: Along,
    event: 'login_succeeded' | 'user_registered',
  ): Promise<SessionTokens> {
    const request = { userId, mode, remember, deviceName: deviceName ?? null, amr: ['pwd'], replaces, caller }
    const tokens = await families.open(tx, revoke, request)
    await audit.record(tx, { event, caller, userId, sessionId: tokens.family.id, detail: { mode } })
    return tokens
  }

  return {
    async register(body, along) {
      if (registration === 'closed') throw new Problem('registration_closed')
      const { email, password, name = null } = body
      return limits.register(along, async () => {
        await passwords.requireAcceptable(password, { email, name })
        const passwordHash = await passwords.hash(password)
        return revocations.transaction(async (tx, revoke) => {
          const userId = await users.add(tx, { email, name, passwordHash, roles: [] })
          await users.lock(tx, userId)
          return openSession(tx, revoke, userId, body, along, 'user_registered')
        })
      })
    },

    async login(body, along) {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const tokens = await tryLogin(body, along)
        if (tokens !== null) return tokens
      }
      throw new Problem('overloaded', { retryAfterSeconds: 1 })
    },

    async createUser({ email, name, password, roles }) {
      await passwords.requireAcceptable(password, { email, name })
      const passwordHash = await passwords.hash(password)
      return database.transaction(async (tx) => {
        const userId = await users.add(tx, { email, name, passwordHash, roles })
        await audit.record(tx, { event: 'user_created', caller: operatorCaller, userId })
        return userId
      })
    },
  }
}
