// A process is killed with kill -9. Its clients only notice that no answer arrives, and retry.

import { signUp, type Client } from './client.js'
import type { HonestOutcome } from './judging.js'
import { honest, type Scenario } from './scenario.js'
import type { Target } from './target.js'
import type { World } from './world.js'

// More than any target needs for a refresh.
const MOST_MESSAGES = 60

const lost = { kind: 'lose' } as const

export const crashScenarios: Scenario[] = [
  honest(
    'server killed after the commit, before its response arrives; retried immediately on another instance',
    async ({ target, atOnce }) => {
      await target.prepareStandby()
      const client = await signUp(target)
      return atOnce(async () => {
        await client.refresh({ fate: lost })
        await target.failOver()
        return { kind: 'honest', kept: await client.isSignedIn() }
      })
    },
    { stopsTarget: true },
  ),
  honest(
    'server killed after the commit, before its response arrives; retried after the grace period',
    async ({ target, passGrace }) => {
      const client = await signUp(target)
      await client.refresh({ fate: lost })
      await target.restart()
      await passGrace()
      return { kind: 'honest', kept: await client.isSignedIn() }
    },
    { stopsTarget: true, beyondGrace: true },
  ),
  honest(
    'server killed at each database message of a refresh; retried immediately on another instance',
    killEverywhere,
    {
      stopsTarget: true,
      rounds: 'one',
    },
  ),
]

async function killEverywhere({ target, atOnce }: World): Promise<HonestOutcome[]> {
  const outcomes: HonestOutcome[] = []
  for (let messages = 0; messages <= MOST_MESSAGES; messages += 1) {
    await target.prepareStandby()
    const client = await signUp(target)
    const outcome = await atOnce(() => killAfter(target, client, messages))
    if (outcome === null) return outcomes
    outcomes.push(outcome)
  }
  throw new Error(`A refresh took more than ${MOST_MESSAGES} messages.`)
}

/** Kills the server once the database has processed this many messages of a refresh; null when there are fewer. */
async function killAfter(target: Target, client: Client, messages: number): Promise<HonestOutcome | null> {
  const reached = target.stopDatabaseAfter(messages).then(() => 'reached' as const)
  const answered = client.refresh().then(({ outcome }) => outcome)
  const first = await Promise.race([reached, answered])
  if (first === 'reached') {
    await target.failOver()
    await answered
    return { kind: 'honest', kept: await client.isSignedIn() }
  }
  target.passDatabase()
  if (first !== 'served') throw new Error(`An undisturbed refresh was ${first}.`)
  return null
}
