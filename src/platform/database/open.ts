import type { FastifyBaseLogger } from 'fastify'
import { lockDataDirectory, type DataDirectoryLock } from './data-directory.js'
import type { Database } from './database.js'

export interface DatabaseSettings {
  /** Null chooses the embedded database in `dataDir`. */
  url: string | null
  prepared: boolean
  dataDir: string
  log: FastifyBaseLogger
}

export interface OpenDatabase {
  database: Database
  /** What keeps other processes out of the embedded database and takes the operator's commands; null for Postgres. */
  lock: DataDirectoryLock | null
  close(): Promise<void>
}

/** Opens the database that is set. Throws DataDirectoryInUse where another process holds the embedded one. */
export async function openDatabase({ url, prepared, dataDir, log }: DatabaseSettings): Promise<OpenDatabase> {
  // Each kind is loaded only where it is used: the embedded database alone is a Postgres.
  if (url !== null) {
    const { openPostgres } = await import('./postgres.js')
    const database = await openPostgres({ url, prepared, log })
    return { database, lock: null, close: () => database.close() }
  }
  const lock = await lockDataDirectory(dataDir)
  try {
    const { openEmbedded } = await import('./embedded.js')
    const database = await openEmbedded({ dataDir, log })
    return { database, lock, close: () => database.close().finally(() => lock.release()) }
  } catch (error) {
    await lock.release()
    throw error
  }
}
