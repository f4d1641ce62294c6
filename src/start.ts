import type { Config } from './config.js'
import { createApp, type App } from './app.js'
import type { FastifyBaseLogger } from 'fastify'
import { createClock } from './platform/clock.js'
import type { Metrics } from './platform/metrics/metrics.js'
import type { Tracing } from './platform/tracing/tracing.js'
import { developmentSecretFile, loadOrCreateDevelopmentSecret } from './platform/crypto/development-secret.js'
import type { DataDirectoryLock } from './platform/database/data-directory.js'
import { requireMigrated } from './platform/database/migrations.js'
import { openDatabase } from './platform/database/open.js'

export interface Started {
  app: App
  lock: DataDirectoryLock | null
  /** The file of the generated development secret; null if SECRET_KEY is set. */
  secretFile: string | null
  /** The names of the migrations that were applied. */
  migrated: string[]
  close(): Promise<void>
}

export interface StartOptions {
  /** Whether to migrate the schema; otherwise it must be up to date, and a MigrationError says what to do. */
  migrate: boolean
  metrics?: Metrics | undefined
  tracing?: Tracing | undefined
}

/**
 * Everything that a process needs before it listens or runs a command: the database and its schema, the secret, the
 * app.
 */
export async function start(
  config: Config,
  log: FastifyBaseLogger,
  { migrate, ...watchers }: StartOptions,
): Promise<Started> {
  const { dataDir } = config
  const { prepared } = config.database
  const url = config.database.url?.reveal() ?? null
  const { database, lock, close } = await openDatabase({ url, prepared, dataDir, create: migrate, log })
  try {
    if (!migrate) await requireMigrated(database)
    const migrated = migrate ? await database.migrate() : []
    if (migrated.length > 0) log.info({ applied: migrated }, 'database migrated')
    const secrets = config.secretKeys ?? (await loadOrCreateDevelopmentSecret(dataDir))
    const app = await createApp({ config, secrets, database, clock: createClock(), log, ...watchers })
    const secretFile = config.secretKeys === null ? developmentSecretFile(dataDir) : null
    return { app, lock, secretFile, migrated, close }
  } catch (error) {
    await close()
    throw error
  }
}
