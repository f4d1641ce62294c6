/** The composition root: builds each object once and mounts each feature, in the order in which they depend on each other. */
import type { FastifyBaseLogger } from 'fastify'
import { auditEvents } from './audit-events.js'
import type { Config } from './config.js'
import { familySettings, pageSettings } from './feature-settings.js'
import type { Clock } from './platform/clock.js'
import type { SecretKeys } from './platform/crypto/secret-keys.js'
import type { Database } from './platform/database/database.js'
import { guardRoutes } from './platform/http/access.js'
import type { AppInstance } from './platform/http/app-instance.js'
import { createEventStreams } from './platform/http/event-stream.js'
import { createHttpServer } from './platform/http/server.js'
import { noMetrics, type Metrics } from './platform/metrics/metrics.js'
import { measureRequests } from './platform/metrics/request-metrics.js'
import { traceRequests } from './platform/tracing/request-traces.js'
import { noTracing, type Tracing } from './platform/tracing/tracing.js'
import { readVersion } from './platform/version.js'
import { accessProblems, createAccess, createSignedInCheck } from './features/access/access.js'
import { mountAccessRoutes } from './features/access/routes.js'
import { createAccount, createDisowning, createEmailChange } from './features/account/account.js'
import { mountDisowningRoutes } from './features/account/disowning-routes.js'
import { mountEmailRoutes } from './features/account/email-routes.js'
import { mountAccountRoutes } from './features/account/routes.js'
import { createAccounts } from './features/accounts/accounts.js'
import { createAddressRules, type AddressRules } from './features/address-rules/address-rules.js'
import { createAdministration } from './features/administration/administration.js'
import { createAudit } from './features/audit/audit.js'
import { createUserEvents } from './features/events/events.js'
import { mountEventRoutes } from './features/events/routes.js'
import {
  createDeviceCookie,
  createDoor,
  createFlowCookie,
  createKnownDevices,
  createSessionCookies,
  guardAgainstCrossSite,
} from './features/browser/browser.js'
import { mountBrowserRoutes } from './features/browser/routes.js'
import { createVerifierAccess, createVerifierDetection } from './features/clients/clients.js'
import { createFamilies } from './features/families/families.js'
import { createFactors } from './features/factors/factors.js'
import { createFlows } from './features/flows/flows.js'
import { createGateway } from './features/gateway/gateway.js'
import { mountGatewayRoutes } from './features/gateway/routes.js'
import { createLimits } from './features/limits/limits.js'
import { createDelivery, createOutbox, type Delivery } from './features/mail/mail.js'
import { mountMailRoutes } from './features/mail/routes.js'
import { createOAuth } from './features/oauth/oauth.js'
import { mountOAuthRoutes } from './features/oauth/routes.js'
import { createOperations, type Operations } from './features/operations/operations.js'
import { mountOperationsRoutes } from './features/operations/routes.js'
import { createHashing, createPasswords, type StrengthCheck } from './features/passwords/passwords.js'
import { createRevocations, type Revocations } from './features/revocation/revocation.js'
import { mountRevocationRoutes } from './features/revocation/routes.js'
import { mountRecoveryRoutes } from './features/sign-in/recovery-routes.js'
import { createPasswordReset, createSignIn } from './features/sign-in/sign-in.js'
import { mountSignInRoutes } from './features/sign-in/routes.js'
import { createTokens } from './features/tokens/tokens.js'
import { mountTokenRoutes } from './features/tokens/routes.js'
import { mountPages } from './pages/pages.js'
import type { Operator } from './commands/command.js'
import { createMeters, meterReadings } from './meters.js'

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
  /** Judges new passwords; the strength estimator by default. */
  isStrong?: StrengthCheck | undefined
}

export interface App {
  server: AppInstance
  operations: Operations
  revocations: Revocations
  addressRules: AddressRules
  delivery: Delivery
  /** The features that operator commands use. */
  operator: Operator
}

/** Builds the application on a migrated database. It serves requests, and starts no timer. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, secrets, clock, log, metrics = noMetrics, tracing = noTracing } = options
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

  const limits = createLimits({ database, clock, log, audit, addressRules, enabled: config.rateLimit === 'on' })
  const outbox = createOutbox({ clock, enabled: config.mail.transport !== 'off' })
  const devices = createKnownDevices({ secrets, clock, trustSeconds: config.factors.trustSeconds })
  const tokens = createTokens({ database, secrets, clock, audit, ...config.tokens })
  const { keys, accessTokens } = tokens
  const revocations = createRevocations({
    database,
    clock,
    log,
    keys,
    onStale: config.revocation.onStale,
    count: count.revocation,
  })
  const accounts = createAccounts({ database, clock })
  const families = createFamilies({
    database,
    revocations,
    audit,
    accessTokens,
    secrets,
    clock,
    settings: familySettings(config),
    countRefresh: count.refresh,
  })
  const flows = createFlows({
    ...{ database, secrets, clock, limits, audit, accounts, revocations },
    outbox,
    wakeMail: outbox.wake,
    settings: {
      ...config.flows,
      linkUrl: config.links.url,
      linkStyle: config.links.style,
      sendsMail: config.mail.transport !== 'off',
    },
  })
  const delivery = await createDelivery({
    ...{ database, clock, log, outbox },
    source: flows.mailSource,
    settings: { ...config.mail, app: config.app },
    count: count.mail,
  })
  const hashing = tracing.traced(await createHashing({ ...config.passwords, clock, observer: count.hashing }), {
    hash: 'password hash',
    verify: 'password check',
  })
  const passwords = createPasswords({
    database,
    revocations,
    accounts,
    audit,
    limits,
    hashing,
    minLength: config.passwords.minLength,
    refusesExamples: config.passwords.refusesExamples,
    isStrong: options.isStrong,
  })
  const factors = createFactors({
    ...{ database, secrets, clock, limits, audit, accounts, families, flows },
    mfa: config.mfa,
    appName: config.app.name,
  })
  const administration = createAdministration({
    database,
    revocations,
    accounts,
    families,
    flows,
    audit,
    clock,
    passwords,
  })
  const emailChange = createEmailChange({ database, accounts, passwords, flows, audit })
  const signIn = createSignIn({
    database,
    revocations,
    accounts,
    families,
    passwords,
    audit,
    limits,
    flows,
    devices,
    clock,
    registration: config.registration,
    verification: config.emailVerification,
    methods: config.signInMethods,
    mfa: config.mfa,
    factors,
    countLogin: count.login,
  })
  const operations = createOperations({
    database,
    clock,
    log,
    revocations,
    mailHealth: delivery.health,
    maintenanceTasks: {
      database: database.maintain,
      keys: keys.maintain,
      revocations: revocations.purge,
      families: families.purge,
      limits: limits.purge,
      flows: flows.purge,
      factors: factors.purge,
      addressRules: addressRules.purge,
      audit: audit.purge,
      mail: delivery.maintain,
    },
  })

  meterReadings(metrics, { hashing: hashing.queue, revocations, streams, pool: database.pool, mail: delivery })

  await operations.synchronizeClock()
  await keys.maintain()
  await revocations.load()
  await addressRules.load()

  const flowCookie = createFlowCookie({ publicUrl, ...config.cookies })
  const crossSite = guardAgainstCrossSite(server, { cookies, flowCookie, publicUrl, corsOrigins })
  const authenticate = createAccess({
    ...{ accessTokens, revocations, families, limits, cookies, clock },
    isVerifier: createVerifierDetection(config.revocation.verifierKeys),
  })
  guardRoutes(server, {
    authenticate,
    problemsOf: accessProblems,
    requireVerifier: createVerifierAccess(config.revocation.verifierKeys),
  })
  mountTokenRoutes(server, { keys })
  mountRevocationRoutes(server, { revocations, streams })
  mountAccessRoutes(server)
  mountGatewayRoutes(server, { gateway: createGateway({ accounts, headers: config.gateway.headers }) })
  const deviceCookie = createDeviceCookie({ publicUrl, ...config.cookies })
  const door = createDoor({ ...{ cookies, devices, deviceCookie, clock }, ...crossSite, parse: families.parse })
  const findSignedIn = createSignedInCheck({ authenticate, families, cookies })
  const confirmAddress = { ...signIn.confirmAddress, email_change: emailChange.confirm }
  mountSignInRoutes(server, { signIn, flows, flowCookie, door, findSignedIn, confirmAddress })
  const passwordReset = createPasswordReset({ database, accounts, families, audit, flows, passwords, limits })
  mountRecoveryRoutes(server, { passwordReset, crossSite, flowCookie, devices, deviceCookie })
  mountEventRoutes(server, { userEvents: createUserEvents({ revocations, families, clock, log }), streams })
  mountOAuthRoutes(server, {
    oauth: createOAuth({ accessTokens, revocations, families }),
    keys,
    issuer: config.tokens.issuer,
    publicUrl,
    docs: config.docs,
  })
  mountBrowserRoutes(server, {
    families,
    accessTokens,
    cookies,
    limits,
    clock,
    countForged: () => count.refresh('forged'),
  })
  const account = createAccount({ accounts, families, passwords, flows, audit })
  mountAccountRoutes(server, { account, emailChange, families, cookies, clock })
  mountEmailRoutes(server, { emailChange, crossSite, flowCookie })
  const disowning = createDisowning({ database, accounts, families, passwords, flows, audit })
  mountDisowningRoutes(server, { disowning, crossSite, flowCookie })
  mountOperationsRoutes(server, { operations })
  if (delivery.inbox) mountMailRoutes(server, { inbox: delivery.inbox })
  if (config.pages.enabled) {
    await mountPages(server, {
      ...{ signIn, account, families, flows, cookies, door, flowCookie, authenticate, findSignedIn, confirmAddress },
      ...{ emailChange, disowning, passwordReset, devices, secrets, clock, methods: config.signInMethods },
      inbox: delivery.inbox,
      ...pageSettings(config),
    })
  }

  return {
    server,
    operations,
    revocations,
    addressRules,
    delivery,
    operator: { database, audit, keys, revocations, families, administration, addressRules, secrets, delivery },
  }
}
