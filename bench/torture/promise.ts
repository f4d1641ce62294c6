import type { Cell } from './judging.js'
import type { Column } from './run.js'
import type { Scenario } from './scenario.js'

/** Whether a cell is what Sallyport promises to a kind of client. */
export type Promised = (scenario: Scenario, cell: Cell) => boolean

/** Nobody is logged out, every theft is found, and a copy of a token that was used is worth nothing at any time. */
export const promisedWithKeys: Promised = (_scenario, { honest, thefts, loggedOut, neverFound, copiesServed }) =>
  honest + thefts > 0 && loggedOut === 0 && neverFound === 0 && copiesServed === 0

/** Without attempt keys an answer is repeated within the grace only, to the thief as well; every theft is found after it. */
export const promisedWithoutKeys: Promised = ({ beyondGrace = false }, { honest, thefts, loggedOut, neverFound }) =>
  honest + thefts > 0 && (beyondGrace || loggedOut === 0) && neverFound === 0

/** What a column does not keep of what it promises. */
export function brokenPromises({ cells, window }: Column, promised: Promised, graceSeconds: number): string[] {
  const broken = [...cells]
    .filter(([scenario, cell]) => !promised(scenario, cell))
    .map(([{ title }, { text }]) => `${title}: ${text}`)
  const { servedSeconds } = window
  if (servedSeconds !== null && servedSeconds > graceSeconds)
    broken.push(`a copy was served after ${servedSeconds.toFixed(1)} s`)
  return broken
}
