/** The clock of a verifier. */
export interface VerifierClock {
  /** The current time, for checking `nbf`, `iat` and `exp`. */
  now(): Date
  /** Milliseconds of a monotonic clock, for the age of the revocation list. */
  elapsedMs(): number
}

export const systemClock: VerifierClock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
}
