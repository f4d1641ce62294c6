/** The only source of the present. It follows the database's clock, which decides about every session. */
export interface Clock {
  /** The present by the database's clock, as well as this process knows it. */
  now(): Date
  /** How far the process's own clock is behind the database's, in milliseconds, when last measured. */
  readonly skewMs: number
  /** Milliseconds that SQL adds to `now()`: 0 except in tests, which move time. */
  readonly shiftMs: number
  /** Milliseconds on a clock that only goes forward, for the time between two events in this process. */
  elapsedMs(): number
  /** Takes in what a question to the database told: its `now()`, without the shift, at the moment of the answer. */
  synchronize(databaseNow: Date): void
}

/** A clock that starts in step with the process's own and is corrected as the database tells the time. */
export function createClock(): Clock {
  let skewMs = 0
  return {
    now: () => new Date(Date.now() + skewMs),
    get skewMs() {
      return skewMs
    },
    shiftMs: 0,
    elapsedMs: () => performance.now(),
    synchronize(databaseNow) {
      skewMs = databaseNow.getTime() - Date.now()
    },
  }
}
