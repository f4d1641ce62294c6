// The verdict on a run of a scenario, and its text in the table. Independent of any target.

/** Whether a user who did nothing wrong is still signed in. */
export interface HonestOutcome {
  kind: 'honest'
  kept: boolean
}

export interface Presentation {
  who: 'victim' | 'thief'
  /** The presented token. */
  token: string
  outcome: 'served' | 'superseded' | 'refused' | 'unavailable' | 'lost'
  /** Whether it ended the session, so that nothing that either holds is accepted any more. */
  ended: boolean
}

/** The state of a copied token after each has presented what they hold once more, a grace period apart. */
export interface TheftOutcome {
  kind: 'theft'
  presentations: Presentation[]
  /** Whether the thief holds anything that the target still accepts. */
  thiefLive: boolean
  victimLive: boolean
  /**
   * Whether the thief also copied what belongs to the token: the key of the pending attempt, or the client's own key.
   */
  copiedAll: boolean
}

export type ScenarioOutcome = HonestOutcome | TheftOutcome

export type Verdict =
  | { verdict: 'kept' | 'logged out' }
  /** `use` counts presentations of a token that the other party had already used. */
  | { verdict: 'detected'; use: number }
  /** The session had ended before a theft could be detected. */
  | { verdict: 'already ended' }
  /** The thief has nothing, and the victim's session continues. */
  | { verdict: 'thief refused' }
  | { verdict: 'never detected' }

export function judge(outcome: ScenarioOutcome): Verdict {
  if (outcome.kind === 'honest') return { verdict: outcome.kept ? 'kept' : 'logged out' }
  if (outcome.thiefLive) return { verdict: 'never detected' }
  if (outcome.victimLive) return { verdict: 'thief refused' }
  const use = usesUntilEnd(outcome.presentations)
  return use === 0 ? { verdict: 'already ended' } : { verdict: 'detected', use }
}

function usesUntilEnd(presentations: readonly Presentation[]): number {
  const last = presentations.findIndex(({ ended }) => ended)
  return presentations.slice(0, last + 1).filter((_, index) => isTelling(presentations, index)).length
}

/**
 * Whether the target could detect by this presentation that two parties hold the token, since the other one was already
 * served for it.
 */
function isTelling(presentations: readonly Presentation[], index: number): boolean {
  const presented = presentations[index]
  return presentations
    .slice(0, index)
    .some(
      ({ who, token, outcome }) =>
        token === presented?.token && who !== presented.who && (outcome === 'served' || outcome === 'lost'),
    )
}

/** How often the thief was served for a token that the victim had already used. */
export function servedToThief({ presentations }: TheftOutcome): number {
  return presentations.filter(
    ({ who, outcome }, index) => who === 'thief' && outcome === 'served' && isTelling(presentations, index),
  ).length
}

/** One cell of the table. */
export interface Cell {
  text: string
  honest: number
  loggedOut: number
  thefts: number
  neverDetected: number
  /** Thefts of the token only, in which the thief was served for a token that the victim had used. */
  copiesServed: number
}

/** Sums up all runs of one scenario against one target. */
export function sumUp(outcomes: readonly ScenarioOutcome[]): Cell {
  const verdicts = outcomes.map(judge)
  const count = (name: Verdict['verdict']) => verdicts.filter(({ verdict }) => verdict === name).length
  const thefts = outcomes.filter((outcome) => outcome.kind === 'theft')
  return {
    text: describe(verdicts, count),
    honest: outcomes.length - thefts.length,
    loggedOut: count('logged out'),
    thefts: thefts.length,
    neverDetected: count('never detected'),
    copiesServed: thefts.filter((theft) => !theft.copiedAll && servedToThief(theft) > 0).length,
  }
}

function describe(verdicts: readonly Verdict[], count: (name: Verdict['verdict']) => number): string {
  const all = verdicts.length
  if (all === 0) return 'not measured'
  // Bad results come first and alone.
  if (count('logged out') > 0) return `LOGGED OUT ${count('logged out')}/${all}`
  if (count('never detected') > 0) return `NEVER DETECTED ${count('never detected')}/${all}`
  if (count('kept') > 0) return `kept ${count('kept')}/${all}`
  const parts: string[] = []
  const uses = verdicts.flatMap((verdict) => (verdict.verdict === 'detected' ? [verdict.use] : []))
  if (uses.length > 0) parts.push(`detected at ${range(uses)} use ${uses.length}/${all}`)
  if (count('thief refused') > 0) parts.push(`thief refused ${count('thief refused')}/${all}`)
  if (count('already ended') > 0) parts.push(`already ended ${count('already ended')}/${all}`)
  return parts.join(', ')
}

function range(uses: readonly number[]): string {
  const [first, last] = [Math.min(...uses), Math.max(...uses)]
  return first === last ? ordinal(first) : `${ordinal(first)} to ${ordinal(last)}`
}

function ordinal(use: number): string {
  return `${use}${['st', 'nd', 'rd'][use - 1] ?? 'th'}`
}
