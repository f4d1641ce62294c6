// Clients that disconnect before they get their response, or before they have sent the whole request.

import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
import { SECRET_KEY } from '../support/app.js'
import { createEmptyDatabase, needsPostgres } from '../support/database.js'
import { startCollecting, type ServerProcess } from '../support/process.js'
import { until } from '../support/until.js'

const ABORTED = 10_000
const WARM_UP = 2_000
const AT_ONCE = 40
/** In the heap, after a collection: half a KiB for each request. */
const MOST_GROWTH_BYTES = 512 * (ABORTED - WARM_UP)

const descriptorsOf = ({ pid }: ServerProcess) => readdirSync(`/proc/${pid}/fd`).length

function textOf(method: string, path: string, headers: Record<string, string>, body = ''): string {
  const lines = Object.entries({ host: 'localhost', 'content-length': String(body.length), ...headers })
  return [`${method} ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n')
}

async function abort(port: number, text: string, { politely }: { politely: boolean }): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  await new Promise<unknown>((resolve) => socket.write(text, resolve))
  if (politely) socket.destroy()
  else socket.resetAndDestroy()
}

t.test(
  'OPS-10: 10,000 aborted requests leave nothing behind (needs Postgres)',
  {
    skip: needsPostgres || (!existsSync('/proc/self/fd') && 'counts the open files of a process in /proc'),
  },
  async (t) => {
    const database = { DATABASE_URL: await createEmptyDatabase(t) }
    const server = await startCollecting(t, { ...database, SECRET_KEY, RATE_LIMIT: 'off' })
    const { accessToken, refreshToken } = await server.api.signUp()
    const key = 'an-attempt-of-mine'
    const bearer = { authorization: `Bearer ${accessToken}` }
    const refresh = textOf(
      ...(['POST', '/v1/auth/refresh', { 'content-type': 'application/json', 'idempotency-key': key }] as const),
      JSON.stringify({ refresh_token: refreshToken }),
    )
    const requests = [
      refresh,
      textOf('GET', '/v1/sessions', bearer),
      textOf('GET', '/v1/events', bearer),
      refresh.slice(0, -10),
    ]

    async function abortMany(count: number) {
      let left = count
      const one = async () => {
        while (left > 0) {
          left -= 1
          await abort(server.port, requests[left % requests.length] ?? '', { politely: left % 3 !== 0 })
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, one))
      t.match(await server.api.whoami(accessToken), { status: 200 })
    }

    const descriptors = descriptorsOf(server)
    await abortMany(WARM_UP)
    const heapBytes = await server.collect()
    await abortMany(ABORTED - WARM_UP)
    // Meanwhile the pool may have opened all of its connections to the database.
    await t.resolves(until(async () => descriptorsOf(server) <= descriptors + 12))
    const kept = (await server.collect()) - heapBytes
    t.ok(kept < MOST_GROWTH_BYTES, `${kept} bytes more`)

    t.match(await server.api.refresh(refreshToken, { key }), { status: 200 })
    t.match(await server.api.whoami(accessToken), { status: 200 })
    t.equal(await server.stop(), 0)
  },
)
