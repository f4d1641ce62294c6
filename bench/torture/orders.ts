// All sequences of a victim's refreshes, lost answers, and a thief presenting a copy.

import { signUp } from './client.js'
import type { HonestOutcome, TheftOutcome } from './judging.js'
import { honest, theft, type Scenario } from './scenario.js'
import { Theft } from './theft.js'
import type { World } from './world.js'

const paces = ['in quick succession', 'a grace period apart'] as const

type Step = 'refresh' | 'refresh, answer lost' | 'theft'
type Pace = (typeof paces)[number]

const lost = { kind: 'lose' } as const

/** All sequences of these steps, of length 1 to `length`. */
export function sequencesOf<T>(steps: readonly T[], length: number): T[][] {
  if (length === 0) return []
  const shorter = sequencesOf(steps, length - 1)
  return [...steps.map((step) => [step]), ...steps.flatMap((step) => shorter.map((sequence) => [step, ...sequence]))]
}

/** Without a thief: no sequence contains anything wrong. */
export function honestOrders(length: number): Scenario[] {
  const orders = sequencesOf<Step>(['refresh', 'refresh, answer lost'], length)
  return paces.map((pace) =>
    honest(
      `every sequence of up to ${length} refreshes, each answered or lost, ${pace}`,
      orders.map((order) => (world) => playHonest(world, order, pace)),
      { rounds: 'one', beyondGrace: pace === 'a grace period apart' },
    ),
  )
}

export function theftOrders(length: number): Scenario[] {
  const orders = sequencesOf<Step>(['refresh', 'refresh, answer lost', 'theft'], length)
  return paces.map((pace) =>
    theft(
      `every sequence of up to ${length} refreshes, each answered, lost or by the thief, ${pace}`,
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
      if (index > 0 && pace === 'a grace period apart') await world.passGrace()
      await step()
    }
  }
  await (pace === 'in quick succession' ? world.atOnce(takeAll) : takeAll())
}
