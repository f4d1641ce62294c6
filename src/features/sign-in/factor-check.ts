import type { Caller } from '../../platform/http/caller.js'
import type { CodeRequester, Factors, ShownFactor } from '../factors/factors.js'
import type { Assertion, Passkeys } from '../passkeys/passkeys.js'

/** A second factor as a request shows it: one of them. */
export interface PresentedFactor {
  /** Of an authenticator app. */
  code?: string | undefined
  recovery_code?: string | undefined
  /** Of a passkey. */
  credential?: Assertion | undefined
}

/** What the factor is asked for. */
export interface FactorUse {
  userId: string
  /** After another factor, the presence of a passkey's authenticator suffices; otherwise it has to verify its user. */
  purpose: 'second_factor' | 'reauthenticate'
  caller: Caller
}

export interface FactorCheck {
  /**
   * Runs `work`, which checks a factor, within the limits on wrong codes; a passkey cannot be guessed and has none. Null from
   * `work` is a wrong factor. Throws `rate_limited`.
   */
  guard<T>(presented: PresentedFactor, requester: CodeRequester, work: () => Promise<T | null>): Promise<T | null>
  /** The factor, if it is right and the user's. */
  check(presented: PresentedFactor, use: FactorUse): Promise<ShownFactor | null>
}

/** Checks the second factor that a request shows: a code, a recovery code or a passkey. */
export function createFactorCheck({ factors, passkeys }: { factors: Factors; passkeys: Passkeys }): FactorCheck {
  return {
    guard: ({ credential }, requester, work) =>
      credential === undefined ? factors.guardCodes(requester, work) : work(),

    async check({ code, recovery_code: recoveryCode, credential }, use) {
      const { userId, purpose } = use
      if (code !== undefined) return factors.checkCode(userId, code)
      if (recoveryCode !== undefined) return factors.checkRecoveryCode(userId, recoveryCode)
      if (credential === undefined) return null
      return passkeys.check(credential, { ...use, requiresUserVerification: purpose !== 'second_factor' })
    },
  }
}
