import type { Queries } from '../../platform/database/database.js'
import type { Proof } from '../families/families.js'
import type { FactorsContext } from './context.js'
import { hashRecoveryCode } from './recovery-codes.js'
import { openSecret } from './secrets.js'
import { stepOfCode } from './totp.js'
import * as store from './store.js'

/** A factor that was shown and is right. It counts once `use` has succeeded, in the transaction of its effect. */
export interface ShownFactor {
  proof: Proof
  /** Uses it; false if it was used in the meantime, as each code counts once. */
  use(tx: Queries): Promise<boolean>
}

export interface FactorChecks {
  /** A code of one of the user's authenticator apps; null for a wrong one, and for one that was used (MFA-01). */
  checkCode(userId: string, code: string): Promise<ShownFactor | null>
  /** One of the user's recovery codes; null for any other text. */
  checkRecoveryCode(userId: string, code: string): Promise<ShownFactor | null>
}

export function createChecks(context: FactorsContext): FactorChecks {
  const { database, secrets, clock } = context

  return {
    async checkCode(userId, code) {
      const totps = await database.query((client) => store.findTotps(client, userId), { safeToRetry: true })
      const at = clock.now()
      for (const totp of totps) {
        const secret = openSecret(secrets, totp)
        const step = secret && stepOfCode(secret, code, at)
        if (step === null || step <= totp.lastStep) continue
        return { proof: { method: 'otp', at }, use: (tx) => store.useStep(tx, { id: totp.id, step }, clock.shiftMs) }
      }
      return null
    },

    async checkRecoveryCode(userId, code) {
      const hash = hashRecoveryCode(code)
      if (hash === null) return null
      const isKnown = await database.query((client) => store.hasRecoveryCode(client, userId, hash), {
        safeToRetry: true,
      })
      if (!isKnown) return null
      return { proof: { method: 'rec', at: clock.now() }, use: (tx) => store.useRecoveryCode(tx, userId, hash) }
    },
  }
}
