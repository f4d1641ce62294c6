// Applies prisma/migrations without Prisma's migration engine, which would have to be downloaded. The records are those
// that the engine writes, so that `prisma migrate` and this runner can be used interchangeably.

import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { z } from 'zod'

/** The number of the advisory lock of Prisma's own engine. */
const advisoryLock = 72707369

// The same distance from src/ and from dist/.
const migrationsFolder = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url))

export interface Migration {
  name: string
  sql: string
  /** SHA-256 of the file's bytes, in lower-case hex. */
  checksum: string
}

const recordSchema = z.object({ name: z.string(), checksum: z.string(), finished: z.boolean() })

/** A row of `_prisma_migrations` that has not been rolled back. */
export type MigrationRecord = z.infer<typeof recordSchema>

/** The part of a connection that migrations use; both drivers have it. */
export interface MigrationSession {
  /** Runs a text that may contain several statements. */
  run(sql: string): Promise<unknown>
  query(sql: string, values: unknown[]): Promise<{ rows: unknown[] }>
}

export interface MigrationConnection {
  transaction<T>(work: (session: MigrationSession) => Promise<T>): Promise<T>
}

/** Migrates over a connection of pg that nothing else uses. Migrations have no timeout. */
export function migrationsBy(client: pg.ClientBase): MigrationConnection {
  return {
    transaction: async (work) => {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      try {
        await client.query(
          'SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0',
        )
        const result = await work({
          run: (sql) => client.query(sql),
          query: (sql, values) => client.query(sql, values),
        })
        await client.query('COMMIT')
        return result
      } catch (error) {
        await client.query('ROLLBACK').catch(() => undefined)
        throw error
      }
    },
  }
}

/** The migrations do not match the database's records, or one of them failed and was rolled back. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

/** Every migration of a folder, in the order in which they apply. */
export function readMigrations(folder = migrationsFolder): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(folder, name, 'migration.sql'))
      return { name, sql: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') }
    })
}

/** The pending migrations. Throws a MigrationError if the records have a different history. */
export function pendingMigrations(migrations: Migration[], records: MigrationRecord[]): Migration[] {
  for (const record of records) {
    const migration = migrations.find(({ name }) => name === record.name)
    if (!migration) {
      throw new MigrationError(
        `The database has the migration ${record.name}, which is unknown to this version. It was migrated by a newer ` +
          'version of Sallyport: use that version.',
      )
    }
    if (!record.finished) {
      throw new MigrationError(
        `The migration ${record.name} was started but not finished. Inspect the database, then use ` +
          '"npx prisma migrate resolve" to mark it as applied or rolled back.',
      )
    }
    if (migration.checksum !== record.checksum) {
      throw new MigrationError(
        `The migration ${record.name} was changed after it was applied. Restore the file: a schema change ` +
          'requires a new migration.',
      )
    }
  }
  return migrations.filter(({ name }) => !records.some((record) => record.name === name))
}

/**
 * Applies the pending migrations and returns their names. Each one runs in a transaction with its record, under a lock
 * that is released with the transaction, and therefore works through any pooler.
 */
export async function applyMigrations(
  connection: MigrationConnection,
  migrations: Migration[] = readMigrations(),
): Promise<string[]> {
  const applied: string[] = []
  for (;;) {
    const name = await connection.transaction((session) => applyNext(session, migrations))
    if (name === null) return applied
    applied.push(name)
  }
}

/** The names of the pending migrations. Changes nothing; throws as `applyMigrations` does. */
export function findPendingMigrations(
  connection: MigrationConnection,
  migrations: Migration[] = readMigrations(),
): Promise<string[]> {
  return connection.transaction(async (session) => {
    const records = (await hasRecords(session)) ? await readRecords(session) : []
    return pendingMigrations(migrations, records).map(({ name }) => name)
  })
}

/** Throws a MigrationError unless the schema is exactly the one of this version. Changes nothing. */
export async function requireMigrated(database: { pendingMigrations(): Promise<string[]> }): Promise<void> {
  const pending = await database.pendingMigrations()
  if (pending.length === 0) return
  throw new MigrationError(`The database is missing migrations: ${pending.join(', ')}. ${HOW_TO_MIGRATE}`)
}

export const HOW_TO_MIGRATE = 'Run "npm run migrate" (with the package: "sallyport migrate"), or start the server once.'

/** Makes other processes wait until this transaction has ended. The statements that follow see what they committed. */
export async function lockMigrations(session: MigrationSession): Promise<void> {
  // A separate statement, because the records must be read with a snapshot taken after the wait.
  await session.run(`SELECT pg_advisory_xact_lock(${advisoryLock})`)
}

async function applyNext(session: MigrationSession, migrations: Migration[]): Promise<string | null> {
  await lockMigrations(session)
  // A role without the right to create tables can serve after another role has migrated.
  if (!(await hasRecords(session))) await session.run(recordsTable)
  const [next] = pendingMigrations(migrations, await readRecords(session))
  if (!next) return null

  const id = randomUUID()
  // Not now(), which is the time before the wait for the lock: the history is ordered by these times.
  await session.query(
    `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at) VALUES ($1, $2, $3, clock_timestamp())`,
    [id, next.checksum, next.name],
  )
  try {
    await session.run(next.sql)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new MigrationError(`The migration ${next.name} failed and was rolled back: ${reason}`, { cause: error })
  }
  await session.query(
    `UPDATE "_prisma_migrations" SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1`,
    [id],
  )
  return next.name
}

const recordsTable = `
  CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    id VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL,
    logs TEXT,
    rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`

/** Whether this schema has been migrated; another application may have its records in another schema. */
async function hasRecords(session: MigrationSession): Promise<boolean> {
  const { rows } = await session.query(
    `SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = '_prisma_migrations'`,
    [],
  )
  return rows.length > 0
}

async function readRecords(session: MigrationSession): Promise<MigrationRecord[]> {
  const { rows } = await session.query(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
     FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY started_at`,
    [],
  )
  return rows.map((row) => recordSchema.parse(row))
}
