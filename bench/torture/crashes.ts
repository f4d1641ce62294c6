// The target's process is killed with kill -9 and started again; its clients only see that no answer comes.

import { signUp, type Client } from './client.js'
import type { HonestOutcome } from './judging.js'
import { honest, type Scenario } from './scenario.js'
import type { Target } from './target.js'

// More than any target needs for a refresh.
const MOST_MESSAGES = 60

const kills = { stopsTarget: true, beyondGrace: true }

export const crashScenarios: Scenario[] = [
  honest(
    'the server is killed after the commit, before its answer is heard; retried when it is back',
    async ({ target }) => {
      const client = await signUp(target)
      await client.refresh({ fate: { kind: 'lose' } })
      await target.kill()
      await target.restart()
      return { kind: 'honest', kept: await client.isSignedIn() }
    },
    kills,
  ),
  honest(
    'the server is killed at each message of a refresh to its database; retried when it is back',
    async ({ target }) => {
      const outcomes: HonestOutcome[] = []
      for (let messages = 0; messages <= MOST_MESSAGES; messages += 1) {
        const client = await signUp(target)
        if (!(await killInTheMiddle(target, client, messages))) return outcomes
        outcomes.push({ kind: 'honest', kept: await client.isSignedIn() })
      }
      throw new Error(`A refresh took more than ${MOST_MESSAGES} messages.`)
    },
    { ...kills, rounds: 'one' },
  ),
]

/** Kills the target once the database has carried so many messages of a refresh out; false when there are fewer. */
async function killInTheMiddle(target: Target, client: Client, messages: number): Promise<boolean> {
  const reached = target.stopDatabaseAfter(messages).then(() => true)
  const answered = client.refresh().then(() => false)
  const inTheMiddle = await Promise.race([reached, answered])
  if (inTheMiddle) {
    await target.kill()
    target.passDatabase()
    await target.restart()
  }
  target.passDatabase()
  await answered
  return inTheMiddle
}
