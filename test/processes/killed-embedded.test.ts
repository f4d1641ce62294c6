// `kill -9` while the embedded database is writing: acknowledged writes are there after the restart. RATE_LIMIT is off,
// because it would stop 800 registrations from one address.

import { randomInt, randomUUID } from 'node:crypto'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { SECRET_KEY } from '../support/app.js'
import { needsEmbedded } from '../support/database.js'
import { createFolder, startProcess, type ServerProcess } from '../support/process.js'
import { until } from '../support/until.js'

// OPS-09 requires KILLS=200, which takes minutes.
const ROUNDS = Number(process.env.KILLS ?? 5)
const CLIENTS = 4

/** A user who refreshes continuously, and records what was acknowledged. */
interface Client {
  email: string
  /** The token to present next, and the key of the attempt without a response. */
  token: string
  key: string
  /** The tokens that have a successor. */
  spent: string[]
}

t.test(
  'OPS-09, REF-09: every acknowledged write survives kill -9, and no used token becomes valid again',
  { skip: needsEmbedded },
  async (t) => {
    // Without a grace period, a used token is never accepted as the loser of a race; attempt keys work all the same.
    const settings = { DATA_DIR: createFolder(t), SECRET_KEY, REFRESH_GRACE: '0', RATE_LIMIT: 'off' }
    let server: ServerProcess = await startProcess(t, settings)
    const clients: Client[] = []
    let acknowledged = 0

    /** Registers and refreshes until the process has died. */
    async function work(): Promise<void> {
      const email = `${randomUUID()}@example.com`
      const registered = await server.api.register({ email, password: PASSWORD, mode: 'json' })
      t.equal(registered.status, 201)
      const client: Client = { email, token: registered.body.refresh_token ?? '', key: randomUUID(), spent: [] }
      clients.push(client)
      for (;;) {
        acknowledged += 1
        const answer = await server.api.refresh(client.token, { key: client.key })
        t.equal(answer.status, 200)
        client.spent.push(client.token)
        Object.assign(client, { token: answer.body.refresh_token, key: randomUUID() })
      }
    }

    for (let round = 0; round < ROUNDS; round += 1) {
      const goal = acknowledged + randomInt(CLIENTS, 40)
      const working = Promise.allSettled(Array.from({ length: CLIENTS }, () => work()))
      await until(async () => acknowledged >= goal)
      await server.kill()
      for (const outcome of await working) t.equal(outcome.status, 'rejected', 'the process has died')

      server = await startProcess(t, settings)
      for (const client of clients) {
        const answer = await server.api.refresh(client.token, { key: client.key })
        t.match(answer, { status: 200 }, `round ${round}: acknowledged, or retried with its key`)
        client.spent.push(client.token)
        Object.assign(client, { token: answer.body.refresh_token, key: randomUUID() })
      }
    }

    t.ok(clients.length >= ROUNDS)
    for (const { email, spent } of clients) {
      t.match(await server.api.login({ email, password: PASSWORD, mode: 'json' }), { status: 200 })
      const [oldest] = spent
      t.match(await server.api.refresh(oldest), { status: 401 })
    }
  },
)
