import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { PrismaPg } from '@prisma/adapter-pg'
import type { FastifyBaseLogger } from 'fastify'
import type pg from 'pg'
import { PrismaClient } from '../../generated/prisma/client.js'
import { claimFolder, claimTree } from '../private-files.js'
import { Problem } from '../problem.js'
import type { Database } from './database.js'
import { createDatabaseFolder, DurableFiles, isDatabaseFolder } from './durable-files.js'
import { createEmbeddedPool } from './embedded-pool.js'
import { guardClient } from './guarded.js'
import { applyMigrations, findPendingMigrations, migrationsBy, type MigrationConnection } from './migrations.js'
import { requireCommits } from './require-commits.js'
import { nameStatements } from './statement-names.js'

export interface EmbeddedOptions {
  /** The directory of the database; null for a database in memory. Acquire its lock (data-directory.ts) first. */
  dataDir: string | null
  log: Pick<FastifyBaseLogger, 'info'>
  deadlineMs?: number
  /** Initial content of a database in memory: a `dumpDataDir`. */
  contents?: Blob
}

/** Free disk space below which work is refused: two segments of the write-ahead log. */
const SPACE_TO_KEEP_BYTES = 32 * 1024 * 1024

/**
 * How many queries and transactions may wait for the one connection: as many as are done in about half a second. More
 * would wait longer than clients do, and delay everything behind them.
 */
export const MAX_WAITING = 150

/** The disk is full, or nearly so. */
class DiskFull extends Error {
  override readonly name = 'DiskFull'
  readonly code = 'ENOSPC'
}

/** Opens the database that lives in this process: Postgres compiled to WebAssembly, with one connection. */
export async function openEmbedded({ dataDir, log, deadlineMs = 2_000, contents }: EmbeddedOptions): Promise<Database> {
  const engine =
    dataDir === null ? new PGlite(contents ? { loadDataDir: contents } : {}) : await openFolder(dataDir, log)
  await engine.waitReady
  const pool = createEmbeddedPool(engine, deadlineMs)
  requireCommits(pool)

  const adapter = new PrismaPg(pool, { statementNameGenerator: nameStatements() })
  const client = new PrismaClient({ adapter, errorFormat: 'minimal' })
  await client.$connect()
  return {
    kind: 'embedded',
    signals: null,
    pool: null,
    ...guardClient(client, {
      deadlineMs,
      beforeTry({ internal = false }) {
        if (!internal) requireRoom(pool)
        if (dataDir !== null) requireSpace(dataDir)
      },
    }),
    maintain: () => writeCheckpoint(pool),
    migrate: () => onMigrationConnection(pool, applyMigrations),
    pendingMigrations: () => onMigrationConnection(pool, findPendingMigrations),
    close: async () => {
      await client.$disconnect()
      if (!pool.ending) await pool.end()
      if (!engine.closed) await engine.close()
    },
  }
}

/** Whether the data directory has a database, of whatever version. */
export function hasEmbeddedDatabase(dataDir: string): boolean {
  return isDatabaseFolder(databaseFolder(dataDir))
}

function databaseFolder(dataDir: string): string {
  return join(dataDir, 'pglite')
}

async function onMigrationConnection(
  pool: pg.Pool,
  work: (connection: MigrationConnection) => Promise<string[]>,
): Promise<string[]> {
  const client = await pool.connect()
  try {
    return await work(migrationsBy(client))
  } finally {
    client.release()
  }
}

async function openFolder(dataDir: string, log: EmbeddedOptions['log']): Promise<PGlite> {
  const folder = databaseFolder(dataDir)
  claimFolder(dataDir)
  // PGlite makes files that everybody may read, now and at each new segment of the log.
  process.umask(0o077)
  if (!isDatabaseFolder(folder)) {
    log.info({ folder }, 'creating the embedded database; this takes a few seconds')
    await createDatabaseFolder(folder)
  }
  claimTree(folder)
  // Durability is never relaxed: PGlite would acknowledge a write before its files have it.
  return new PGlite({ fs: new DurableFiles(folder), startParams: DurableFiles.startParams, relaxedDurability: false })
}

function requireRoom(pool: pg.Pool): void {
  if (pool.waitingCount >= MAX_WAITING) throw new Problem('overloaded', { retryAfterSeconds: 1 })
}

/**
 * A Postgres that cannot make the next segment of its log panics, which in this process is a loop without an end:
 * nothing would be answered any more. So work is refused before that, and taken again as soon as there is space.
 */
function requireSpace(dataDir: string): void {
  const { bavail, bsize } = statfsSync(dataDir)
  if (bavail * bsize < SPACE_TO_KEEP_BYTES) throw new DiskFull('The disk of the embedded database is full.')
}

/** Once a segment of the log has been written since the last checkpoint: until there is one, none is used again. */
async function writeCheckpoint(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ due: boolean }>(`
    SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) > 16777216 AS due FROM pg_control_checkpoint()`)
  // A Postgres that is a server has a process for this.
  if (rows[0]?.due) await pool.query('CHECKPOINT')
}
