/** The features of the application: each object is built once, in the order in which they depend on each other. */
import type { FastifyBaseLogger } from 'fastify'
import type { auditEvents } from './audit-events.js'
import type { Config } from './config.js'
import { familySettings } from './feature-settings.js'
import type { Clock } from './platform/clock.js'
import type { SecretKeys } from './platform/crypto/secret-keys.js'
import type { Database } from './platform/database/database.js'
import type { PublicGet } from './platform/http/public-get.js'
import type { Tracing } from './platform/tracing/tracing.js'
import {
  createAccount,
  createDisowning,
  createEmailChange,
  createOwnApps,
  createOwnFactors,
  createOwnIdentities,
  createWaysIn,
} from './features/account/account.js'
import { createAccounts } from './features/accounts/accounts.js'
import type { AddressRules } from './features/address-rules/address-rules.js'
import { createAdministration } from './features/administration/administration.js'
import type { Audit } from './features/audit/audit.js'
import { createBackchannelLogout } from './features/backchannel-logout/backchannel-logout.js'
import { createKnownDevices } from './features/browser/browser.js'
import { createClients, createRegistration } from './features/clients/clients.js'
import { createFamilies } from './features/families/families.js'
import { createFactors } from './features/factors/factors.js'
import { createFlows } from './features/flows/flows.js'
import { createAttempts, createIdentities, type Providers } from './features/identities/identities.js'
import { createLimits } from './features/limits/limits.js'
import { createDelivery, createOutbox } from './features/mail/mail.js'
import { createConsents } from './features/oauth/oauth.js'
import { createOperations } from './features/operations/operations.js'
import { createPasskeys } from './features/passkeys/passkeys.js'
import { createHashing, createPasswords, type StrengthCheck } from './features/passwords/passwords.js'
import { createRevocations } from './features/revocation/revocation.js'
import {
  createPasswordReset,
  createReauthentication,
  createSignIn,
  createSocialLogin,
} from './features/sign-in/sign-in.js'
import { createTokens, type GenerateKey } from './features/tokens/tokens.js'
import type { createMeters } from './meters.js'

/** What the features are built on. */
export interface Foundation {
  config: Config
  secrets: SecretKeys
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  tracing: Tracing
  count: ReturnType<typeof createMeters>
  audit: Audit<typeof auditEvents>
  addressRules: AddressRules
  /** How the documents of clients are fetched. */
  publicGet: PublicGet
  /** Those of PROVIDERS; null where it is not set. */
  providers: Providers | null
  /** Judges new passwords; the strength estimator by default. */
  isStrong?: StrengthCheck | undefined
  /** Makes the signing keys; by default new ones. */
  generateKey?: GenerateKey | undefined
}

export type Features = Awaited<ReturnType<typeof createFeatures>>

/** Builds each feature once, in the order in which they depend on each other. */
export async function createFeatures(foundation: Foundation) {
  const { config, secrets, database, clock, log, tracing, count, audit, addressRules, publicGet, providers } =
    foundation
  const limits = createLimits({ database, clock, log, audit, addressRules, enabled: config.rateLimit === 'on' })
  const outbox = createOutbox({ clock, enabled: config.mail.transport !== 'off' })
  const devices = createKnownDevices({ secrets, clock, trustSeconds: config.factors.trustSeconds })
  const tokens = createTokens({
    ...{ database, secrets, clock, audit, ...config.tokens },
    isProvider: config.oauth.enabled,
    generateKey: foundation.generateKey,
  })
  const { keys, accessTokens } = tokens
  const revocations = createRevocations({
    database,
    clock,
    log,
    keys,
    onStale: config.revocation.onStale,
    count: count.revocation,
  })
  const { metadataDocuments, registration, dpop } = config.oauth
  const described = { ...registration, dpop }
  const clients = createClients({
    ...{ database, clock, revocations, audit },
    documents: metadataDocuments ? { get: publicGet, limits, log, rules: described } : null,
  })
  const backchannelLogout = createBackchannelLogout({
    ...{ database, clock, log, audit, keys },
    issuer: config.tokens.issuer,
    enabled: config.oauth.enabled,
    count: count.backchannelLogout,
  })
  const clientRegistration = createRegistration({
    ...{ database, clock, audit, limits },
    create: clients.create,
    settings: described,
  })
  const accounts = createAccounts({ database, clock })
  const families = createFamilies({
    database,
    accounts,
    revocations,
    audit,
    accessTokens,
    secrets,
    clock,
    settings: familySettings(config),
    toldWhenEnded: backchannelLogout.written,
    countRefresh: count.refresh,
  })
  const flows = createFlows({
    ...{ database, secrets, clock, limits, audit, accounts, revocations },
    outbox,
    wakeMail: outbox.wake,
    settings: {
      ...config.flows,
      factorResetSeconds: config.factors.resetDelaySeconds,
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
    isStrong: foundation.isStrong,
  })
  const factors = createFactors({
    ...{ database, secrets, clock, limits, audit, accounts, families, flows },
    mfa: config.mfa,
    appName: config.app.name,
  })
  const passkeys = createPasskeys({
    ...{ database, secrets, clock, audit, accounts, limits, flows, factors },
    settings: { ...config.passkeys, name: config.app.name },
  })
  const attempts = createAttempts({ database, secrets, clock })
  const identities = createIdentities({ clock, audit, flows, providers: providers ?? { find: () => null } })
  const administration = createAdministration({
    database,
    revocations,
    clients,
    accounts,
    families,
    flows,
    audit,
    clock,
    passwords,
    factors,
    passkeys,
    identities,
    resetDelaySeconds: config.factors.resetDelaySeconds,
  })
  const emailChange = createEmailChange({ database, accounts, passwords, flows, audit })
  const waysIn = {
    database,
    revocations,
    accounts,
    families,
    passwords,
    passkeys,
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
    identities,
    countLogin: count.login,
    countSignIn: count.signIn,
  }
  const signIn = createSignIn(waysIn)
  const socialLogin = createSocialLogin({ ...waysIn, social: config.social })
  const passwordReset = createPasswordReset({
    ...{ database, accounts, families, audit, flows, passwords, factors, passkeys, identities, limits },
  })
  const hasOtherWayIn = createWaysIn({ passkeys, identities, flows, methods: config.signInMethods })
  const ownFactors = createOwnFactors({
    ...{ database, accounts, revocations, families, factors, passkeys, flows, audit, hasOtherWayIn },
  })
  const ownIdentities = createOwnIdentities({
    ...{ database, accounts, revocations, families, flows, identities, providers, attempts, hasOtherWayIn },
    social: socialLogin,
  })
  const consents = createConsents({ database, clock })
  const ownApps = createOwnApps({
    ...{ revocations, families },
    known: {
      async namesOf(ids) {
        const known = await Promise.all(ids.map((id) => clients.find(id)))
        return new Map(known.flatMap((client) => (client === null ? [] : [[client.clientId, client.name]])))
      },
      forgetConsent: consents.forget,
    },
  })
  const reauthentication = createReauthentication({
    ...{ database, accounts, families, passwords, factors, passkeys, flows, audit, clock },
    mfa: config.mfa,
  })
  const account = createAccount({
    ...{ revocations, accounts, families, passwords, factors, passkeys, identities, flows, audit, hasOtherWayIn },
  })
  const disowning = createDisowning({ database, accounts, families, passwords, identities, flows, audit })
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
      clients: clients.purge,
      families: families.purge,
      limits: limits.purge,
      flows: flows.purge,
      factors: factors.purge,
      factorResets: administration.carryOutResets,
      passkeys: passkeys.purge,
      attempts: attempts.purge,
      addressRules: addressRules.purge,
      audit: audit.purge,
      oauth: consents.purge,
      backchannelLogout: backchannelLogout.maintain,
      mail: delivery.maintain,
    },
  })

  return {
    ...{
      database,
      limits,
      devices,
      revocations,
      clients,
      clientRegistration,
      accounts,
      families,
      flows,
      delivery,
      backchannelLogout,
      passwords,
      factors,
      passkeys,
      administration,
      emailChange,
      signIn,
      identities,
      socialLogin,
      ...{ providers, attempts },
      passwordReset,
      reauthentication,
      account,
      ownFactors,
      ownIdentities,
      ownApps,
      disowning,
      operations,
      hashing,
    },
    ...{ keys, accessTokens },
  }
}
