// Every order in which a victim refreshes, an answer is lost, and a thief presents a copy.

import { signUp } from './client.js'
import type { HonestOutcome, TheftOutcome } from './judging.js'
import { honest, theft, type Scenario } from './scenario.js'
import { Theft } from './theft.js'
import type { World } from './world.js'

const paces = ['at once', 'a grace apart'] as const

type Step = 'refresh' | 'refresh, answer lost' | 'theft'
type Pace = (typeof paces)[number]

const lost = { kind: 'lose' } as const

/** All sequences of one to so many of these. */
export function sequencesOf<T>(steps: readonly T[], length: number): T[][] {
  if (length === 0) return []
  const shorter = sequencesOf(steps, length - 1)
  return [...steps.map((step) => [step]), ...steps.flatMap((step) => shorter.map((sequence) => [step, ...sequence]))]
}

/** Without a thief: nobody did anything wrong in any order. */
export function honestOrders(length: number): Scenario[] {
  const orders = sequencesOf<Step>(['refresh', 'refresh, answer lost'], length)
  return paces.map((pace) =>
    honest(
      `every order of up to ${length} refreshes, answered or lost, ${pace}`,
      orders.map((order) => (world) => playHonest(world, order, pace)),
      { rounds: 'one', beyondGrace: pace === 'a grace apart' },
    ),
  )
}

export function theftOrders(length: number): Scenario[] {
  const orders = sequencesOf<Step>(['refresh', 'refresh, answer lost', 'theft'], length)
  return paces.map((pace) =>
    theft(
      `every order of up to ${length} refreshes, answered, lost or the thief's, ${pace}`,
      orders.filter((order) => order.includes('theft')).map((order) => (world) => playTheft(world, order, pace)),
      { rounds: 'one' },
    ),
  )
}

async function playHonest(world: World, order: Step[], pace: Pace): Promise<HonestOutcome> {
  const client = await signUp(world.target)
  const steps = order.map((step) => () => client.refresh(step === 'refresh' ? {} : { fate: lost }))
  let kept = false
  await inPace(world, pace, [...steps, async () => (kept = await client.isSignedIn())])
  return { kind: 'honest', kept }
}

async function playTheft(world: World, order: Step[], pace: Pace): Promise<TheftOutcome> {
  const theft = await Theft.begin(world)
  const take: Record<Step, () => Promise<void>> = {
    refresh: () => theft.victim(),
    'refresh, answer lost': () => theft.victim(lost),
    theft: () => theft.thief(),
  }
  await inPace(
    world,
    pace,
    order.map((step) => take[step]),
  )
  return theft.end()
}

async function inPace(world: World, pace: Pace, steps: (() => Promise<unknown>)[]): Promise<void> {
  const takeAll = async () => {
    for (const [index, step] of steps.entries()) {
      if (index > 0 && pace === 'a grace apart') await world.passGrace()
      await step()
    }
  }
  await (pace === 'at once' ? world.atOnce(takeAll) : takeAll())
}
