// Users who did nothing wrong, and what networks and machines do to them. Each has to be signed in afterwards.

import { setTimeout as pause } from 'node:timers/promises'
import { Client, signUp } from './client.js'
import type { HonestOutcome } from './judging.js'
import { honest, type Scenario } from './scenario.js'
import { Theft } from './theft.js'
import type { World } from './world.js'

const TABS = 5
const JITTER_MS = 80

const lost = { kind: 'lose' } as const

async function outcomeFor(client: Client): Promise<HonestOutcome> {
  return { kind: 'honest', kept: await client.isSignedIn() }
}

/** The tabs of one browser: each with its own attempts, all with the one store. */
function tabsOf({ target, store }: Client, count: number): Client[] {
  return Array.from({ length: count }, () => new Client(target, store))
}

export const honestScenarios: Scenario[] = [
  honest('the answer is lost after the commit; retried at once', async ({ target, atOnce }) => {
    const client = await signUp(target)
    return atOnce(async () => {
      await client.refresh({ fate: lost })
      return outcomeFor(client)
    })
  }),
  honest(
    'the answer is lost; retried after the grace',
    async ({ target, passGrace }) => {
      const client = await signUp(target)
      await client.refresh({ fate: lost })
      await passGrace()
      return outcomeFor(client)
    },
    { beyondGrace: true },
  ),
  honest('the client is killed before it stores the answer; started again at once', async ({ target, atOnce }) => {
    const client = await signUp(target)
    return atOnce(async () => outcomeFor(await killAndStartAgain(client)))
  }),
  honest(
    'the client is killed before it stores the answer; started again after the grace',
    async ({ target, passGrace }) => {
      const again = await killAndStartAgain(await signUp(target))
      await passGrace()
      return outcomeFor(again)
    },
    { beyondGrace: true },
  ),
  honest(
    'something on the way sends one request three times at once',
    async ({ target, atOnce }) => {
      const client = await signUp(target)
      await atOnce(() => client.refresh({ fate: { kind: 'repeat', times: 3 } }))
      return outcomeFor(client)
    },
    { rounds: 'many' },
  ),
  honest(
    'five tabs refresh at the same instant',
    async ({ target, atOnce }) => {
      const client = await signUp(target)
      await atOnce(() => Promise.all(tabsOf(client, TABS).map((tab) => tab.refresh())))
      return outcomeFor(client)
    },
    { rounds: 'many' },
  ),
  honest(
    'five tabs refresh within a moment, on a slow and uneven network',
    async ({ target, atOnce }) => {
      const client = await signUp(target)
      await atOnce(() => Promise.all(tabsOf(client, TABS).map(refreshSometime)))
      return outcomeFor(client)
    },
    { rounds: 'many' },
  ),
  honest("a tab's request arrives after another tab's answer", (world) => lateTab(world, 1)),
  honest("a tab's request arrives after another tab has refreshed twice", (world) => lateTab(world, 2)),
  honest('two devices of one user refresh at the same instant', async ({ target }) => {
    const { user, held } = await target.signUp()
    const devices = [new Client(target, { held }), new Client(target, { held: await target.signIn(user) })]
    await Promise.all(devices.map((device) => device.refresh()))
    return Promise.all(devices.map(outcomeFor))
  }),
  honest('the other device of a user, when a theft is found on the first', async (world) => {
    const { user, held } = await world.target.signUp()
    const other = new Client(world.target, { held: await world.target.signIn(user) })
    const theft = new Theft(world, new Client(world.target, { held }))
    await theft.victim()
    await theft.end()
    return outcomeFor(other)
  }),
]

/** What a client keeps is there when it is started again; what it has only heard is not. */
async function killAndStartAgain(client: Client): Promise<Client> {
  const { held } = client.store
  const answer = client.refresh()
  const { attempt } = client
  await answer
  return new Client(client.target, { held }, attempt)
}

/** Reads the store when it comes to it, as a browser does with its cookies; both ways take their own time. */
async function refreshSometime(tab: Client): Promise<void> {
  const upTo = (ms: number) => Math.random() * ms
  await pause(upTo(2 * JITTER_MS))
  await tab.refresh({ fate: { kind: 'delay', requestMs: upTo(JITTER_MS), answerMs: upTo(JITTER_MS) } })
}

/** A tab has read the store, and its request is on the way while another tab refreshes. */
async function lateTab({ target, atOnce }: World, refreshes: number): Promise<HonestOutcome> {
  const client = await signUp(target)
  const [late, other] = [new Client(target, client.store), new Client(target, client.store)]
  const { held } = client.store
  await atOnce(async () => {
    for (let done = 0; done < refreshes; done += 1) await other.refresh()
    await late.refresh({ held })
  })
  return outcomeFor(client)
}
