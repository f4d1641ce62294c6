import type { Clock } from './clock.js'

/** So many faults of the connection in a row pause the calls. */
const FAULTS_TO_PAUSE = 5
const CONNECTION_PAUSE_MS = 30_000
/** A wrong setting is usually corrected with a restart, but it may also be corrected on the other server. */
const SETTING_PAUSE_MS = 5 * 60_000

/** Pauses the calls to a server that does not answer, so that not every one is attempted in vain. */
export interface Breaker {
  /** How many calls may be attempted at once now: none in a pause, and one after it, until that has passed. */
  allowed(most: number): number
  /** Records an attempt that reached the server, even if it refused what was asked. */
  passed(): void
  /** Records a fault. Returns the length of the pause; null if there is none. */
  failed(fault: 'connection' | 'setting'): number | null
  /** Whether the last attempt failed for a reason that is not the call's. */
  readonly isFailing: boolean
  /** How long the pause still lasts; 0 if there is none. */
  readonly remainingMs: number
}

export function createBreaker(clock: Pick<Clock, 'elapsedMs'>): Breaker {
  let faults = 0
  let pausedUntilMs = -Infinity
  let isProbing = false
  return {
    allowed(most) {
      if (clock.elapsedMs() < pausedUntilMs) return 0
      return isProbing ? 1 : most
    },
    passed() {
      faults = 0
      isProbing = false
    },
    failed(fault) {
      faults += 1
      if (fault === 'connection' && faults < FAULTS_TO_PAUSE && !isProbing) return null
      const pauseMs = fault === 'setting' ? SETTING_PAUSE_MS : CONNECTION_PAUSE_MS
      pausedUntilMs = Math.max(pausedUntilMs, clock.elapsedMs() + pauseMs)
      isProbing = true
      return pauseMs
    },
    get isFailing() {
      return faults > 0
    },
    get remainingMs() {
      return Math.max(0, pausedUntilMs - clock.elapsedMs())
    },
  }
}
