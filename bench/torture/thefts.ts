// A thief has a copy of a token. With a one-time token, the second use by either party reveals two holders; it cannot
// be detected earlier.

import { theft, type Play, type Scenario } from './scenario.js'
import { Theft } from './theft.js'

const TURNS = 3

const lost = { kind: 'lose' } as const

export const theftScenarios: Scenario[] = [
  steps('the thief refreshes first, then the victim', (theft) => theft.thief()),
  steps('the victim refreshes first, then the thief immediately', (theft) =>
    theft.world.atOnce(async () => {
      await theft.victim()
      await theft.thief()
    }),
  ),
  steps('the victim refreshes first, then the thief after the grace period', async (theft) => {
    await theft.victim()
    await theft.world.passGrace()
    await theft.thief()
  }),
  steps('the victim refreshes twice, then the thief immediately', (theft) =>
    theft.world.atOnce(async () => {
      await theft.victim()
      await theft.victim()
      await theft.thief()
    }),
  ),
  steps('the victim refreshes twice, then the thief after the grace period', async (theft) => {
    await theft.victim()
    await theft.victim()
    await theft.world.passGrace()
    await theft.thief()
  }),
  steps(
    'thief and victim refresh simultaneously',
    (theft) => theft.world.atOnce(() => Promise.all([theft.victim(), theft.thief()])),
    { rounds: 'many' },
  ),
  steps("the victim's response is lost, the thief refreshes, the victim retries", (theft) =>
    theft.world.atOnce(async () => {
      await theft.victim(lost)
      await theft.thief()
      await theft.victim()
    }),
  ),
  steps("the victim's response is lost, the victim retries, the thief refreshes", (theft) =>
    theft.world.atOnce(async () => {
      await theft.victim(lost)
      await theft.victim()
      await theft.thief()
    }),
  ),
  steps('thief and victim take turns in quick succession', (theft) =>
    theft.world.atOnce(async () => {
      for (let turns = 0; turns < TURNS; turns += 1) {
        await theft.thief()
        await theft.victim()
      }
    }),
  ),
  steps('thief and victim take turns, a grace period apart', async (theft) => {
    for (let turns = 0; turns < TURNS; turns += 1) {
      await theft.thief()
      await theft.world.passGrace()
      await theft.victim()
      await theft.world.passGrace()
    }
  }),
  steps("the thief copies the client's whole store during a pending attempt", async (theft) => {
    await theft.victim(lost)
    theft.copyAll()
    await theft.world.passGrace()
    await theft.victim()
    await theft.thief()
  }),
]

function steps(title: string, act: (theft: Theft) => Promise<unknown>, more?: { rounds: 'many' }): Scenario {
  const play: Play = async (world) => {
    const theft = await Theft.begin(world)
    await act(theft)
    return theft.end()
  }
  return theft(title, play, more)
}
