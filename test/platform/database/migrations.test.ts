import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import t from 'tap'
import { diffMigrations, diagnoseHistory } from '../../../scripts/migration-diff.js'
import {
  applyMigrations,
  findPendingMigrations,
  pendingMigrations,
  readMigrations,
  type Migration,
  type MigrationConnection,
} from '../../../src/platform/database/migrations.js'
import { openPostgres } from '../../../src/platform/database/postgres.js'
import { needsPostgres, openTestDatabase } from '../../support/database.js'

const migration = (name: string, sql = 'SELECT 1'): Migration => ({ name, sql, checksum: `sum of ${sql}` })
const record = (name: string, finished = true) => ({ name, checksum: 'sum of SELECT 1', finished })

const engine = await PGlite.create()
t.teardown(() => engine.close())

t.test('the migrations produce schema.prisma', async (t) => {
  const { upToDate, sql } = await diffMigrations(engine)
  t.ok(upToDate, sql)
})

t.test('pending migrations are found', async (t) => {
  const files = [migration('1'), migration('2'), migration('3')]
  t.strictSame(pendingMigrations(files, []), files)
  t.strictSame(pendingMigrations(files, [record('1'), record('2')]), [files[2]])
  t.strictSame(
    pendingMigrations(
      files,
      files.map(({ name }) => record(name)),
    ),
    [],
  )

  const refuses = (records: ReturnType<typeof record>[], message: RegExp) =>
    t.throws(() => pendingMigrations(files, records), { name: 'MigrationError', message })
  refuses([record('1'), record('4')], /4, which is unknown to this version/)
  refuses([record('1', false)], /1 was started but not finished/)
  refuses([{ ...record('1'), checksum: 'other' }], /1 was changed after it was applied/)
})

t.test('migrations are read in the order of their names', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const name of ['20260102_b', '20260101_a']) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'migration.sql'), 'abc')
  }
  writeFileSync(join(folder, 'migration_lock.toml'), '')
  const checksum = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  t.strictSame(readMigrations(folder), [
    { name: '20260101_a', sql: 'abc', checksum },
    { name: '20260102_b', sql: 'abc', checksum },
  ])
})

t.test('on the embedded database', async (t) => {
  const connection: MigrationConnection = {
    transaction: (work) =>
      engine.transaction((tx) => work({ run: (sql) => tx.exec(sql), query: (sql, values) => tx.query(sql, values) })),
  }
  const recorded = async () =>
    (await engine.query('SELECT migration_name, finished_at FROM _prisma_migrations ORDER BY started_at')).rows

  const all = readMigrations()
  const countTables = async () => (await engine.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).rows.length
  t.strictSame(
    await findPendingMigrations(connection),
    all.map(({ name }) => name),
  )
  t.equal(await countTables(), 0, 'looking for pending migrations creates nothing')
  t.strictSame(
    await applyMigrations(connection),
    all.map(({ name }) => name),
  )
  t.strictSame(await applyMigrations(connection), [], 'nothing is applied twice')
  t.strictSame(await findPendingMigrations(connection), [])

  t.match(
    await diagnoseHistory(engine),
    { hasMigrationsTable: true, history: null, failedMigrationNames: [], editedMigrationNames: [] },
    "Prisma's own engine reports that everything is applied",
  )

  const good = migration('99990101000000_good', 'CREATE TABLE a (); CREATE TABLE b ();')
  const bad = migration('99990102000000_bad', 'CREATE TABLE c (); SELECT nonsense;')
  await t.rejects(applyMigrations(connection, [...all, good, bad]), {
    name: 'MigrationError',
    message: /99990102000000_bad failed and was rolled back.*nonsense/,
  })
  t.equal((await recorded()).length, all.length + 1, 'the good one is kept, and the bad one is not recorded')
  const { rows } = await engine.query("SELECT tablename FROM pg_tables WHERE tablename IN ('a', 'b', 'c') ORDER BY 1")
  t.strictSame(rows, [{ tablename: 'a' }, { tablename: 'b' }], 'nor are there other changes')

  await t.rejects(applyMigrations(connection), /99990101000000_good, which is unknown to this version/)
  await t.rejects(findPendingMigrations(connection), /99990101000000_good, which is unknown to this version/)
  await engine.exec(`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name LIKE '%_good'`)
  t.strictSame(await applyMigrations(connection), [], 'what Prisma marks as rolled back does not count')
})

t.test('on Postgres', { skip: needsPostgres }, async (t) => {
  const { url = '' } = await openTestDatabase()
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  t.teardown(() => admin.end())
  const name = `sallyport_test_migrate_${process.pid}`
  await admin.query(`CREATE DATABASE ${name}`)
  t.teardown(() => admin.query(`DROP DATABASE ${name} WITH (FORCE)`))
  const target = new URL(url)
  target.pathname = name
  // A server with strict limits for other clients.
  await admin.query(`ALTER DATABASE ${name} SET statement_timeout = 100`)
  await admin.query(`ALTER DATABASE ${name} SET lock_timeout = 50`)
  await admin.query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'repeatable read'`)

  const other = new pg.Client({ connectionString: target.href })
  await other.connect()
  await other.query('BEGIN; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(72707369)')

  const migrators = await Promise.all(
    Array.from({ length: 8 }, () => openPostgres({ url: target.href, prepared: true, log: { warn: () => undefined } })),
  )
  const work = Promise.all(migrators.map((migrator) => migrator.migrate()))
  await new Promise((resolve) => setTimeout(resolve, 200))
  await other.query('COMMIT')
  const applied = await work
  await Promise.all(migrators.map((migrator) => migrator.close()))

  const names = readMigrations().map((migration) => migration.name)
  t.strictSame(
    applied.flat().sort(),
    names,
    'eight concurrent migrations produce one history, and wait for each other beyond every limit',
  )
  const { rows } = await other.query<object>(
    `SELECT migration_name, applied_steps_count, logs, finished_at >= started_at AS finished
     FROM _prisma_migrations ORDER BY started_at`,
  )
  t.strictSame(
    rows,
    names.map((migration_name) => ({ migration_name, applied_steps_count: 1, logs: null, finished: true })),
  )
  await other.end()
})
