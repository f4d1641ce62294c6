/**
 * Owns the ways in: how a person proves who they are, and what a proof is worth until its session is open. The
 * passwords themselves belong to passwords, the sessions to families.
 */
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { stranger, type Actor, type Audit } from '../audit/audit.js'
import { isBanned, type Accounts, type User } from '../accounts/accounts.js'
import type { KnownDevice, KnownDevices } from '../browser/browser.js'
import type { Families, RefreshToken, SessionTokens } from '../families/families.js'
import type { Attempt, Limits } from '../limits/limits.js'
import type { Passwords } from '../passwords/passwords.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import type { signInEvents } from './audit-events.js'
import type { LoginBody, RegisterBody } from './schemas.js'

export interface SignInOptions {
  database: Database
  revocations: Revocations
  accounts: Accounts
  families: Families
  passwords: Passwords
  audit: Audit<typeof signInEvents>
  limits: Limits
  devices: KnownDevices
  clock: Clock
  registration: 'open' | 'closed'
  /** Counts the passwords that were judged. */
  countLogin: (result: 'succeeded' | 'wrong_credentials' | 'banned') => void
}

/** What comes along with the body: who asks on which device, and the sessions that the browser is about to forget. */
export interface Along extends Attempt {
  device: KnownDevice | null
  /** Aborted when whoever asks has gone. */
  gone: AbortSignal
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
}

/** How often a login starts over because the password's hash changed under it, by a rehash of another login. */
const MAX_TRIES = 3

export function createSignIn(options: SignInOptions): SignIn {
  const {
    database,
    revocations,
    accounts,
    families,
    passwords,
    audit,
    limits,
    devices,
    clock,
    registration,
    countLogin,
  } = options

  /** Checks the password and opens a session; null where the user changed in between, so that all is judged again. */
  async function tryLogin(body: LoginBody, along: Along): Promise<SessionTokens | null> {
    const user = await requireCredentials(body, along)
    const isOutdated = user.passwordHash !== null && passwords.isOutdated(user.passwordHash)
    const rehashed = isOutdated ? await passwords.hash(body.password, along.gone) : null

    return revocations.transaction(async (tx, revoke) => {
      const locked = await accounts.lock(tx, user.id)
      const holds = locked?.passwordHash === user.passwordHash && !isBanned(locked, clock.now())
      if (!holds) return null
      if (rehashed !== null) await accounts.setPasswordHash(tx, user.id, rehashed)
      return openSession(tx, revoke, user.id, body, along, 'login_succeeded')
    })
  }

  /** The user whose password it is. All that can be wrong takes the same steps, up to the audited refusal. */
  async function requireCredentials({ email, password }: LoginBody, along: Along): Promise<User> {
    const { caller, device, gone } = along
    const user = await accounts.findByEmail(email)
    const deviceId = device !== null && devices.knows(device, email) ? device.id : null
    const check = { ...along, by: { kind: 'stranger' as const, email, deviceId }, userId: user?.id ?? null }
    const verify = () => passwords.verify(user?.passwordHash ?? null, password, gone)
    const matches = await limits.checkPassword(check, verify)
    if (user === null || !matches) {
      countLogin('wrong_credentials')
      await recordAlone('login_failed', { actor: stranger, caller }, user)
      throw new Problem('invalid_credentials')
    }
    if (isBanned(user, clock.now())) {
      countLogin('banned')
      await recordAlone('login_refused_banned', { actor: { kind: 'user', id: user.id }, caller }, user)
      throw new Problem('account_banned')
    }
    return user
  }

  async function recordAlone(
    event: 'login_failed' | 'login_refused_banned' | 'registration_refused_taken',
    by: { actor: Actor; caller: Caller },
    user: User | null,
  ): Promise<void> {
    await database.query((client) => audit.record(client, { event, ...by, userId: user?.id ?? null }))
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
    const actor: Actor = { kind: 'user', id: userId }
    await audit.record(tx, { event, actor, caller, userId, sessionId: tokens.family.id, detail: { mode } })
    return tokens
  }

  async function register(body: RegisterBody, along: Along): Promise<SessionTokens> {
    const { email, password, name = null } = body
    await passwords.requireAcceptable(password, { email, name })
    const passwordHash = await passwords.hash(password, along.gone)
    try {
      return await revocations.transaction(async (tx, revoke) => {
        const userId = await accounts.add(tx, { email, name, passwordHash, roles: [] })
        await accounts.lock(tx, userId)
        return openSession(tx, revoke, userId, body, along, 'user_registered')
      })
    } catch (error) {
      if (error instanceof Problem && error.code === 'email_taken') {
        const by = { actor: stranger, caller: along.caller }
        await recordAlone('registration_refused_taken', by, await accounts.findByEmail(email))
      }
      throw error
    }
  }

  async function login(body: LoginBody, along: Along): Promise<SessionTokens> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const tokens = await tryLogin(body, along)
      if (tokens === null) continue
      countLogin('succeeded')
      return tokens
    }
    throw new Problem('overloaded', { retryAfterSeconds: 1 })
  }

  return {
    async register(body, along) {
      if (registration === 'closed') throw new Problem('registration_closed')
      return passwords.admit(() => limits.register(along, () => register(body, along)))
    },

    login: (body, along) => passwords.admit(() => login(body, along)),
  }
}
