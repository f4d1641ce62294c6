import type { ScenarioOutcome } from './judging.js'
import type { World } from './world.js'

/** Plays a scenario once; some have several outcomes. */
export type Play = (world: World) => Promise<ScenarioOutcome | ScenarioOutcome[]>

/** One row of the table. */
export interface Scenario {
  title: string
  /** Whether the scenario is about a user who did nothing wrong, or about a thief. */
  kind: ScenarioOutcome['kind']
  /** `many` for races, `few` for scenarios with one possible course, `one` for scenarios that consist of many plays. */
  rounds: 'many' | 'few' | 'one'
  plays: Play[]
  /** Kills the target's process, so no other scenario may run. */
  stopsTarget?: boolean
  /**
   * A retry happens, or may happen, after the grace period, when nothing is promised to a client without attempt keys.
   */
  beyondGrace?: boolean
}

type More = Partial<Pick<Scenario, 'rounds' | 'stopsTarget' | 'beyondGrace'>>

export function honest(title: string, plays: Play | Play[], more: More = {}): Scenario {
  return { title, kind: 'honest', rounds: 'few', plays: [plays].flat(), ...more }
}

export function theft(title: string, plays: Play | Play[], more: More = {}): Scenario {
  return { title, kind: 'theft', rounds: 'few', plays: [plays].flat(), ...more }
}
