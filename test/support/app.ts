import type { FastifyBaseLogger } from 'fastify'
import { createApp, type App } from '../../src/app.js'
import { readConfig, type Config } from '../../src/config.js'
import type { FastLaneOptions } from '../../src/features/oauth/oauth.js'
import { isStrong } from '../../src/features/passwords/strength.js'
import { generateSecretKey, type SecretKeys } from '../../src/platform/crypto/secret-keys.js'
import type { PublicGet } from '../../src/platform/http/public-get.js'
import type { Metrics } from '../../src/platform/metrics/metrics.js'
import type { AppInstance } from '../../src/platform/http/app-instance.js'
import { createLogger } from '../../src/platform/http/logging.js'
import { createApi, type Api } from './api.js'
import { createBrowser, type Browser } from './browser.js'
import { createTestClock, type TestClock } from './clock.js'
import { createKeyPool } from './key-pool.js'
import { openTestDatabase, type TestDatabase } from './database.js'

/** The part of a tap test that is used here. */
export interface Test {
  teardown(work: () => Promise<void>): void
}

export interface TestApp {
  app: App
  api: Api
  /** A page of the API's own origin. */
  browser(): Browser
  clock: TestClock
  config: Config
  database: TestDatabase
}

export interface StartOptions {
  /** Settings, as in the environment. */
  settings?: Record<string, string>
  clock?: TestClock
  /** Joins the instances on the file's database, instead of starting on an empty one. */
  join?: boolean
  /** Replaces the file's database, for example to make it fail. */
  database?: TestDatabase
  /** Receives the log, which is otherwise discarded. */
  log?: FastifyBaseLogger
  metrics?: Metrics
  fastLane?: FastLaneOptions
  /** Adds routes of the test after those of the application, under the same rules. */
  routes?: (server: AppInstance) => void
  /**
   * Uses the real strength estimator for new passwords, whose thread takes seconds to start; by default any password is
   * accepted.
   */
  estimatesStrength?: boolean
  /** How documents and keys of clients are fetched; as in production by default. */
  publicGet?: PublicGet
}

/** Shared by a test file's instances: one secret, as for instances on one database. */
export const SECRET_KEY = generateSecretKey()

const rsaKeys = createKeyPool()

/** Starts the whole application on a real, empty database, with a clock that the test moves. */
export async function startApp(t: Test, options: StartOptions = {}): Promise<TestApp> {
  const { settings = {}, clock = createTestClock(), join = false, estimatesStrength = false } = options
  const { database = await openTestDatabase(), log = createLogger({ level: 'silent' }) } = options
  if (!join) {
    await database.empty()
    rsaKeys.startOver()
  }
  // Starts the estimator's thread now, so that the first request does not wait for its dictionaries.
  if (estimatesStrength) await isStrong(SECRET_KEY, { email: 'ada@example.com', name: null })
  const config = withCheapHashes(readConfig({ NODE_ENV: 'test', SECRET_KEY, ...settings }), settings)
  const app = await createApp({
    config,
    secrets: secretsOf(config),
    database,
    clock,
    log,
    metrics: options.metrics,
    fastLane: options.fastLane,
    publicGet: options.publicGet,
    isStrong: estimatesStrength ? undefined : () => Promise.resolve(true),
    generateKey: rsaKeys.generate,
  })
  options.routes?.(app.server)
  await app.server.ready()
  t.teardown(() => {
    // A stop would wait for clients to use them, or close them.
    app.server.server.closeIdleConnections()
    return app.server.close()
  })
  const api = createApi(app.server)
  return { app, api, browser: () => createBrowser(api, { origin: config.server.publicUrl }), clock, config, database }
}

/**
 * Weaker than any setting allows: a fifth of a test run would otherwise be hashes. A test of their cost sets
 * ARGON2_MEMORY_KIB.
 */
function withCheapHashes(config: Config, settings: Record<string, string>): Config {
  if (settings['ARGON2_MEMORY_KIB'] !== undefined) return config
  return { ...config, passwords: { ...config.passwords, argon2MemoryKib: 64, argon2Passes: 1 } }
}

function secretsOf(config: Config): SecretKeys {
  if (config.secretKeys === null) throw new Error('The test must set SECRET_KEY.')
  return config.secretKeys
}
