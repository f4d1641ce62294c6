import pLimit from 'p-limit'
import { crashScenarios } from './crashes.js'
import { honestScenarios } from './honest.js'
import { sumUp, type Cell } from './judging.js'
import { honestOrders, theftOrders } from './orders.js'
import type { Scenario } from './scenario.js'
import type { Target } from './target.js'
import { theftScenarios } from './thefts.js'
import { measureWindow, type Window } from './window.js'
import { createWorld, play, type World } from './world.js'

/** Every row of the table, with orders of so many steps. */
export function createScenarios(depth: number): Scenario[] {
  return [...honestScenarios, ...honestOrders(depth), ...crashScenarios, ...theftScenarios, ...theftOrders(depth)]
}

export interface Options {
  /** How often a race is run; what comes to the same each time is run a tenth as often. */
  rounds: number
  graceSeconds: number
}

/** A column of the table. */
export interface Column {
  cells: Map<Scenario, Cell>
  window: Window
}

// Most of them wait.
const PLAYS_AT_ONCE = 32
// Signing up costs what hashing a password costs.
const SIGN_UPS_AT_ONCE = 4

/** Plays these scenarios against a target. */
export async function runAll(target: Target, scenarios: Scenario[], options: Options): Promise<Column> {
  const signUps = pLimit(SIGN_UPS_AT_ONCE)
  const world = createWorld({ ...target, signUp: () => signUps(target.signUp) }, options.graceSeconds)
  const window = await measureWindow(world)
  const atOnce = pLimit(PLAYS_AT_ONCE)
  const oneByOne = pLimit(1)
  const cells = new Map<Scenario, Cell>()
  const run = async (scenario: Scenario, limit: typeof atOnce) =>
    cells.set(scenario, await runOne(world, scenario, roundsOf(scenario, options), limit))
  await Promise.all(scenarios.filter(({ stopsTarget }) => !stopsTarget).map((scenario) => run(scenario, atOnce)))
  for (const scenario of scenarios.filter(({ stopsTarget }) => stopsTarget)) await run(scenario, oneByOne)
  return { cells, window }
}

async function runOne(
  world: World,
  scenario: Scenario,
  rounds: number,
  limit: ReturnType<typeof pLimit>,
): Promise<Cell> {
  const plays = Array.from({ length: rounds }, () => scenario.plays).flat()
  const outcomes = await Promise.all(plays.map((each) => limit(() => play(() => each(world)))))
  return sumUp(outcomes.flat())
}

function roundsOf({ rounds }: Scenario, options: Options): number {
  switch (rounds) {
    case 'many':
      return options.rounds
    case 'few':
      return Math.ceil(options.rounds / 10)
    case 'one':
      return 1
  }
}
