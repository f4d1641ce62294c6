// What a run of a scenario came to, and what the table says of it. Nothing here knows a target.

/** Whether somebody who did nothing wrong is signed in still. */
export interface HonestOutcome {
  kind: 'honest'
  kept: boolean
}

export interface Presentation {
  who: 'victim' | 'thief'
  /** What was presented. */
  token: string
  outcome: 'served' | 'superseded' | 'refused' | 'unavailable' | 'lost'
  /** Whether it ended the session: nothing that anybody holds is worth anything from here on. */
  ended: boolean
}

/** What became of a copied token after each has presented what they hold once more, a grace apart. */
export interface TheftOutcome {
  kind: 'theft'
  presentations: Presentation[]
  /** Whether the thief holds anything that the target still accepts. */
  thiefLive: boolean
  victimLive: boolean
  /** Whether the thief copied what belongs to the token too: the key of the attempt under way, or the client's own key. */
  copiedAll: boolean
}

export type ScenarioOutcome = HonestOutcome | TheftOutcome

export type Verdict =
  | { verdict: 'kept' | 'logged out' }
  /** `use` counts the presentations by one of a token that the other had already used. */
  | { verdict: 'found'; use: number }
  /** The session had ended before anybody could know of a theft. */
  | { verdict: 'gone' }
  /** The thief has nothing, and the victim goes on. */
  | { verdict: 'shut out' }
  | { verdict: 'never found' }

export function judge(outcome: ScenarioOutcome): Verdict {
  if (outcome.kind === 'honest') return { verdict: outcome.kept ? 'kept' : 'logged out' }
  if (outcome.thiefLive) return { verdict: 'never found' }
  if (outcome.victimLive) return { verdict: 'shut out' }
  const use = usesUntilEnd(outcome.presentations)
  return use === 0 ? { verdict: 'gone' } : { verdict: 'found', use }
}

function usesUntilEnd(presentations: readonly Presentation[]): number {
  const last = presentations.findIndex(({ ended }) => ended)
  return presentations.slice(0, last + 1).filter((_, index) => isTelling(presentations, index)).length
}

/** Whether the target could know by this presentation that two hold the token: the other one has been served for it. */
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
  neverFound: number
  /** Thefts of a token alone in which the thief was served for one that the victim had used. */
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
    neverFound: count('never found'),
    copiesServed: thefts.filter((theft) => !theft.copiedAll && servedToThief(theft) > 0).length,
  }
}

function describe(verdicts: readonly Verdict[], count: (name: Verdict['verdict']) => number): string {
  const all = verdicts.length
  if (all === 0) return 'not measured'
  // What is bad is said first, and alone.
  if (count('logged out') > 0) return `LOGGED OUT ${count('logged out')}/${all}`
  if (count('never found') > 0) return `NEVER FOUND ${count('never found')}/${all}`
  if (count('kept') > 0) return `kept ${count('kept')}/${all}`
  const parts: string[] = []
  const uses = verdicts.flatMap((verdict) => (verdict.verdict === 'found' ? [verdict.use] : []))
  if (uses.length > 0) parts.push(`found at ${range(uses)} use ${uses.length}/${all}`)
  if (count('shut out') > 0) parts.push(`shut out ${count('shut out')}/${all}`)
  if (count('gone') > 0) parts.push(`gone before ${count('gone')}/${all}`)
  return parts.join(', ')
}

function range(uses: readonly number[]): string {
  const [first, last] = [Math.min(...uses), Math.max(...uses)]
  return first === last ? ordinal(first) : `${ordinal(first)} to ${ordinal(last)}`
}

function ordinal(use: number): string {
  return `${use}${['st', 'nd', 'rd'][use - 1] ?? 'th'}`
}
