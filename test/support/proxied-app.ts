import { openPostgres, type PostgresLimits } from '../../src/platform/database/postgres.js'
import { startApp, type StartOptions, type TestApp } from './app.js'
import { openTestDatabase } from './database.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

interface Test {
  teardown(work: () => Promise<void>): void
}

/** An instance that uses the file's Postgres through a proxy which the test can break. `database` is not proxied. */
export async function startProxiedApp(
  t: Test,
  options: StartOptions & { limits?: Partial<PostgresLimits> } = {},
): Promise<TestApp & { proxy: TcpProxy }> {
  const { limits, ...startOptions } = options
  const direct = await openTestDatabase()
  if (direct.url === undefined) throw new Error('A proxy needs Postgres.')
  const proxy = await startTcpProxy(direct.url)
  const database = await openPostgres({
    url: proxy.url,
    prepared: true,
    limits: { deadlineMs: 10_000, ...limits },
    log: { warn: () => undefined },
  })
  // Teardown runs in reverse order, and the app needs its database until it is closed.
  t.teardown(async () => {
    await database.close()
    await proxy.stop()
  })
  const app = await startApp(t, { ...startOptions, database: { ...direct, ...database } })
  return { ...app, database: direct, proxy }
}
