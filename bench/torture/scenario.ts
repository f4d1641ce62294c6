import type { ScenarioOutcome } from './judging.js'
import type { World } from './world.js'

/** Plays a scenario once; some come to several outcomes. */
export type Play = (world: World) => Promise<ScenarioOutcome | ScenarioOutcome[]>

/** One row of the table. */
export interface Scenario {
  title: string
  /** Whether it is about somebody who did nothing wrong, or about a thief. */
  kind: ScenarioOutcome['kind']
  /** Many where it takes many to meet a race; few where all come to the same; one where the plays are many by themselves. */
  rounds: 'many' | 'few' | 'one'
  plays: Play[]
  /** It kills the target's process, so nothing else may run. */
  stopsTarget?: boolean
  /** A retry in it comes, or may come, later than the grace: for a client without attempt keys nothing is promised then. */
  beyondGrace?: boolean
}

type More = Partial<Pick<Scenario, 'rounds' | 'stopsTarget' | 'beyondGrace'>>

export function honest(title: string, plays: Play | Play[], more: More = {}): Scenario {
  return { title, kind: 'honest', rounds: 'few', plays: [plays].flat(), ...more }
}

export function theft(title: string, plays: Play | Play[], more: More = {}): Scenario {
  return { title, kind: 'theft', rounds: 'few', plays: [plays].flat(), ...more }
}
