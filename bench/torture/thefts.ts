// Somebody has a copy of a token. A token that can be used once is found to have two holders as soon as the second one
// comes; until then nobody can know.

import { theft, type Play, type Scenario } from './scenario.js'
import { Theft } from './theft.js'

const TURNS = 3

const lost = { kind: 'lose' } as const

export const theftScenarios: Scenario[] = [
  steps('the thief first, then the victim', (theft) => theft.thief()),
  steps('the victim first, then the thief at once', (theft) =>
    theft.world.atOnce(async () => {
      await theft.victim()
      await theft.thief()
    }),
  ),
  steps('the victim first, then the thief after the grace', async (theft) => {
    await theft.victim()
    await theft.world.passGrace()
    await theft.thief()
  }),
  steps('the victim refreshes twice, then the thief comes at once', (theft) =>
    theft.world.atOnce(async () => {
      await theft.victim()
      await theft.victim()
      await theft.thief()
    }),
  ),
  steps('the victim refreshes twice, then the thief comes after the grace', async (theft) => {
    await theft.victim()
    await theft.victim()
    await theft.world.passGrace()
    await theft.thief()
  }),
  steps(
    'thief and victim at the same instant',
    (theft) => theft.world.atOnce(() => Promise.all([theft.victim(), theft.thief()])),
    { rounds: 'many' },
  ),
  steps("the victim's answer is lost, the thief comes, the victim retries", (theft) =>
    theft.world.atOnce(async () => {
      await theft.victim(lost)
      await theft.thief()
      await theft.victim()
    }),
  ),
  steps("the victim's answer is lost, the victim retries, the thief comes", (theft) =>
    theft.world.atOnce(async () => {
      await theft.victim(lost)
      await theft.victim()
      await theft.thief()
    }),
  ),
  steps('thief and victim in turn, at once', (theft) =>
    theft.world.atOnce(async () => {
      for (let turns = 0; turns < TURNS; turns += 1) {
        await theft.thief()
        await theft.victim()
      }
    }),
  ),
  steps('thief and victim in turn, a grace apart', async (theft) => {
    for (let turns = 0; turns < TURNS; turns += 1) {
      await theft.thief()
      await theft.world.passGrace()
      await theft.victim()
      await theft.world.passGrace()
    }
  }),
  steps('the thief copies all that the client keeps, with an attempt under way', async (theft) => {
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
