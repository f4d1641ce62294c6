import { median } from './figures.js'

/** What there is to measure with. */
export interface World {
  /** A Postgres whose user may create databases; null when there is none. */
  databaseUrl: string | null
  rounds: number
  /** How long one look at a rate takes. */
  seconds: number
  /** Whether to tell where the server spends its time. */
  profile: boolean
}

/** One thing to measure, which may give several lines of the table. */
export interface Row {
  /** By which it is chosen on the command line. */
  name: string
  needsPostgres: boolean
  measure(world: World): Promise<Line[]>
}

export type Goal = { atLeast: number } | { atMost: number }

/** One line of the table. */
export interface Line {
  what: string
  figure: string
  /** What it is held against, measured in the same run. */
  limit: string
  /** What is compared with the goal: mostly the figure in parts of the limit. */
  score: number
  /** Of the score; none for a ratio. */
  unit: string
  goal: Goal
  /** What was measured besides, and explains. */
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
 * Measures a figure and its limit in turns, so that a machine that gets slower or faster does so for both. Neither has
 * the advantage of being first over all.
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
