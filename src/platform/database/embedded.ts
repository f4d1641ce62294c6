import { mkdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite, type Transaction } from '@electric-sql/pglite'
import type { SqlDriverAdapter } from '@prisma/driver-adapter-utils'
import type { FastifyBaseLogger } from 'fastify'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { PrismaClient } from '../../generated/prisma/client.js'
import type { Database } from './database.js'
import { createDatabaseFolder, DurableFiles, isDatabaseFolder } from './durable-files.js'
import { guardClient } from './guarded.js'
import { applyMigrations, findPendingMigrations, type MigrationConnection } from './migrations.js'

export interface EmbeddedOptions {
  /** Where the database's folder is; null keeps everything in memory. Hold the lock on it (data-directory.ts) first. */
  dataDir: string | null
  log: Pick<FastifyBaseLogger, 'info'>
  deadlineMs?: number
  /** What the memory starts with: an earlier `dumpDataDir`. */
  contents?: Blob
}

/** What is left of the disk when the database takes no more work, for two segments of its log. */
const SPACE_TO_KEEP_BYTES = 32 * 1024 * 1024

/** The disk is full, or nearly so. */
class DiskFull extends Error {
  override readonly name = 'DiskFull'
  readonly code = 'ENOSPC'
}

/** Opens the database that lives in this process: Postgres compiled to WebAssembly, with one connection. */
export async function openEmbedded({ dataDir, log, deadlineMs = 2_000, contents }: EmbeddedOptions): Promise<Database> {
  const engine =
    dataDir === null ? new Engine(contents ? { loadDataDir: contents } : {}) : await openFolder(dataDir, log)
  await engine.waitReady
  // Times are written and read without a zone, so the session has to think in the one that Prisma thinks in.
  await engine.exec(`SET TIME ZONE 'UTC'`)

  const client = new PrismaClient({ adapter: new EmbeddedAdapterFactory(engine), errorFormat: 'minimal' })
  await client.$connect()
  const migrationConnection: MigrationConnection = {
    transaction: (work) =>
      engine.transaction((tx) => work({ run: (sql) => tx.exec(sql), query: (sql, values) => tx.query(sql, values) })),
  }
  return {
    kind: 'embedded',
    signals: null,
    pool: null,
    ...guardClient(client, { deadlineMs, ...(dataDir === null ? {} : { beforeTry: () => requireSpace(dataDir) }) }),
    maintain: () => writeCheckpoint(engine),
    migrate: () => applyMigrations(migrationConnection),
    pendingMigrations: () => findPendingMigrations(migrationConnection),
    close: async () => {
      await client.$disconnect()
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

async function openFolder(dataDir: string, log: EmbeddedOptions['log']): Promise<Engine> {
  const folder = databaseFolder(dataDir)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (!isDatabaseFolder(folder)) {
    log.info({ folder }, 'making the embedded database, which takes some seconds once')
    await createDatabaseFolder(folder)
  }
  // Durability is never relaxed: PGlite would acknowledge a write before its files have it.
  return new Engine({ fs: new DurableFiles(folder), startParams: DurableFiles.startParams, relaxedDurability: false })
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
async function writeCheckpoint(engine: PGlite): Promise<void> {
  const { rows } = await engine.query<{ due: boolean }>(`
    SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) > 16777216 AS due FROM pg_control_checkpoint()`)
  // A Postgres that is a server has a process for this.
  if (rows[0]?.due) await engine.exec('CHECKPOINT')
}

/** PGlite that tells how the transaction ended that was begun last. There is one connection, and so one at a time. */
class Engine extends PGlite {
  lastOutcome: Promise<unknown> = Promise.resolve()

  override transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const outcome = super.transaction((tx) => {
      this.lastOutcome = outcome
      return work(tx)
    })
    return outcome
  }
}

/** The adapter, but for one fault: it takes a COMMIT that failed, on a full disk for example, for one that worked. */
class EmbeddedAdapterFactory extends PrismaPGlite {
  readonly #engine: Engine

  constructor(engine: Engine) {
    super(engine)
    this.#engine = engine
  }

  override async connect(): Promise<SqlDriverAdapter> {
    const adapter = await super.connect()
    const startTransaction = adapter.startTransaction.bind(adapter)
    adapter.startTransaction = async (isolationLevel) => {
      const transaction = await startTransaction(isolationLevel)
      const outcome = this.#engine.lastOutcome
      const commit = transaction.commit.bind(transaction)
      transaction.commit = async () => {
        await commit()
        await outcome
      }
      return transaction
    }
    return adapter
  }
}
