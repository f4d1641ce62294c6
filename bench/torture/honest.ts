// Users who do nothing wrong, with faults of networks and machines. Each user has to be signed in afterwards.

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

/** The tabs of one browser: each has its own attempts, all share one store. */
function tabsOf({ target, store }: Client, count: number): Client[] {
  return Array.from({ length: count }, () => new Client(target, store))
}

export const honestScenarios: Scenario[] = [
  honest('response lost after the commit; retried immediately', async ({ target, atOnce }) => {
    const client = await signUp(target)
    return atOnce(async () => {
      await client.refresh({ fate: lost })
      return outcomeFor(client)
    })
  }),
  honest(
    'response lost; retried after the grace period',
    async ({ target, passGrace }) => {
      const client = await signUp(target)
      await client.refresh({ fate: lost })
      await passGrace()
      return outcomeFor(client)
    },
    { beyondGrace: true },
  ),
  honest('client killed before it stores the response; restarted immediately', async ({ target, atOnce }) => {
    const client = await signUp(target)
    return atOnce(async () => outcomeFor(await killAndStartAgain(client)))
  }),
  honest(
    'client killed before it stores the response; restarted after the grace period',
    async ({ target, passGrace }) => {
      const again = await killAndStartAgain(await signUp(target))
      await passGrace()
      return outcomeFor(again)
    },
    { beyondGrace: true },
  ),
  honest(
    'a proxy sends one request three times concurrently',
    async ({ target, atOnce }) => {
      const client = await signUp(target)
      await atOnce(() => client.refresh({ fate: { kind: 'repeat', times: 3 } }))
      return outcomeFor(client)
    },
    { rounds: 'many' },
  ),
  honest(
    'five tabs refresh simultaneously',
    async ({ target, atOnce }) => {
      const client = await signUp(target)
      await atOnce(() => Promise.all(tabsOf(client, TABS).map((tab) => tab.refresh())))
      return outcomeFor(client)
    },
    { rounds: 'many' },
  ),
  honest(
    'five tabs refresh within 160 ms, with variable network latency',
    async ({ target, atOnce }) => {
      const client = await signUp(target)
      await atOnce(() => Promise.all(tabsOf(client, TABS).map(refreshSometime)))
      return outcomeFor(client)
    },
    { rounds: 'many' },
  ),
  honest("a tab's request arrives after another tab has refreshed", (world) => lateTab(world, 1)),
  honest("a tab's request arrives after another tab has refreshed twice", (world) => lateTab(world, 2)),
  honest('two devices of one user refresh simultaneously', async ({ target }) => {
    const { user, held } = await target.signUp()
    const devices = [new Client(target, { held }), new Client(target, { held: await target.signIn(user) })]
    await Promise.all(devices.map((device) => device.refresh()))
    return Promise.all(devices.map(outcomeFor))
  }),
  honest("the user's other device, after a theft is detected on the first", async (world) => {
    const { user, held } = await world.target.signUp()
    const other = new Client(world.target, { held: await world.target.signIn(user) })
    const theft = new Theft(world, new Client(world.target, { held }))
    await theft.victim()
    await theft.end()
    return outcomeFor(other)
  }),
]

/** A restarted client has what it stored; an answer that it received but did not store is gone. */
async function killAndStartAgain(client: Client): Promise<Client> {
  const { held } = client.store
  const answer = client.refresh()
  const { attempt } = client
  await answer
  return new Client(client.target, { held }, attempt)
}

/** Reads the store when the tab's turn comes, as a browser does with cookies; both directions are delayed. */
async function refreshSometime(tab: Client): Promise<void> {
  const upTo = (ms: number) => Math.random() * ms
  await pause(upTo(2 * JITTER_MS))
  await tab.refresh({ fate: { kind: 'delay', requestMs: upTo(JITTER_MS), answerMs: upTo(JITTER_MS) } })
}

/** A tab has read the store, and its request is delayed while another tab refreshes. */
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
