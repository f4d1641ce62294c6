/** The time that a verifier goes by. */
export interface VerifierClock {
  /** The present, against which `nbf`, `iat` and `exp` are judged. */
  now(): Date
  /** Milliseconds on a clock that only goes forward, for how current the list of revocations is. */
  elapsedMs(): number
}

export const systemClock: VerifierClock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
}
