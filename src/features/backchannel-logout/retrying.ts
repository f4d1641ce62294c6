const SECOND = 1000
const MINUTE = 60 * SECOND

/** The pauses after the first failed attempts; the last is repeated. */
const PAUSES_MS = [10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE] as const

/** How long after the end of a session its client is still told. */
export const LIFE_MS = 60 * MINUTE

/** When a logout is given up. */
export function deadlineOf({ createdAt }: { createdAt: Date }): Date {
  return new Date(createdAt.getTime() + LIFE_MS)
}

/** How long to wait after so many failed attempts. */
export function pauseAfter(attempts: number): number {
  return PAUSES_MS[Math.min(attempts, PAUSES_MS.length) - 1] ?? PAUSES_MS[0]
}
