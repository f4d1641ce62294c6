// One database per test file: the embedded one in memory or, with TEST_DATABASE_URL, a new one on that server. It is
// opened once, shared by all tests of the file, and closed after them.

import { createHash, randomBytes } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import type { Database } from '../../src/platform/database/database.js'
import { openEmbedded } from '../../src/platform/database/embedded.js'
import { readEmbeddedTemplate } from '../../src/platform/database/embedded-template.js'
import { readMigrations } from '../../src/platform/database/migrations.js'
import { openPostgres } from '../../src/platform/database/postgres.js'

const serverUrl = process.env.TEST_DATABASE_URL

/** For tap's `skip`: why a test that needs Postgres is skipped, or false if it is not. */
export const needsPostgres: string | false = serverUrl ? false : 'needs Postgres: set TEST_DATABASE_URL'

/** The same for a test of the embedded database, or of a process on it: running it once is enough. */
export const needsEmbedded: string | false = serverUrl ? 'is about the embedded database' : false

export interface TestDatabase extends Database {
  /** Deletes every row. */
  empty(): Promise<void>
  /** The URL of the same database for another process; only on Postgres. */
  url?: string
}

/** A test machine may be busy; the deadline itself has its own tests. */
const deadlineMs = 10_000
const log = { info: () => undefined, warn: () => undefined }

let shared: Promise<TestDatabase> | undefined

/** The test file's database, migrated. Closing it has no effect: it is closed when the file's tests have ended. */
export function openTestDatabase(): Promise<TestDatabase> {
  shared ??= open()
  return shared
}

async function open(): Promise<TestDatabase> {
  const { database, url, discard } = await (serverUrl ? openOnServer(serverUrl) : openInMemory())
  t.teardown(async () => {
    await database.close()
    await discard()
  })
  return {
    ...database,
    ...(url === undefined ? {} : { url }),
    empty: () => empty(database),
    close: () => Promise.resolve(),
  }
}

/** An empty database without tables on the tests' Postgres; it is dropped when the test has ended. */
export async function createEmptyDatabase(test: { teardown(work: () => Promise<void>): void }): Promise<string> {
  if (!serverUrl) throw new Error('A separate database needs Postgres.')
  const name = `sallyport_test_${randomSuffix()}`
  await withServer(serverUrl, (client) => client.query(`CREATE DATABASE ${name}`))
  test.teardown(() =>
    withServer(serverUrl, async (client) => {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    }),
  )
  return urlOf(serverUrl, name)
}

interface Opened {
  database: Database
  url?: string
  discard: () => Promise<unknown>
}

async function openInMemory(): Promise<Opened> {
  const contents = await readEmbeddedTemplate()
  const database = await openEmbedded({ dataDir: null, deadlineMs, ...(contents && { contents }), log })
  // If the build has packed a database, it is already migrated.
  await database.migrate()
  return { database, discard: () => Promise.resolve() }
}

/** A database on the server, copied from a template that has all migrations. */
async function openOnServer(server: string): Promise<Opened> {
  const name = `sallyport_test_${randomSuffix()}`
  await withServer(server, async (client) => {
    const template = await migratedTemplate(client, server)
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`)
  })
  const url = urlOf(server, name)
  const database = await openPostgres({ url, prepared: true, limits: { deadlineMs }, log })
  return {
    database,
    url,
    discard: () => withServer(server, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  }
}

async function migratedTemplate(client: pg.Client, server: string): Promise<string> {
  const template = `sallyport_template_${schemaHash()}`
  const isThere = async () => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [template])
    return rowCount === 1
  }
  if (await isThere()) return template

  await client.query('SELECT pg_advisory_lock(72707370)')
  if (!(await isThere())) {
    const unfinished = `sallyport_test_${randomSuffix()}`
    await client.query(`CREATE DATABASE ${unfinished}`)
    const database = await openPostgres({ url: urlOf(server, unfinished), prepared: true, log })
    await database.migrate()
    await database.close()
    await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`)
    // A database with open connections cannot be copied.
    await client.query(`ALTER DATABASE ${template} ALLOW_CONNECTIONS false`)
  }
  await client.query('SELECT pg_advisory_unlock(72707370)')
  return template
}

async function withServer<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** DELETE instead of TRUNCATE, which creates new files: the tables of a test have few rows. */
async function empty(database: Database): Promise<void> {
  await database.query(
    (client) => client.$executeRaw`
      DO $$
      DECLARE name text;
      BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
        LOOP
          EXECUTE format('DELETE FROM %I', name);
        END LOOP;
      END $$`,
  )
}

/** Changes with the migrations. */
function schemaHash(): string {
  const hash = createHash('sha256')
  for (const { name, checksum } of readMigrations()) hash.update(name).update(checksum)
  return hash.digest('hex').slice(0, 16)
}

function randomSuffix(): string {
  return randomBytes(6).toString('hex')
}

function urlOf(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
