import { randomUUID } from 'node:crypto'
import t from 'tap'
import { generateSecretKey, parseSecretKey, type SecretKey } from '../../src/platform/crypto/secret-keys.js'
import type { Answer, TokenBody } from '../support/api.js'
import { createEmptyDatabase, needsPostgres } from '../support/database.js'
import { startProcess, type ServerProcess } from '../support/process.js'
import { until } from '../support/until.js'

const CLIENTS = 6
/** The minimum number of refreshes of each client in each state of the instances. */
const REFRESHES = 5

t.test(
  'REF-24: SECRET_KEY is rotated on two instances, and no refresh is refused (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const url = await createEmptyDatabase(t)
    const [old, next] = [generateSecretKey(), generateSecretKey()]
    // The clients refresh as fast as they can, and would be limited.
    const settings = { DATABASE_URL: url, HASHING_CONCURRENCY: '2', RATE_LIMIT: 'off' }
    const start = (SECRET_KEY: string) => startProcess(t, { ...settings, SECRET_KEY })
    const instances: ServerProcess[] = [await start(old), await start(old)]

    const refused: unknown[] = []
    const done = Array.from({ length: CLIENTS }, () => 0)
    const tokens: string[] = []
    let running = true

    /** Refreshes without pause, at the two instances in turn; retries with the key when there was no response. */
    async function runClient(client: number): Promise<void> {
      const user = await instances[client % 2]?.api.signUp()
      tokens[client] = user?.refreshToken ?? ''
      let key = randomUUID()
      for (let turn = client; running; turn += 1) {
        // An instance that stops closes its connections, as behind a load balancer.
        const answer: Answer<TokenBody> | null | undefined = await instances[turn % 2]?.api
          .refresh(tokens[client], { key })
          .catch(() => null)
        if (!answer) continue
        if (answer.status === 200) {
          tokens[client] = answer.body.refresh_token ?? ''
          done[client] = (done[client] ?? 0) + 1
          key = randomUUID()
        } else if (answer.status !== 503) {
          refused.push(answer.body)
          return
        }
      }
    }

    const workForAWhile = async () => {
      const goals = done.map((count) => count + REFRESHES)
      await until(async () => refused.length > 0 || done.every((count, client) => count >= (goals[client] ?? 0)))
    }

    /** Restarts the instances one by one with other secrets. */
    async function roll(secrets: string): Promise<void> {
      for (const index of [0, 1]) {
        await workForAWhile()
        const stopping = instances[index]
        instances[index] = await start(secrets)
        t.equal(await stopping?.stop(), 0)
      }
      await workForAWhile()
    }

    const clients = done.map((_, client) => runClient(client))
    await roll(`${old},${next}`)
    await roll(`${next},${old}`)
    running = false
    await Promise.all(clients)
    t.strictSame(refused, [])

    const idOf = (token: string) => Buffer.from(token.slice('spr_'.length), 'base64url').readUInt8(0)
    t.strictSame(
      tokens.map(idOf),
      tokens.map(() => requireKey(next).id),
      'every client has a token under the new secret',
    )
  },
)

function requireKey(text: string): SecretKey {
  const key = parseSecretKey(text)
  if (key === null) throw new Error('The test generated no secret.')
  return key
}
