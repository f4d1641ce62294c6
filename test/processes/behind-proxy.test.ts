// Two instances behind deploy/Caddyfile, as in deploy/compose.yaml.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createApiOver } from '../support/api.js'
import { SECRET_KEY } from '../support/app.js'
import { send } from '../support/client.js'
import { createEmptyDatabase, needsPostgres } from '../support/database.js'
import { findFreePort } from '../support/free-port.js'
import { createFolder, startProcess } from '../support/process.js'
import { until } from '../support/until.js'

const caddyfile = fileURLToPath(new URL('../../deploy/Caddyfile', import.meta.url))

function isInstalled(): boolean {
  try {
    execFileSync('caddy', ['version'])
    return true
  } catch {
    return false
  }
}

t.test(
  'two instances behind a proxy (needs Postgres and Caddy)',
  { skip: needsPostgres || (!isInstalled() && 'needs Caddy') },
  async (t) => {
    const port = await findFreePort()
    const settings = {
      ...{ DATABASE_URL: await createEmptyDatabase(t), SECRET_KEY, TRUST_PROXY: '127.0.0.1' },
      PUBLIC_URL: `http://localhost:${port}`,
    }
    const [first, second] = await Promise.all([startProcess(t, settings), startProcess(t, settings)])
    const proxy = spawn('caddy', ['run', '--config', caddyfile, '--adapter', 'caddyfile'], {
      env: {
        ...{ PATH: process.env.PATH, HOME: createFolder(t), SITE_ADDRESS: `http://localhost:${port}` },
        UPSTREAMS: `127.0.0.1:${first.port} 127.0.0.1:${second.port}`,
      },
      stdio: 'ignore',
    })
    t.teardown(async () => {
      const ended = once(proxy, 'exit')
      proxy.kill('SIGKILL')
      await ended
    })
    // Another address than the proxy's own, to see which one is stored.
    const agent = new Agent({ keepAlive: true, localAddress: '127.0.0.2' })
    t.teardown(() => agent.destroy())
    const host = `localhost:${port}`
    const api = createApiOver(({ headers, ...request }) =>
      send(port, agent, { ...request, headers: { host, ...headers } }),
    )
    await until(async () => (await api.call('/livez').catch(() => null))?.status === 200)

    t.test('PWD-14: sessions show the address of the client, whatever header it sends', async (t) => {
      const { accessToken, refreshToken, email, password } = await api.signUp()
      const headers = { 'x-forwarded-for': '203.0.113.9' }
      t.match(await api.login({ email, password, mode: 'json' }, { headers }), { status: 200 })
      t.match(await api.refresh(refreshToken), { status: 200 })
      const { body } = await api.call<{ sessions: { ip: string }[] }>('/v1/sessions', { token: accessToken })
      t.strictSame(
        body.sessions.map(({ ip }) => ip),
        ['127.0.0.2', '127.0.0.2'],
      )
    })

    t.test('events arrive as they happen', async (t) => {
      const { accessToken: token } = await api.signUp()
      const stream = await fetch(`http://${host}/v1/events`, { headers: { authorization: `Bearer ${token}` } })
      const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
      // A proxy that buffers would delay it.
      t.match(await reader?.read(), { value: /^retry: / })
      t.match(await api.call('/v1/auth/logout', { method: 'POST', token }), { status: 204 })
      t.match(await reader?.read(), { value: /event: session.ended/ })
    })

    t.test('OPS-06: the instances are stopped one by one, and no request is lost', async (t) => {
      const { accessToken } = await api.signUp()
      let isOver = false
      const statuses = new Set<unknown>()
      const asking = Array.from({ length: 4 }, async () => {
        while (!isOver) statuses.add(await api.whoami(accessToken).then(({ status }) => status, String))
      })
      t.equal(await first.stop(), 0)
      // The other instance now gets the requests.
      for (let i = 0; i < 20; i += 1) t.match(await api.whoami(accessToken), { status: 200 })
      isOver = true
      await Promise.all(asking)
      t.strictSame([...statuses], [200])
    })
  },
)
