import type { CodeRequester, Factors, ShownFactor } from '../factors/factors.js'

/** A second factor as a request shows it: one of them. */
export interface PresentedFactor {
  /** Of an authenticator app. */
  code?: string | undefined
  recovery_code?: string | undefined
}

export interface FactorCheck {
  /**
   * Checks a factor within the limits on wrong codes, which do not concern what cannot be guessed. Null from `work` is a
   * wrong one. Throws `rate_limited`.
   */
  guard<T>(presented: PresentedFactor, requester: CodeRequester, work: () => Promise<T | null>): Promise<T | null>
  /** The factor, if it is right and the user's. */
  check(userId: string, presented: PresentedFactor): Promise<ShownFactor | null>
}

/** Checks whichever second factor a request shows. */
export function createFactorCheck({ factors }: { factors: Factors }): FactorCheck {
  return {
    guard: (_presented, requester, work) => factors.guardCodes(requester, work),

    check(userId, { code, recovery_code: recoveryCode }) {
      if (code !== undefined) return factors.checkCode(userId, code)
      if (recoveryCode !== undefined) return factors.checkRecoveryCode(userId, recoveryCode)
      return Promise.resolve(null)
    },
  }
}
