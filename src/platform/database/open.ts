import type { FastifyBaseLogger } from 'fastify'
import { lockDataDirectory, type DataDirectoryLock } from './data-directory.js'
import type { Database } from './database.js'
import { HOW_TO_MIGRATE, MigrationError } from './migrations.js'

export interface DatabaseSettings {
  /** Null chooses the embedded database in `dataDir`. */
  url: string | null
  prepared: boolean
  dataDir: string
  /** Whether the embedded database is made where there is none. Else a MigrationError says what to do. */
  create: boolean
  log: FastifyBaseLogger
}

export interface OpenDatabase {
  database: Database
  /** What keeps other processes out of the embedded database and takes the operator's commands; null for Postgres. */
  lock: DataDirectoryLock | null
  close(): Promise<void>
}

/** Opens the database that is set. Throws DataDirectoryInUse where another process holds the embedded one. */
export async function openDatabase({ url, prepared, dataDir, create, log }: DatabaseSettings): Promise<OpenDatabase> {
  // Each kind is loaded only where it is used: the embedded database alone is a Postgres.
  if (url !== null) {
    const { openPostgres } = await import('./postgres.js')
    const database = await openPostgres({ url, prepared, log })
    return { database, lock: null, close: () => database.close() }
  }
  const { hasEmbeddedDatabase, openEmbedded } = await import('./embedded.js')
  // Before the lock, which makes the directory.
  if (!create && !hasEmbeddedDatabase(dataDir)) {
    throw new MigrationError(`There is no database in ${dataDir} yet. ${HOW_TO_MIGRATE}`)
  }
  const lock = await lockDataDirectory(dataDir)
  try {
    const database = await openEmbedded({ dataDir, log })
    return { database, lock, close: () => database.close().finally(() => lock.release()) }
  } catch (error) {
    await lock.release()
    throw error
  }
}
