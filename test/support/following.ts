import { openPostgres } from '../../src/platform/database/postgres.js'
import { startApp, type StartOptions, type Test, type TestApp } from './app.js'
import { openTestDatabase } from './database.js'

/** Makes an instance follow the revocations, as a process does, until the test has ended. */
export function follow(t: Test, { app }: Pick<TestApp, 'app'>): void {
  const stop = app.revocations.follow()
  t.teardown(stop)
}

/** Another instance on the file's Postgres, with its own connections, that follows the revocations. */
export async function startFollower(
  t: Test,
  { prepared = true, ...options }: StartOptions & { prepared?: boolean } = {},
): Promise<TestApp> {
  const shared = await openTestDatabase()
  if (shared.url === undefined) throw new Error('Several instances need Postgres.')
  const database = await openPostgres({
    url: shared.url,
    prepared,
    poolSize: 3,
    limits: { deadlineMs: 10_000 },
    log: { warn: () => undefined },
  })
  t.teardown(() => database.close())
  const app = await startApp(t, { join: true, ...options, database: { ...shared, ...database } })
  follow(t, app)
  return app
}
