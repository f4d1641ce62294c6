/** The memory of a process at one time. */
export interface Sample {
  atMs: number
  mib: number
}

export interface Trend {
  /** Where the line begins after the warm-up. */
  fromMib: number
  mibPerHour: number
  /** The rise of the line until the end. */
  risenMib: number
}

/** In a shorter time, a heap has not reached a stable size. */
const SHORTEST_MS = 480_000

/** The least-squares line through the samples after the warm-up; null when there are too few. */
export function trendOf(samples: readonly Sample[], warmUpMs: number): Trend | null {
  const [first] = samples
  const used = samples.filter(({ atMs }) => first !== undefined && atMs - first.atMs >= warmUpMs)
  const [begin] = used
  const end = used.at(-1)
  if (begin === undefined || end === undefined || end.atMs - begin.atMs < SHORTEST_MS) return null
  const mean = (of: (sample: Sample) => number) => used.reduce((sum, sample) => sum + of(sample), 0) / used.length
  const [meanAt, meanMib] = [mean(({ atMs }) => atMs), mean(({ mib }) => mib)]
  const covariance = mean(({ atMs, mib }) => (atMs - meanAt) * (mib - meanMib))
  const perMs = covariance / mean(({ atMs }) => (atMs - meanAt) ** 2)
  return {
    fromMib: meanMib + perMs * (begin.atMs - meanAt),
    mibPerHour: perMs * 3_600_000,
    risenMib: perMs * (end.atMs - begin.atMs),
  }
}

/**
 * Data that is kept for an hour by design still grows meanwhile, and the memory held by allocators varies by as much.
 */
const NOISE_MIB = 8
const NOISE_SHARE = 0.08

export function isFlat({ fromMib, risenMib }: Trend): boolean {
  return risenMib <= Math.max(NOISE_MIB, NOISE_SHARE * fromMib)
}
