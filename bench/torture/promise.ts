import type { Cell } from './judging.js'
import type { Column } from './run.js'
import type { Scenario } from './scenario.js'

/** Whether a cell is what Sallyport promises to a kind of client. */
export type Promised = (scenario: Scenario, cell: Cell) => boolean

/** No user is logged out, every theft is detected, and a copy of a used token is never accepted. */
export const promisedWithKeys: Promised = (_scenario, { honest, thefts, loggedOut, neverDetected, copiesServed }) =>
  honest + thefts > 0 && loggedOut === 0 && neverDetected === 0 && copiesServed === 0

/**
 * Without attempt keys an answer is repeated only within the grace period, to the thief as well; every theft is
 * detected after it.
 */
export const promisedWithoutKeys: Promised = ({ beyondGrace = false }, { honest, thefts, loggedOut, neverDetected }) =>
  honest + thefts > 0 && (beyondGrace || loggedOut === 0) && neverDetected === 0

/** The promises that a column does not keep. */
export function brokenPromises({ cells, window }: Column, promised: Promised, graceSeconds: number): string[] {
  const broken = [...cells]
    .filter(([scenario, cell]) => !promised(scenario, cell))
    .map(([{ title }, { text }]) => `${title}: ${text}`)
  const { servedSeconds } = window
  if (servedSeconds !== null && servedSeconds > graceSeconds)
    broken.push(`a copy was served after ${servedSeconds.toFixed(1)} s`)
  return broken
}
