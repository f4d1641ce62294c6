// What is broken on purpose, and which errors that explains.

export interface Outage {
  /** `instance 2`, or `postgres`. */
  of: string
  from: number
  /** Infinity until it is over. */
  to: number
}

/** So long after an outage its errors may still arrive (requirement OPS-03: recovery within 5 s). */
const RECOVERY_MS = 5000

export interface Outages {
  /** Breaks something on purpose; what happens until then is explained by it. */
  during<T>(of: string, work: () => Promise<T>): Promise<T>
  /** Whether an error at this instance at this time has a cause that is known: the killed instance has gone. */
  explainBroken(instance: string, at: number): boolean
  /** Whether a 503 has: the database is not there. */
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
