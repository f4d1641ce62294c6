import type { Database, Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { isUuid } from '../../platform/uuid.js'
import type { Accounts, User } from '../accounts/accounts.js'
import type { Actor, Audit } from '../audit/audit.js'
import type { BegunTotp, FactorChange, Factors, TotpFactor } from '../factors/factors.js'
import type { Families, Proof, SessionTokens } from '../families/families.js'
import type { Flows } from '../flows/flows.js'
import type {
  Attestation,
  CreationOptions,
  Passkey,
  Passkeys,
  RegisteredPasskey,
  Signals,
} from '../passkeys/passkeys.js'
import type { Revocations, Revoke } from '../revocation/revocation.js'
import { raisedBy } from '../sign-in/sign-in.js'
import type { accountEvents } from './audit-events.js'
import { rotateShown } from './rotating.js'
import type { Self } from './self.js'
import type { HasOtherWayIn } from './ways-in.js'

export interface OwnFactorsOptions {
  database: Database
  accounts: Accounts
  revocations: Revocations
  families: Families
  factors: Factors
  passkeys: Passkeys
  flows: Flows
  audit: Audit<typeof accountEvents>
  hasOtherWayIn: HasOtherWayIn
}

/** What a change of factors results in. */
export interface Changed {
  /** The recovery codes, where there are new ones. */
  recoveryCodes: string[] | null
  /** Of the session, where the request has shown its refresh token. */
  tokens: SessionTokens | null
}

/** A passkey that a browser has made. */
export interface NewPasskey {
  credential: Attestation
  name?: string | undefined
}

/** What users do to their own second factors. */
export interface OwnFactors {
  list(userId: string): Promise<{ factors: (TotpFactor | Passkey)[]; recoveryCodesLeft: number }>
  beginTotp(userId: string, name: string | undefined): Promise<BegunTotp>
  /** Throws `invalid_credentials` for a wrong code, and `not_found`. */
  confirmTotp(self: Self, id: string, code: string): Promise<Changed>
  /** The options with which a browser is asked to make a passkey. */
  passkeyOptions(userId: string): Promise<CreationOptions>
  /** Throws `validation_failed` for a credential that cannot be registered. */
  addPasskey(self: Self, made: NewPasskey): Promise<RegisteredPasskey & Changed>
  /** Throws `not_found`. */
  rename(self: Self, id: string, name: string): Promise<TotpFactor | Passkey>
  /** Throws `not_found`, `last_factor` and `last_way_in`. */
  remove(self: Self, id: string): Promise<Changed>
  /** What browsers are told of the passkeys. */
  signals(user: Pick<User, 'id' | 'email' | 'name'>): Promise<Signals>
  /** Throws `not_found` for a user without a second factor. */
  replaceRecoveryCodes(self: Self): Promise<string[]>
}

/** What changes the factors, in a transaction that holds the user's row. */
type Work<T> = (tx: Queries, revoke: Revoke, by: Omit<FactorChange, 'change' | 'name'>) => Promise<T>

export function createOwnFactors(options: OwnFactorsOptions): OwnFactors {
  const { database, accounts, revocations, families, factors, passkeys, flows, audit, hasOtherWayIn } = options

  /**
   * Changes the factors, in a transaction that holds the user's row, and rotates the session (REF-14). One that was added and
   * proven raises the level of the session.
   */
  async function change<T>(
    self: Self,
    work: Work<T>,
    added: Proof | null = null,
  ): Promise<{ result: T; tokens: SessionTokens | null }> {
    const { userId, sessionId, caller } = self
    const changed = await revocations.transaction(async (tx, revoke) => {
      const user = await accounts.lock(tx, userId)
      if (user === null) throw new Problem('session_ended', { reason: 'deleted' })
      const result = await work(tx, revoke, { user, sessionId, actor: actorOf(self), caller })
      if (added !== null) await families.elevate(tx, sessionId, (before) => raisedBy(added, before))
      return { result, tokens: await rotateShown(families, tx, self) }
    })
    flows.wakeMail()
    return changed
  }

  return {
    async list(userId) {
      const [totps, keys, recoveryCodesLeft] = await Promise.all([
        factors.list(userId),
        database.query((client) => passkeys.list(client, userId), { safeToRetry: true }),
        factors.countRecoveryCodes(userId),
      ])
      return { factors: [...totps, ...keys], recoveryCodesLeft }
    },

    async beginTotp(userId, name) {
      return factors.beginTotp({ user: await accounts.require(userId), name, flowId: null })
    },

    async confirmTotp(self, id, code) {
      const { userId } = self
      const shown = isUuid(id) ? await factors.checkPending({ id, userId }, code) : 'unknown'
      if (shown === 'unknown') throw new Problem('not_found')
      if (shown === 'wrong') throw new Problem('invalid_credentials', { detail: 'The code is wrong.' })
      const confirm: Work<string[] | null> = (tx, revoke, by) => factors.confirmTotp(tx, revoke, shown, by)
      const { result, tokens } = await change(self, confirm, shown.proof)
      return { recoveryCodes: result, tokens }
    },

    async passkeyOptions(userId) {
      const user = await accounts.require(userId)
      return database.query((client) => passkeys.creationOptions(client, user))
    },

    async addPasskey(self, { credential, name }) {
      const { userId, caller } = self
      const checked = await passkeys.checkNew({ credential, userId, name, caller })
      const { result, tokens } = await change(self, (tx, revoke, by) => checked.add(tx, revoke, by), checked.proof)
      return { ...result, tokens }
    },

    async rename(self, id, name) {
      const { userId } = self
      const renamed = isUuid(id)
        ? ((await factors.rename(userId, id, name)) ?? (await passkeys.rename(self, id, name)))
        : null
      if (renamed === null) throw new Problem('not_found')
      return renamed
    },

    async remove(self, id) {
      if (!isUuid(id)) throw new Problem('not_found')
      const { tokens } = await change(self, async (tx, revoke, by) => {
        const isRemoved =
          (await factors.removeTotp(tx, revoke, id, by)) ||
          (await passkeys.remove(tx, revoke, id, {
            ...by,
            hasOtherWayIn: await hasOtherWayIn(tx, by.user, 'passkeys'),
          }))
        // Within the transaction: a refusal must not rotate the session, whose new tokens it does not return.
        if (!isRemoved) throw new Problem('not_found')
      })
      return { recoveryCodes: null, tokens }
    },

    signals: (user) => database.query((client) => passkeys.signalsOf(client, user), { safeToRetry: true }),

    async replaceRecoveryCodes(self) {
      const { userId, sessionId, caller } = self
      const { result } = await change({ ...self, shown: [] }, async (tx, _revoke, { user }) => {
        if (user.factors.length === 0) throw new Problem('not_found', { detail: 'There is no second factor yet.' })
        const codes = await factors.replaceRecoveryCodes(tx, userId)
        await flows.notify(tx, { kind: 'recovery_codes_made', user, sessionId, caller })
        await audit.record(tx, { event: 'recovery_codes_replaced', actor: actorOf(self), caller, userId, sessionId })
        return codes
      })
      return result
    },
  }
}

function actorOf({ userId }: Self): Actor {
  return { kind: 'user', id: userId }
}
