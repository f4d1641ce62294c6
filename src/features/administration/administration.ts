/**
 * Owns what operators do to accounts: create and delete them, set roles, passwords and addresses, ban users, end
 * sessions; and how a client ends with all that it was given. Commands are its interface.
 */
import type { Queries } from '../../platform/database/database.js'
import { noCaller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { changeAddress, unlinkWithin } from '../account/account.js'
import { isBanned, type User } from '../accounts/accounts.js'
import type { Session, SessionPage } from '../families/families.js'
import type { Identity } from '../identities/identities.js'
import type { Revoke } from '../revocation/revocation.js'
import type { Invitation } from '../sign-in/sign-in.js'
import { disableClient, removeClient } from './client-ending.js'
import { byOperator, type AdministrationOptions } from './context.js'
import { beginReset, carryOutResets, listFactors, type FactorReset, type ListedFactors } from './factor-reset.js'

export type { FactorReset, ListedFactors } from './factor-reset.js'
export { banReasonSchema } from './schemas.js'

export interface Ban {
  /** When the ban ends; null for never. */
  until: Date | null
  /** For the audit trail; the user does not see it. */
  reason: string | null
}

/** Operator actions on accounts. All except `createUser` and `invite` throw `not_found` for an unknown address. */
export interface Administration {
  /** Adds a user and returns the id. Address, name and password are validated as at registration. */
  createUser(user: { email: string; name: string | null; password: string; roles: string[] }): Promise<string>
  /**
   * Mails an invitation: a link with which its recipient makes an account that has these roles. It takes the place of an
   * earlier one. Throws `email_taken`, and `not_offered` where no mails are sent.
   */
  invite(invited: { email: string; roles: string[]; locale: string | null }): Promise<void>
  /** Sets the user's roles; access tokens with other roles become stale. False if nothing changes. */
  setRoles(email: string, roles: string[]): Promise<boolean>
  /**
   * Sets a password for a user who forgot it, ends all sessions, and resets the count of failed attempts. Throws as at
   * registration.
   */
  setPassword(email: string, password: string): Promise<void>
  /**
   * Sets another address, which is not verified. Access tokens become stale, so that the next refresh brings it; no
   * session ends. False if the user has this address already. Throws `email_taken`.
   */
  setEmail(email: string, newEmail: string): Promise<boolean>
  /** Deletes the user and everything that tells of them, as users can do themselves. */
  remove(email: string): Promise<void>
  /**
   * Bans the user: all sessions end, and no new one can be opened until the ban ends. Replaces an earlier ban. Throws
   * `validation_failed` for an end that is not in the future.
   */
  ban(email: string, ban: Ban): Promise<void>
  /** Lifts a ban. False if the user is not banned. */
  unban(email: string): Promise<boolean>
  listFactors(email: string): Promise<ListedFactors>
  /** Removes all second factors and recovery codes, at once or after FACTOR_RESET_DELAY. All sessions end then. */
  resetFactors(email: string, reason: string): Promise<FactorReset>
  /** The user's accounts at other providers, the oldest first. */
  listIdentities(email: string): Promise<Identity[]>
  /** Unlinks one, also the last way in, and ends the sessions that it opened. Throws `not_found`. */
  unlinkIdentity(email: string, id: string): Promise<void>
  /** Carries out the resets that are due. */
  carryOutResets(): Promise<void>
  /** The id of the user with this address. */
  findId(email: string): Promise<string>
  /** Ends all of the user's sessions, and the trust in their devices. */
  endSessions(email: string): Promise<void>
  /** The user's sessions, the most recently used first: the active or the ended ones. */
  listSessions(email: string, which: { ended: boolean }): Promise<Session[]>
  /**
   * Refuses a client and its access tokens everywhere within a second, and ends its families. False if it was disabled
   * already; families that are left, because the first run was interrupted, end then. Throws `not_found`.
   */
  disableClient(clientId: string): Promise<boolean>
  /** The same for a client that is removed, which cannot be undone. Throws `not_found`. */
  removeClient(clientId: string): Promise<void>
}

/** Runs work in a transaction that holds the lock on the user's row. */
interface Held {
  tx: Queries
  revoke: Revoke
  user: User
}

/** There is no session whose end would undo it, and the mail names the operator. */
const byOperatorNotice = { sessionId: null, caller: noCaller, params: { by: 'operator' } }

export function createAdministration(options: AdministrationOptions): Administration {
  const { database, revocations, accounts, families, factors, passkeys, flows, audit, clock, passwords } = options
  const { identities } = options

  async function requireUser(email: string): Promise<User> {
    const user = await database.query((client) => accounts.findByEmail(client, email), { safeToRetry: true })
    if (user === null) throw unknownAddress()
    return user
  }

  /** Acts by id on the user who was found, because the address may meanwhile have become another user's. */
  function actOn<T>({ id }: User, work: (held: Held) => Promise<T>): Promise<T> {
    return revocations.transaction(async (tx, revoke) => {
      const user = await accounts.lock(tx, id)
      if (user === null) throw unknownAddress()
      return work({ tx, revoke, user })
    })
  }

  return {
    async createUser({ email, name, password, roles }) {
      await passwords.requireAcceptable(password, { email, name })
      const passwordHash = await passwords.hash(password)
      return database.transaction(async (tx) => {
        const userId = await accounts.add(tx, { email, name, passwordHash, roles })
        await audit.record(tx, { event: 'user_created', ...byOperator, userId })
        return userId
      })
    },

    async invite({ email, roles, locale }) {
      flows.requireMail()
      const requester = { caller: noCaller, announce: () => undefined }
      const payload: Invitation = { roles }
      const start = { kind: 'invitation' as const, email, locale, payload, mode: 'json' as const, requester }
      await database.transaction(async (tx) => {
        if ((await accounts.findByEmail(tx, email)) !== null) throw new Problem('email_taken')
        await flows.begin(tx, { ...start, holders: 'all' }, { isVoid: false })
        await audit.record(tx, {
          event: 'user_invited',
          ...byOperator,
          userId: null,
          detail: { roles: roles.join(',') },
        })
      })
      flows.wakeMail()
    },

    disableClient: (clientId) => disableClient(options, clientId),
    removeClient: (clientId) => removeClient(options, clientId),
    findId: async (email) => (await requireUser(email)).id,

    async setRoles(email, wanted) {
      const roles = [...new Set(wanted)]
      return actOn(await requireUser(email), async (held) => {
        const { tx, revoke, user } = held
        if (areSame(user.roles, roles)) return false
        await accounts.setRoles(tx, user.id, roles)
        await accounts.outdateTokens(tx, revoke, user.id)
        const detail = { before: user.roles.join(','), after: roles.join(',') }
        await audit.record(tx, { event: 'roles_changed', ...byOperator, userId: user.id, detail })
        return true
      })
    },

    async setPassword(email, password) {
      const found = await requireUser(email)
      await passwords.requireAcceptable(password, found)
      const passwordHash = await passwords.hash(password)
      await actOn(found, async (held) => {
        const { tx, revoke, user } = held
        await accounts.setPassword(tx, user.id, passwordHash)
        await accounts.outdateTokens(tx, revoke, user.id)
        await passwords.forgetGuesses(tx, user.email)
        await families.endAll(tx, revoke, user.id, { reason: 'password_reset', by: byOperator })
        await flows.endAllOf(tx, user.id)
        await flows.notify(tx, { kind: 'password_reset', user, ...byOperatorNotice })
        await audit.record(tx, { event: 'password_reset', ...byOperator, userId: user.id })
      })
    },

    async setEmail(email, newEmail) {
      return actOn(await requireUser(email), async ({ tx, revoke, user }) => {
        if (user.email === newEmail) return false
        await changeAddress(options, tx, revoke, { user, to: newEmail, isVerified: false })
        for (const email of [user.email, newEmail]) {
          await flows.notify(tx, { kind: 'email_changed', user: { id: user.id, email }, ...byOperatorNotice })
        }
        await audit.record(tx, { event: 'email_changed', ...byOperator, userId: user.id })
        return true
      })
    },

    async remove(email) {
      await actOn(await requireUser(email), async ({ tx, revoke, user }) => {
        await families.endAll(tx, revoke, user.id, { reason: 'deleted', by: byOperator })
        await families.forgetUser(tx, user.id)
        await factors.forgetUser(tx, user.id)
        await passkeys.forgetUser(tx, user.id)
        await identities.forgetUser(tx, user.id)
        await flows.forgetUser(tx, user)
        await audit.record(tx, { event: 'user_deleted', ...byOperator, userId: user.id })
        await audit.forgetUser(tx, user.id)
        await passwords.forgetGuesses(tx, user.email)
        await accounts.remove(tx, user.id)
      })
    },

    async ban(email, { until, reason }) {
      if (until !== null && until <= clock.now()) throw endsTooSoon()
      await actOn(await requireUser(email), async (held) => {
        const { tx, revoke, user } = held
        await accounts.ban(tx, user.id, until)
        await accounts.outdateTokens(tx, revoke, user.id)
        await families.endAll(tx, revoke, user.id, { reason: 'banned', by: byOperator })
        await flows.endAllOf(tx, user.id, ['mfa'])
        const detail = { ...(until && { until: until.toISOString() }), ...(reason !== null && { reason }) }
        await audit.record(tx, { event: 'user_banned', ...byOperator, userId: user.id, detail })
      })
    },

    async unban(email) {
      return actOn(await requireUser(email), async ({ tx, user }) => {
        if (!isBanned(user, clock.now())) return false
        await accounts.unban(tx, user.id)
        await audit.record(tx, { event: 'user_unbanned', ...byOperator, userId: user.id })
        return true
      })
    },

    async endSessions(email) {
      await actOn(await requireUser(email), async ({ tx, revoke, user }) => {
        await accounts.endTrust(tx, user.id)
        await families.endAll(tx, revoke, user.id, { reason: 'revoked_by_admin', by: byOperator })
      })
    },

    listFactors: async (email) => listFactors(options, await requireUser(email)),
    resetFactors: async (email, reason) => actOn(await requireUser(email), (held) => beginReset(options, held, reason)),
    carryOutResets: () => carryOutResets(options),

    async listIdentities(email) {
      const { id } = await requireUser(email)
      return database.query((client) => identities.list(client, id))
    },

    async unlinkIdentity(email, id) {
      await actOn(await requireUser(email), async ({ tx, revoke, user }) => {
        const change = { id, user, sessionId: null, ...byOperator }
        const isDone = await unlinkWithin(options, { tx, revoke }, change)
        if (!isDone) throw new Problem('not_found', { detail: 'The user has no such linked account.' })
      })
    },

    async listSessions(email, which) {
      const { id } = await requireUser(email)
      const sessions: Session[] = []
      let cursor: string | null = null
      do {
        const page: SessionPage = await families.listSessions(id, { ...which, cursor })
        sessions.push(...page.sessions)
        cursor = page.nextCursor
      } while (cursor !== null)
      return sessions
    },
  }
}

function unknownAddress(): Problem {
  return new Problem('not_found', { detail: 'No user is registered with this e-mail address.' })
}

function endsTooSoon(): Problem {
  const message = 'Must be in the future'
  return new Problem('validation_failed', { errors: [{ path: '/until', code: 'too_small', message }] })
}

/** Whether two lists contain the same roles, in any order. */
function areSame(one: string[], other: string[]): boolean {
  return one.length === other.length && one.every((role) => other.includes(role))
}
