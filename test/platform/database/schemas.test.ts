// Tables and queries are where DATABASE_URL or the role says, and who may not create them is told what to grant.

import { randomBytes } from 'node:crypto'
import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import pg from 'pg'
import t from 'tap'
import type { Database } from '../../../src/platform/database/database.js'
import { requireMigrated } from '../../../src/platform/database/migrations.js'
import { openPostgres } from '../../../src/platform/database/postgres.js'
import { namedSchemas } from '../../../src/platform/database/server.js'
import { startApp } from '../../support/app.js'
import { createEmptyDatabase, needsPostgres } from '../../support/database.js'

type Test = Parameters<typeof createEmptyDatabase>[0]

/** A database of its own, and a role of its own that may create tables in the schema `auth` alone. */
async function createDatabaseAndRole(t: Test) {
  const url = await createEmptyDatabase(t)
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  const role = `sallyport_test_${randomBytes(6).toString('hex')}`
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
  await admin.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
  t.teardown(async () => {
    await admin.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
    await admin.end()
  })
  const urlOfRole = (parameters: Record<string, string> = {}) => {
    const own = new URL(url)
    Object.assign(own, { username: role, password: 'secret' })
    for (const [name, value] of Object.entries(parameters)) own.searchParams.set(name, value)
    return own.href
  }
  const tablesIn = async (schema: string) => {
    const { rows } = await admin.query<{ name: string }>(
      'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 ORDER BY 1',
      [schema],
    )
    return rows.map(({ name }) => name)
  }
  return { url, admin, role, urlOfRole, tablesIn }
}

async function open(t: Test, url: string, { prepared = true, warnings = [] as string[] } = {}): Promise<Database> {
  const log = { warn: (message: unknown) => void warnings.push(String(message)) }
  const database = await openPostgres({ url, prepared, limits: { deadlineMs: 10_000 }, log })
  t.teardown(() => database.close())
  return database
}

/** A user signs up, refreshes and signs out: reads and writes by Prisma and in SQL, with enums. */
async function use(t: Test & { equal: (a: unknown, b: unknown) => void }, database: Database) {
  const { api } = await startApp(t, { database: { ...database, empty: () => Promise.resolve() } })
  const { refreshToken, accessToken } = await api.signUp()
  t.equal((await api.refresh(refreshToken)).status, 200)
  t.equal((await api.call('/v1/auth/logout', { method: 'POST', token: accessToken })).status, 204)
}

t.test('a URL names a schema as Prisma, as other drivers, or as libpq does', async (t) => {
  const named = (parameters: string) => namedSchemas(`postgres://h/db?${parameters}`)
  t.strictSame(named('sslmode=disable'), null)
  t.strictSame(named('schema=auth'), ['auth'])
  t.strictSame(named('search_path=auth,public'), ['auth', 'public'])
  t.strictSame(named('search_path="Auth"'), ['Auth'])
  t.strictSame(named('options=-c%20search_path%3Dauth'), ['auth'])
  t.strictSame(named('options=-c%20geqo%3Doff%20-csearch_path%3Dauth%2Cpublic'), ['auth', 'public'])
  t.strictSame(named('options=--search_path%3Dauth'), ['auth'])
  t.strictSame(named('options=-c%20search_path%3D%22%24user%22%2C%5C%20public'), ['$user', 'public'])
  t.strictSame(named('schema='), null)
})

t.test('Postgres', { skip: needsPostgres }, async (t) => {
  const all = ['_prisma_migrations', 'audit_event', 'user']

  t.test('?schema= is created, and everything is in it', async (t) => {
    const { admin, role, urlOfRole, tablesIn } = await createDatabaseAndRole(t)
    await admin.query(`GRANT CREATE ON DATABASE ${new URL(urlOfRole()).pathname.slice(1)} TO ${role}`)
    const url = urlOfRole({ schema: 'Auth 1' })
    const database = await open(t, url)
    t.ok((await database.migrate()).length > 0)
    await use(t, database)
    t.match(new Set(await tablesIn('Auth 1')), new Set(all))
    t.strictSame(await tablesIn('public'), [])

    const again = await open(t, url)
    await requireMigrated(again)
    t.strictSame(await again.migrate(), [])
    t.equal(await again.query((client) => client.user.count()), 1)
  })

  for (const [name, parameters, setRole] of [
    ['search_path in the URL', { search_path: 'auth' }, false],
    ['search_path in the options', { options: '-c search_path=auth,public' }, false],
    ['search_path of the role', {}, true],
  ] as const) {
    t.test(`${name} is where everything is`, async (t) => {
      const { admin, role, urlOfRole, tablesIn } = await createDatabaseAndRole(t)
      await admin.query(`CREATE SCHEMA auth AUTHORIZATION ${role}`)
      if (setRole) await admin.query(`ALTER ROLE ${role} SET search_path = auth`)
      const database = await open(t, urlOfRole(parameters))
      await database.migrate()
      await use(t, database)
      t.match(new Set(await tablesIn('auth')), new Set(all))
      t.strictSame(await tablesIn('public'), [])
      await requireMigrated(await open(t, urlOfRole(parameters)))
    })
  }

  t.test('another application’s records of migrations are not ours', async (t) => {
    const { admin, role, urlOfRole } = await createDatabaseAndRole(t)
    await admin.query(`CREATE TABLE public._prisma_migrations (migration_name text);
      CREATE SCHEMA auth AUTHORIZATION ${role}`)
    const database = await open(t, urlOfRole({ schema: 'auth' }))
    t.ok((await database.pendingMigrations()).length > 0)
    await database.migrate()
    t.strictSame(await database.pendingMigrations(), [])
  })

  t.test('a role that may create nothing is told what to grant, and serves once another has migrated', async (t) => {
    const { url, admin, role, urlOfRole } = await createDatabaseAndRole(t)
    const database = await open(t, urlOfRole())
    await t.rejects(database.migrate(), {
      name: 'MigrationError',
      message: `GRANT USAGE, CREATE ON SCHEMA "public" TO "${role}"`,
    })
    const inOther = await open(t, urlOfRole({ schema: 'other' }))
    await t.rejects(inOther.migrate(), {
      name: 'MigrationError',
      message: `CREATE SCHEMA "other" AUTHORIZATION "${role}"`,
    })
    await (await open(t, url)).migrate()
    await t.rejects(database.migrate(), { name: 'MigrationError', message: 'GRANT SELECT, INSERT, UPDATE, DELETE' })
    await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`)
    t.strictSame(await database.migrate(), [])
    await use(t, database)
  })

  t.test('tables of before, which are in public, are not lost for a name that was ignored', async (t) => {
    const { url, tablesIn } = await createDatabaseAndRole(t)
    await (await open(t, url)).migrate()
    const named = new URL(url)
    named.searchParams.set('schema', 'auth')
    const database = await open(t, named.href)
    await t.rejects(database.migrate(), { name: 'MigrationError', message: /"auth".*are in "public"/ })
    t.strictSame(await tablesIn('auth'), [])
  })

  t.test('a schema that no connection can be told of is given to the role', async (t) => {
    const { admin, role, urlOfRole } = await createDatabaseAndRole(t)
    await admin.query(`CREATE SCHEMA auth AUTHORIZATION ${role}`)
    await t.rejects(open(t, urlOfRole({ schema: 'auth' }), { prepared: false }), {
      name: 'MigrationError',
      message: /ALTER ROLE ".*" IN DATABASE ".*" SET search_path = "auth"$/,
    })
    await admin.query(`ALTER ROLE ${role} SET search_path = auth`)
    const database = await open(t, urlOfRole({ schema: 'auth' }), { prepared: false })
    await database.migrate()
    await use(t, database)
  })

  t.test('a search_path without a schema is told of', async (t) => {
    const { admin, role, urlOfRole } = await createDatabaseAndRole(t)
    await admin.query(`ALTER ROLE ${role} SET search_path = nowhere`)
    await t.rejects(open(t, urlOfRole()), { name: 'MigrationError', message: /search_path of the role .*: nowhere\./ })
  })

  t.test('what a pooler forgets is told of, and nothing where the role has it', async (t) => {
    const { admin, role, urlOfRole } = await createDatabaseAndRole(t)
    const warningsOf = async (url: string, prepared: boolean) => {
      const warnings: string[] = []
      await open(t, url, { prepared, warnings })
      return warnings
    }
    t.strictSame(await warningsOf(urlOfRole(), true), [])
    t.match(await warningsOf(await startPooler(t, urlOfRole()), true), [
      /^a pooler stands .* statement_timeout, .* search_path, named statements and LISTEN: set DATABASE_PREPARED=false/,
    ])
    const [warning = '', ...others] = await warningsOf(urlOfRole(), false)
    t.strictSame(others, [])
    t.match(warning, `ALTER ROLE "${role}" SET lock_timeout = 2000; ALTER ROLE "${role}" SET statement_timeout = 5000`)
    await admin.query(`ALTER ROLE ${role} SET lock_timeout = 2000; ALTER ROLE ${role} SET statement_timeout = 5000;
      ALTER ROLE ${role} SET idle_in_transaction_session_timeout = 10000`)
    t.strictSame(await warningsOf(urlOfRole(), false), [])
  })
})

/** What a pooler does as far as it shows: it answers a new connection with a key of its own (BackendKeyData). */
async function startPooler(t: Test, serverUrl: string): Promise<string> {
  const { hostname, port } = new URL(serverUrl)
  const keyData = Buffer.from([0x4b, 0, 0, 0, 12])
  const listener = createServer((inside) => {
    const outside = connect(Number(port || '5432'), hostname)
    inside.pipe(outside)
    outside.on('data', (bytes) => {
      const at = bytes.indexOf(keyData)
      if (at !== -1) bytes.writeUInt32BE(0x7fffffff, at + keyData.length)
      inside.write(bytes)
    })
    outside.on('end', () => inside.end())
    for (const socket of [inside, outside]) socket.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.teardown(async () => {
    const closed = once(listener, 'close')
    listener.close()
    await closed
  })
  const pooled = new URL(serverUrl)
  pooled.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`
  return pooled.href
}
