/**
 * Owns the second factors that are codes: authenticator apps (TOTP) and recovery codes, how often codes may be wrong, and
 * what every change of a user's factors leads to. Passkeys belong to passkeys; whether a factor is asked for, to sign-in.
 */
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { noCaller } from '../../platform/http/caller.js'
import type { User } from '../accounts/accounts.js'
import { operator, type Actor } from '../audit/audit.js'
import type { Proof } from '../families/families.js'
import type { Refusal, Requester } from '../limits/limits.js'
import type { Revoke } from '../revocation/revocation.js'
import type { factorEvents } from './audit-events.js'
import { createChanges, type FactorChange, type FactorChanges } from './changing.js'
import { createChecks, type FactorChecks } from './checking.js'
import type { FactorsContext } from './context.js'
import { createEnrolling, type Enrolling } from './enrolling.js'
import { codeBudgets } from './policies.js'
import { openSecret, sealSecret } from './secrets.js'
import * as store from './store.js'

export type { FactorChange } from './changing.js'
export type { ShownFactor } from './checking.js'
export type { BegunTotp } from './enrolling.js'
export {
  factorNameSchema,
  presentTotp,
  recoveryCodeSchema,
  recoveryCodesSchema,
  totpBegunSchema,
  totpCodeSchema,
} from './schemas.js'

/** An authenticator app of a user. */
export interface TotpFactor {
  id: string
  type: 'totp'
  name: string
  createdAt: Date
  lastUsedAt: Date | null
}

/** A user whose codes are checked, and their session where they are signed in. */
export interface CodeRequester extends Requester {
  userId: string
  sessionId: string | null
}

export interface Factors extends FactorChecks, FactorChanges, Enrolling {
  /**
   * Checks a code as long as not too many were wrong: ten in an hour, a hundred in a row (MFA-05). Points are taken before,
   * and returned where the server fails. Null from `work` is a wrong code. Throws `rate_limited`.
   */
  guardCodes<T>(requester: CodeRequester, work: () => Promise<T | null>): Promise<T | null>
  /** Forgets the wrong codes of a user who has shown a passkey, or whose factors were reset. */
  forgiveCodes(tx: Queries, userId: string): Promise<void>
  /**
   * Tells the user of a recovery code that was used, in the transaction that uses it, and returns how many are left. For
   * other factors it only counts those.
   */
  recordUse(tx: Queries, proof: Proof, used: { user: User; sessionId: string | null; caller: Caller }): Promise<number>
  list(userId: string): Promise<TotpFactor[]>
  countRecoveryCodes(userId: string): Promise<number>
  /** Null for a factor that is not the user's. */
  rename(userId: string, id: string, name: string): Promise<TotpFactor | null>
  /** Removes an authenticator app, in a transaction that holds the user's row: see `change`. False if it is not the user's. */
  removeTotp(tx: Queries, revoke: Revoke, id: string, by: Omit<FactorChange, 'change' | 'name'>): Promise<boolean>
  /** Deletes the factors and recovery codes of a user, and nothing else. */
  forgetUser(tx: Queries, userId: string): Promise<void>
  /** Encrypts the secrets of all authenticator apps again, under the current server secret, and returns their number. */
  reseal(): Promise<number>
  /** Deletes the factors that were never confirmed. */
  purge(): Promise<void>
}

export function createFactors(context: FactorsContext): Factors {
  const { database, secrets, clock, limits, flows, audit } = context
  const changes = createChanges(context)

  return {
    ...createChecks(context),
    ...changes,
    ...createEnrolling(context, changes),

    guardCodes({ userId, sessionId, caller, announce }, work) {
      const actor: Actor = { kind: 'user', id: userId }
      const refusal: Refusal<keyof typeof factorEvents> = { event: 'factor_codes_limited', actor, userId, sessionId }
      return limits.guard(codeBudgets(userId), { caller, announce, refusal }, work)
    },

    forgiveCodes: (tx, userId) => limits.forget(tx, codeBudgets(userId)),

    async recordUse(tx, { method }, { user, sessionId, caller }) {
      const left = await store.countRecoveryCodes(tx, user.id)
      if (method !== 'rec') return left
      const params = { left: String(left) }
      await flows.notify(tx, { kind: 'recovery_code_used', user, sessionId, caller, params })
      const actor: Actor = { kind: 'user', id: user.id }
      await audit.record(tx, {
        event: 'recovery_code_used',
        actor,
        caller,
        userId: user.id,
        sessionId,
        detail: { left },
      })
      return left
    },

    async list(userId) {
      const totps = await database.query((client) => store.findTotps(client, userId), { safeToRetry: true })
      return totps.map(totpOf)
    },

    countRecoveryCodes: (userId) =>
      database.query((client) => store.countRecoveryCodes(client, userId), { safeToRetry: true }),

    async rename(userId, id, name) {
      const totp = await database.query((client) => store.renameTotp(client, { id, userId }, name))
      return totp && totpOf(totp)
    },

    async removeTotp(tx, revoke, id, by) {
      const removed = await store.deleteTotp(tx, { id, userId: by.user.id })
      if (removed === null) return false
      const others = await store.findTotps(tx, by.user.id)
      const change = { removed: 'totp' as const, isLastOfKind: others.length === 0 }
      await changes.change(tx, revoke, { ...by, change, name: removed.name })
      return true
    },

    forgetUser: store.deleteFactorsOf,

    reseal: () =>
      database.transaction(async (tx) => {
        let resealed = 0
        for (const totp of await store.findTotpsForUpdate(tx)) {
          const secret = openSecret(secrets, totp)
          if (secret === null) continue
          await store.resealTotp(tx, totp.id, sealSecret(secrets, totp.id, secret))
          resealed += 1
        }
        const detail = { factors: resealed, secret_id: secrets.current.id }
        await audit.record(tx, { event: 'totp_secrets_resealed', actor: operator, caller: noCaller, detail })
        return resealed
      }),

    purge: () => database.query((client) => store.deleteAbandoned(client, clock.shiftMs), { internal: true }),
  }
}

function totpOf({ id, name, createdAt, lastUsedAt }: store.StoredTotp): TotpFactor {
  return { id, type: 'totp', name, createdAt, lastUsedAt }
}
