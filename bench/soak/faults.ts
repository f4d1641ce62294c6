// Injected faults, and the errors that they explain.

export interface Outage {
  /** `instance 2`, or `postgres`. */
  of: string
  from: number
  /** Infinity until it is over. */
  to: number
}

/** Errors of an outage may still arrive this long after it (requirement OPS-03: recovery within 5 s). */
const RECOVERY_MS = 5000

export interface Outages {
  /** Causes a fault, and records how long it explains errors. */
  during<T>(of: string, work: () => Promise<T>): Promise<T>
  /** Whether an error at this instance at this time has a known cause: the instance was killed. */
  explainBroken(instance: string, at: number): boolean
  /** Whether a 503 has a known cause: the database is down. */
  explainRefusal(at: number): boolean
  list(): readonly Outage[]
}

export function createOutages(now: () => number): Outages {
  const outages: Outage[] = []
  const isOut = (of: string, at: number) =>
    outages.some((outage) => outage.of === of && at >= outage.from && at <= outage.to + RECOVERY_MS)
  return {
    async during(of, work) {
      const outage = { of, from: now(), to: Infinity }
      outages.push(outage)
      try {
        return await work()
      } finally {
        outage.to = now()
      }
    },
    explainBroken: isOut,
    explainRefusal: (at) => isOut('postgres', at),
    list: () => outages,
  }
}
