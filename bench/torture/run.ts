import pLimit from 'p-limit'
import { crashScenarios } from './crashes.js'
import { honestScenarios } from './honest.js'
import { sumUp, type Cell } from './judging.js'
import { honestOrders, theftOrders } from './orders.js'
import type { Scenario } from './scenario.js'
import { theftScenarios } from './thefts.js'
import { measureWindow, type Window } from './window.js'
import { play, type World } from './world.js'

/** Every row of the table, with sequences of up to `depth` steps. */
export function createScenarios(depth: number): Scenario[] {
  return [...honestScenarios, ...honestOrders(depth), ...crashScenarios, ...theftScenarios, ...theftOrders(depth)]
}

/** A column of the table. */
export interface Column {
  cells: Map<Scenario, Cell>
  window: Window
}

// Most scenarios wait most of the time.
const PLAYS_AT_ONCE = 32

/** Plays these scenarios: races `rounds` times, and deterministic ones a tenth as often. */
export async function runAll(world: World, scenarios: Scenario[], rounds: number): Promise<Column> {
  const window = await measureWindow(world)
  const atOnce = pLimit(PLAYS_AT_ONCE)
  const oneByOne = pLimit(1)
  const cells = new Map<Scenario, Cell>()
  const run = async (scenario: Scenario, limit: typeof atOnce) =>
    cells.set(scenario, await runOne(world, scenario, roundsOf(scenario, rounds), limit))
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

function roundsOf(scenario: Scenario, rounds: number): number {
  switch (scenario.rounds) {
    case 'many':
      return rounds
    case 'few':
      return Math.ceil(rounds / 10)
    case 'one':
      return 1
  }
}
