/** The routes of the application: credentials of browsers, the guard of every route, and what each feature mounts. */
import type { FastifyBaseLogger } from 'fastify'
import type { auditEvents } from './audit-events.js'
import type { Config } from './config.js'
import { pageSettings, providerSettings } from './feature-settings.js'
import type { Clock } from './platform/clock.js'
import type { PublicGet } from './platform/http/public-get.js'
import type { SecretKeys } from './platform/crypto/secret-keys.js'
import { guardRoutes } from './platform/http/access.js'
import type { AppInstance } from './platform/http/app-instance.js'
import type { EventStreams } from './platform/http/event-stream.js'
import type { ReadReturnTo } from './platform/http/return-url.js'
import { accessProblems, createAccess, createSignedInCheck } from './features/access/access.js'
import { mountAccessRoutes } from './features/access/routes.js'
import { mountDisowningRoutes } from './features/account/disowning-routes.js'
import { mountEmailRoutes } from './features/account/email-routes.js'
import { mountIdentityRoutes } from './features/account/identity-routes.js'
import { mountFactorRoutes } from './features/account/factor-routes.js'
import { mountAccountRoutes } from './features/account/routes.js'
import type { Audit } from './features/audit/audit.js'
import { createUserEvents } from './features/events/events.js'
import { mountEventRoutes } from './features/events/routes.js'
import {
  createDeviceCookie,
  createDoor,
  createFlowCookie,
  createSocialCookie,
  guardAgainstCrossSite,
  type Door,
  type FlowCookie,
  type SessionCookies,
  type SocialCookie,
} from './features/browser/browser.js'
import { mountBrowserRoutes } from './features/browser/routes.js'
import { createVerifierAccess, createVerifierDetection } from './features/clients/clients.js'
import { createGateway } from './features/gateway/gateway.js'
import { mountGatewayRoutes } from './features/gateway/routes.js'
import { mountMailRoutes } from './features/mail/routes.js'
import { createOAuth, type FastLaneOptions, type OpenIdProvider } from './features/oauth/oauth.js'
import { mountProviderRoutes } from './features/oauth/provider/routes.js'
import { mountRegistrationRoutes } from './features/oauth/registration-routes.js'
import { mountOAuthRoutes } from './features/oauth/routes.js'
import { mountOperationsRoutes } from './features/operations/routes.js'
import { mountPasskeyRoutes } from './features/passkeys/routes.js'
import { mountRevocationRoutes } from './features/revocation/routes.js'
import { mountReauthenticationRoutes } from './features/sign-in/reauthentication-routes.js'
import { mountRecoveryRoutes } from './features/sign-in/recovery-routes.js'
import { mountProviderList } from './features/sign-in/provider-list.js'
import { mountSignInRoutes } from './features/sign-in/routes.js'
import { mountTokenRoutes } from './features/tokens/routes.js'
import { mountPages, type MountSocial } from './pages/pages.js'
import { createReturnTo } from './pages/return-to.js'
import type { createMeters } from './meters.js'
import type { Features } from './composition.js'

export interface RoutingOptions {
  config: Config
  features: Features
  secrets: SecretKeys
  clock: Clock
  log: FastifyBaseLogger
  audit: Audit<typeof auditEvents>
  cookies: SessionCookies
  streams: EventStreams
  count: ReturnType<typeof createMeters>
  fastLane: FastLaneOptions | undefined
  /** How the keys of clients are fetched. */
  publicGet: PublicGet
}

/** Mounts the routes of each feature, and the pages. */
export async function mountRoutes(server: AppInstance, options: RoutingOptions): Promise<void> {
  const { config, features, secrets, clock, log, cookies, streams, count } = options
  const { publicUrl, corsOrigins } = config.server
  const {
    database,
    limits,
    devices,
    revocations,
    clients,
    accounts,
    families,
    flows,
    delivery,
    passkeys,
    emailChange,
    signIn,
    passwordReset,
    reauthentication,
    account,
    ownFactors,
    ownIdentities,
    ownApps,
    disowning,
    operations,
    keys,
    accessTokens,
  } = features
  const flowCookie = createFlowCookie({ publicUrl, ...config.cookies })
  const crossSite = guardAgainstCrossSite(server, { cookies, flowCookie, publicUrl, corsOrigins })
  const verifiers = { keys: config.revocation.verifierKeys, clients }
  const requireVerifier = createVerifierAccess(verifiers)
  const authenticate = createAccess({
    ...{ accessTokens, revocations, families, limits, cookies, clock, mfa: config.mfa },
    isVerifier: createVerifierDetection(verifiers),
  })
  guardRoutes(server, { authenticate, problemsOf: accessProblems, requireVerifier })
  mountTokenRoutes(server, { keys })
  mountRevocationRoutes(server, { revocations, streams, requireVerifier })
  mountAccessRoutes(server)
  mountGatewayRoutes(server, { gateway: createGateway({ accounts, headers: config.gateway.headers }) })
  const deviceCookie = createDeviceCookie({ publicUrl, ...config.cookies })
  const door = createDoor({ ...{ cookies, devices, deviceCookie, clock }, ...crossSite, parse: families.parse })
  const findSignedIn = createSignedInCheck({ authenticate, families, cookies })
  const confirmAddress = { ...signIn.confirmAddress, email_change: emailChange.confirm }
  mountSignInRoutes(server, { signIn, flows, flowCookie, door, findSignedIn, confirmAddress })
  const readReturnTo = createReturnTo(config.pages.returnTo, { ownPages: config.pages.enabled })
  const socialCookie = createSocialCookie({ publicUrl, ...config.cookies })
  const mountSocial = await createSocial(server, options, { door, flowCookie, socialCookie, readReturnTo })
  mountReauthenticationRoutes(server, { reauthentication, door, cookies })
  mountRecoveryRoutes(server, { passwordReset, crossSite, flowCookie, devices, deviceCookie })
  mountPasskeyRoutes(server, { passkeys, accounts, database, relyingParty: config.passkeys })
  mountEventRoutes(server, { userEvents: createUserEvents({ revocations, families, clock, log }), streams })
  mountOAuthRoutes(server, {
    oauth: createOAuth({ accessTokens, revocations, families, clients }),
    keys,
    issuer: config.tokens.issuer,
    publicUrl,
    docs: config.docs,
    isProvider: config.oauth.enabled,
    registers: config.oauth.registration.mode !== 'off',
    dpop: config.oauth.dpop,
    metadataDocuments: config.oauth.metadataDocuments,
  })
  if (config.oauth.registration.mode !== 'off') mountRegistrationRoutes(server, features.clientRegistration)
  const provider = await createProvider(options)
  if (provider !== null) mountProviderRoutes(server, provider)
  mountBrowserRoutes(server, {
    families,
    accessTokens,
    cookies,
    limits,
    clock,
    countForged: () => count.refresh('forged'),
  })
  mountAccountRoutes(server, { account, emailChange, families, ownApps, cookies, clock })
  mountFactorRoutes(server, { ownFactors, families, cookies, clock, mfa: config.mfa })
  mountIdentityRoutes(server, { ownIdentities, providers: features.providers, socialCookie, readReturnTo, publicUrl })
  mountEmailRoutes(server, { emailChange, crossSite, flowCookie })
  mountDisowningRoutes(server, { disowning, crossSite, flowCookie })
  mountOperationsRoutes(server, { operations })
  if (delivery.inbox) mountMailRoutes(server, { inbox: delivery.inbox })
  if (config.pages.enabled) {
    await mountPages(server, {
      ...{ signIn, account, families, flows, cookies, door, flowCookie, authenticate, findSignedIn, confirmAddress },
      ...{ emailChange, disowning, passwordReset, devices, secrets, clock, methods: config.signInMethods },
      ...{ ownFactors, ownApps, ownIdentities, reauthentication, socialCookie, providers: features.providers },
      ...{ inbox: delivery.inbox, provider, mountSocial },
      ...pageSettings(config),
    })
  } else mountSocial?.(server)
}

/** What the routes of sign-ins at other providers share with those of others. */
interface SocialDoor {
  door: Door
  flowCookie: FlowCookie
  socialCookie: SocialCookie
  readReturnTo: ReadReturnTo
}

/**
 * Signing in at other providers, which is loaded only with PROVIDERS; returns what mounts the browser's way there and back,
 * which pages answer where there are some.
 */
async function createSocial(
  server: AppInstance,
  { config, features, clock, audit, count }: RoutingOptions,
  { door, flowCookie, socialCookie, readReturnTo }: SocialDoor,
): Promise<MountSocial | null> {
  const { publicUrl } = config.server
  const { database, limits, providers, attempts, socialLogin } = features
  const { revocations, accounts, families, flows, identities } = features
  mountProviderList(server, { providers, publicUrl })
  if (providers === null) return null
  const [{ createSocialFlow }, { mountSocialRoutes }, { mountSocialTokenRoutes }] = await Promise.all([
    import('./features/sign-in/social-flow.js'),
    import('./features/sign-in/social-routes.js'),
    import('./features/sign-in/social-token-routes.js'),
  ])
  const [{ createProviderNotices }, { mountNoticeRoutes }] = await Promise.all([
    import('./features/account/provider-notices.js'),
    import('./features/account/social-notice-routes.js'),
  ])
  const social = createSocialFlow({
    ...{ database, clock, audit, limits, providers, attempts, socialLogin, readReturnTo, publicUrl },
    defaultReturnTo: config.pages.enabled ? '/account' : null,
    countLogin: count.login,
  })
  const routes = { social, socialCookie, flowCookie, door }
  mountSocialTokenRoutes(server, routes)
  const notices = createProviderNotices({
    ...{ database, revocations, accounts, families, flows, identities, providers, attempts, limits, audit },
  })
  mountNoticeRoutes(server, { notices, door })
  return (scope, steps) => mountSocialRoutes(scope, routes, steps)
}

/** The OpenID provider, whose library is loaded only where it is turned on. */
async function createProvider(options: RoutingOptions): Promise<OpenIdProvider | null> {
  const { config, features, secrets, clock, log, audit, cookies, fastLane, publicGet } = options
  if (!config.oauth.enabled) return null
  const { createOpenIdProvider } = await import('./features/oauth/provider/provider.js')
  const { database, accounts, clients, families, limits, revocations, accessTokens, keys } = features
  return createOpenIdProvider({
    ...{ database, secrets, clock, log, audit, cookies, publicGet },
    ...{ accounts, clients, families, limits, revocations, accessTokens, keys, fastLane },
    settings: providerSettings(config),
  })
}
