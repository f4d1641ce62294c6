// A whole process, with faults of Postgres while clients refresh without pause. RATE_LIMIT is off, because it limits
// such clients.

import pg from 'pg'
import t from 'tap'
import { SECRET_KEY } from '../support/app.js'
import { createEmptyDatabase, needsPostgres } from '../support/database.js'
import { startProcess } from '../support/process.js'
import { startTcpProxy } from '../support/tcp-proxy.js'
import { startRefreshing } from '../support/traffic.js'
import { until } from '../support/until.js'

const CLIENTS = 8
const UNAVAILABLE = { status: 503, body: { code: 'database_unavailable' }, headers: { 'retry-after': '1' } }

t.test('faults of Postgres under traffic (needs Postgres)', { skip: needsPostgres }, async (t) => {
  const url = await createEmptyDatabase(t)
  const proxy = await startTcpProxy(url)
  t.teardown(() => proxy.stop())
  const server = await startProcess(t, { DATABASE_URL: proxy.url, SECRET_KEY, RATE_LIMIT: 'off' })
  const { api } = server
  const { accessToken, email, password } = await api.signUp()
  const { refreshers, untilServed, stop } = await startRefreshing(server, CLIENTS)
  await untilServed(5)

  /** Waits until every client has been refused, and checks what still works without a database. */
  async function expectOutage() {
    const refused = refreshers.map(({ unavailable }) => unavailable)
    await until(async () => refreshers.every(({ unavailable }, index) => unavailable > (refused[index] ?? 0)))
    t.match(await api.login({ email, password }), UNAVAILABLE)
    t.match(await api.call('/readyz'), UNAVAILABLE)
    t.match(await api.call('/livez'), { status: 200 })
    t.match(await api.whoami(accessToken), { status: 200 })
    t.match(await api.call('/.well-known/jwks.json'), { status: 200 })
  }

  t.test('OPS-03: it is paused', async (t) => {
    proxy.freeze()
    await expectOutage()
    proxy.thaw()
    await t.resolves(untilServed(5))
  })

  t.test('OPS-03: it is down, and comes back', async (t) => {
    await proxy.stop()
    await expectOutage()
    await proxy.start()
    await t.resolves(untilServed(5))
  })

  t.test('OPS-03, OPS-05: it closes all connections repeatedly, as in a restart', async (t) => {
    const admin = new pg.Client({ connectionString: url })
    await admin.connect()
    t.teardown(() => admin.end())
    for (let restart = 0; restart < 5; restart += 1) {
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      await untilServed(2)
    }
    t.match(await api.login({ email, password }), { status: 200 })
  })

  t.test('it is slow: every request is served, but later', async (t) => {
    const refused = refreshers.map(({ unavailable }) => unavailable)
    proxy.delay(50)
    await untilServed(3)
    t.match(await api.login({ email, password }), { status: 200 })
    proxy.delay(0)
    t.strictSame(
      refreshers.map(({ unavailable }) => unavailable),
      refused,
    )
  })

  t.test('REF-07, OPS-03: no session was lost', async (t) => {
    await stop()
    for (const { errors, refreshToken } of refreshers) {
      t.strictSame(errors, [])
      t.match(await api.refresh(refreshToken, { key: 'one-attempt-more' }), { status: 200 })
    }
    t.notMatch(server.said(), /"level":"fatal"/)
    t.equal(await server.stop(), 0)
  })
})
