import { median } from './figures.js'

/** What the rows share. */
export interface World {
  /** A Postgres whose user may create databases; null when there is none. */
  databaseUrl: string | null
  rounds: number
  /** How long one measurement of a rate takes. */
  seconds: number
  /** Whether to print where the server spends its time. */
  profile: boolean
}

/** One measurement, which may produce several lines of the table. */
export interface Row {
  /** The name on the command line. */
  name: string
  needsPostgres: boolean
  measure(world: World): Promise<Line[]>
}

export type Goal = { atLeast: number } | { atMost: number }

/** One line of the table. */
export interface Line {
  what: string
  figure: string
  /** The value that it is compared with, measured in the same run. */
  limit: string
  /** The value that is compared with the goal: usually the ratio of the figure to its upper bound. */
  score: number
  /** Unit of the score; none for a ratio. */
  unit: string
  goal: Goal
  /** Additional measurements that explain the figure. */
  notes?: string[]
}

export function isMet({ score, goal }: Line): boolean {
  return 'atLeast' in goal ? score >= goal.atLeast : score <= goal.atMost
}

interface Pairs {
  figures: number[]
  limits: number[]
}

/**
 * Measures a figure and its upper bound alternately, so that a machine that gets slower or faster affects both. The
 * order alternates as well.
 */
export async function inTurns(
  rounds: number,
  figure: () => Promise<number>,
  limit: () => Promise<number>,
): Promise<Pairs> {
  const pairs: Pairs = { figures: [], limits: [] }
  for (let round = 0; round < rounds; round += 1) {
    const isFigureFirst = round % 2 === 0
    if (isFigureFirst) pairs.figures.push(await figure())
    pairs.limits.push(await limit())
    if (!isFigureFirst) pairs.figures.push(await figure())
  }
  return pairs
}

/** The median of the rounds' ratios. */
export function ratioOf({ figures, limits }: Pairs): number {
  return median(figures.map((figure, round) => figure / (limits[round] ?? NaN)))
}

export function perSecond(rates: readonly number[]): string {
  return `${Math.round(median(rates)).toLocaleString('en')} /s`
}
