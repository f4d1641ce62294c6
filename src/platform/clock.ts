/** The only source of the current time. It follows the database's clock, which decides about every session. */
export interface Clock {
  /** The current time by the database's clock, as far as this process knows it. */
  now(): Date
  /** How far the process's own clock is behind the database's, in milliseconds, when last measured. */
  readonly skewMs: number
  /** Milliseconds that SQL adds to `now()`: 0 except in tests, which move time. */
  readonly shiftMs: number
  /** Milliseconds of a monotonic clock, for the time between two events in this process. */
  elapsedMs(): number
  /** Adjusts the clock to a response of the database: its `now()`, without the shift, at that moment. */
  synchronize(databaseNow: Date): void
}

/** A clock that starts with the process's own time and is corrected by that of the database. */
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
