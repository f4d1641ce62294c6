import type { Clock } from '../../src/platform/clock.js'

export interface TestClock extends Clock {
  /** Advances the time of the application and, by the shift in its SQL, of the database. */
  advance(by: { seconds?: number; minutes?: number; hours?: number; days?: number }): void
  /** Makes the machine's clock run ahead of the database's, as a wrong clock does. */
  drift(by: { seconds: number }): void
}

/** Any time of a monotonic clock. */
const STARTED_AT_MS = 60_000

/**
 * Creates a clock that the test moves. Its monotonic time stands still between moves, so that a slow machine makes nothing
 * stale and no queue too long; with `runs`, for programs that pause in real time, it goes on as well.
 */
export function createTestClock({ runs = false }: { runs?: boolean } = {}): TestClock {
  let shiftMs = 0
  let skewMs = 0
  let driftMs = 0
  const machineTime = () => Date.now() + driftMs
  return {
    now: () => new Date(machineTime() + skewMs + shiftMs),
    get skewMs() {
      return skewMs
    },
    get shiftMs() {
      return shiftMs
    },
    elapsedMs: () => (runs ? performance.now() : STARTED_AT_MS) + shiftMs,
    synchronize(databaseNow) {
      skewMs = databaseNow.getTime() - machineTime()
    },
    advance({ seconds = 0, minutes = 0, hours = 0, days = 0 }) {
      shiftMs += (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
    },
    drift({ seconds }) {
      driftMs += seconds * 1000
    },
  }
}
