/** The application: the HTTP server with all features, ready to serve. */
import type { FastifyBaseLogger } from 'fastify'
import { auditEvents } from './audit-events.js'
import type { Config } from './config.js'
import type { Clock } from './platform/clock.js'
import type { SecretKeys } from './platform/crypto/secret-keys.js'
import type { Database } from './platform/database/database.js'
import type { AppInstance } from './platform/http/app-instance.js'
import { createEventStreams } from './platform/http/event-stream.js'
import { createPublicGet, type PublicGet } from './platform/http/public-get.js'
import { createHttpServer } from './platform/http/server.js'
import { noMetrics, type Metrics } from './platform/metrics/metrics.js'
import { measureRequests } from './platform/metrics/request-metrics.js'
import { traceRequests } from './platform/tracing/request-traces.js'
import { noTracing, type Tracing } from './platform/tracing/tracing.js'
import { readVersion } from './platform/version.js'
import { createAddressRules, type AddressRules } from './features/address-rules/address-rules.js'
import { createAudit } from './features/audit/audit.js'
import type { BackchannelLogout } from './features/backchannel-logout/backchannel-logout.js'
import { createSessionCookies } from './features/browser/browser.js'
import type { Providers } from './features/identities/identities.js'
import type { Delivery } from './features/mail/mail.js'
import type { FastLaneOptions } from './features/oauth/oauth.js'
import type { Operations } from './features/operations/operations.js'
import type { Passkeys } from './features/passkeys/passkeys.js'
import type { StrengthCheck } from './features/passwords/passwords.js'
import type { GenerateKey } from './features/tokens/tokens.js'
import type { Revocations } from './features/revocation/revocation.js'
import type { Operator } from './commands/command.js'
import { createMeters, meterReadings } from './meters.js'
import { createFeatures } from './composition.js'
import { mountRoutes } from './routing.js'

export interface AppOptions {
  config: Config
  secrets: SecretKeys
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  /** None by default. */
  metrics?: Metrics | undefined
  /** None by default. */
  tracing?: Tracing | undefined
  /** The ordinary refresh at the token endpoint: it is taken by default. */
  fastLane?: FastLaneOptions | undefined
  /** Judges new passwords; the strength estimator by default. */
  isStrong?: StrengthCheck | undefined
  /** Makes the signing keys; by default new ones. */
  generateKey?: GenerateKey | undefined
  /** How documents and keys of clients are fetched: from the public internet alone by default. */
  publicGet?: PublicGet | undefined
}

export interface App {
  server: AppInstance
  operations: Operations
  revocations: Revocations
  addressRules: AddressRules
  delivery: Delivery
  backchannelLogout: BackchannelLogout
  passkeys: Pick<Passkeys, 'countOrphaned'>
  /** The features that operator commands use. */
  operator: Operator
}

/** Builds the application on a migrated database. It serves requests, and starts no timer. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, secrets, clock, log, metrics = noMetrics, tracing = noTracing } = options
  const { publicGet = createPublicGet(), isStrong, generateKey } = options
  const database = tracing.traced(options.database, { query: 'database query', transaction: 'database transaction' })
  const { publicUrl, corsOrigins, trustProxy } = config.server
  const cookies = createSessionCookies({ publicUrl, ...config.cookies })
  const streams = createEventStreams()
  const count = createMeters(metrics)
  const audit = createAudit({ database, clock, events: auditEvents, ...config.audit, count: count.audit })
  const addressRules = createAddressRules({ database, clock, log, audit })
  const server = await createHttpServer({
    takesTurns: database.kind === 'embedded',
    publicUrl,
    corsOrigins,
    trustProxy,
    blocked: addressRules.blocked,
    elapsedMs: clock.elapsedMs,
    logger: log,
    docs: config.docs,
    version: readVersion(),
    streams,
    cookieNames: cookies.names,
  })
  measureRequests(server, metrics)
  traceRequests(server, tracing, { trustProxy })

  const providers = await openProviders(options, count.provider)
  const foundation = {
    ...{ config, secrets, database, clock, log, tracing, count },
    ...{ audit, addressRules, publicGet, providers },
  }
  const features = await createFeatures({ ...foundation, isStrong, generateKey })
  const {
    keys,
    revocations,
    clients,
    clientRegistration,
    families,
    factors,
    administration,
    operations,
    delivery,
    backchannelLogout,
    hashing,
    passkeys,
  } = features
  meterReadings(metrics, {
    ...{ hashing: hashing.queue, revocations, streams, pool: database.pool },
    ...{ mail: delivery, backchannelLogout },
  })

  await operations.synchronizeClock()
  await keys.maintain()
  await revocations.load()
  await addressRules.load()
  await mountRoutes(server, {
    ...{ config, features, secrets, clock, log, audit, cookies, streams, count, publicGet },
    fastLane: options.fastLane,
  })

  return {
    server,
    operations,
    revocations,
    addressRules,
    delivery,
    backchannelLogout,
    passkeys,
    operator: {
      database,
      audit,
      keys,
      revocations,
      clients,
      clientRegistration,
      families,
      factors,
      administration,
      addressRules,
      secrets,
      delivery,
    },
  }
}

/** The providers with which users sign in, which are loaded only with PROVIDERS; null without it. */
async function openProviders(
  { config: { social }, clock, log }: AppOptions,
  count: ReturnType<typeof createMeters>['provider'],
): Promise<Providers | null> {
  if (social.providers.length === 0) return null
  const { createProviders } = await import('./features/identities/providers/providers.js')
  return createProviders({ settings: social.providers, clock, log, count })
}
