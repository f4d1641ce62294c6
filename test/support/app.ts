import type { FastifyBaseLogger } from 'fastify'
import { createApp, type App } from '../../src/app.js'
import { readConfig, type Config } from '../../src/config.js'
import { isStrong } from '../../src/features/passwords/strength.js'
import { generateSecretKey, type SecretKeys } from '../../src/platform/crypto/secret-keys.js'
import type { Metrics } from '../../src/platform/metrics/metrics.js'
import type { AppInstance } from '../../src/platform/http/app-instance.js'
import { createLogger } from '../../src/platform/http/logging.js'
import { createApi, type Api } from './api.js'
import { createBrowser, type Browser } from './browser.js'
import { createTestClock, type TestClock } from './clock.js'
import { openTestDatabase, type TestDatabase } from './database.js'

/** What of a tap test is used here. */
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
  /** Joins the instances that run on the file's database already, instead of starting on an empty one. */
  join?: boolean
  /** Stands in for the file's database, to fail for example. */
  database?: TestDatabase
  /** Takes what is logged, which else goes nowhere. */
  log?: FastifyBaseLogger
  metrics?: Metrics
  /** Mounts routes of the test's own behind those of the application, and under its rules. */
  routes?: (server: AppInstance) => void
  /** Judges new passwords by the real estimator, whose thread costs seconds; by default any will do. */
  estimatesStrength?: boolean
}

/** What a test file's instances share: one secret, as instances on one database do. */
export const SECRET_KEY = generateSecretKey()

/** Starts the whole application on a real, empty database, with a clock that the test moves. */
export async function startApp(t: Test, options: StartOptions = {}): Promise<TestApp> {
  const { settings = {}, clock = createTestClock(), join = false, estimatesStrength = false } = options
  const { database = await openTestDatabase(), log = createLogger({ level: 'silent' }) } = options
  if (!join) await database.empty()
  // The estimator's thread starts now, so that the first request need not wait for its dictionaries.
  if (estimatesStrength) await isStrong(SECRET_KEY, { email: 'ada@example.com', name: null })
  const config = readConfig({ NODE_ENV: 'test', SECRET_KEY, ...settings })
  const app = await createApp({
    config,
    secrets: secretsOf(config),
    database,
    clock,
    log,
    metrics: options.metrics,
    isStrong: estimatesStrength ? undefined : () => Promise.resolve(true),
  })
  options.routes?.(app.server)
  await app.server.ready()
  t.teardown(() => app.server.close())
  const api = createApi(app.server)
  return { app, api, browser: () => createBrowser(api, { origin: config.server.publicUrl }), clock, config, database }
}

function secretsOf(config: Config): SecretKeys {
  if (config.secretKeys === null) throw new Error('A test sets SECRET_KEY.')
  return config.secretKeys
}
