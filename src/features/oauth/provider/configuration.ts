import type { Account, Configuration, KoaContextWithOIDC, ResourceServer } from 'oidc-provider'
import type { Client as LibraryClient } from 'oidc-provider'
import { acrLevels } from '../../../wire/acr.js'
import { Problem } from '../../../platform/problem.js'
import { isBanned, type TokenUser } from '../../accounts/accounts.js'
import { idTokenAlgorithms } from '../../tokens/tokens.js'
import { clientAssertionAlgorithms, proofAlgorithms } from '../metadata.js'
import { claimsOfScopes, openIdScopes, scopesOfResource } from '../scopes.js'
import { createAdapter } from './adapter.js'
import { originsOf, ownMetadataNames, ownMetadataOf } from './client.js'
import type { ProviderContext } from './context.js'
import { providerCookies } from './cookies.js'
import { createDeviceFlow } from './device-flow.js'
import { loadGrant } from './grants.js'
import { claimsAbout, ID_TOKEN_SECONDS } from './id-token.js'
import { leaveToPages, xsrfOf } from './own-pages.js'
import { createPolicy, IMPLIED_CONSENT } from './policy.js'

const CODE_SECONDS = 60
const DEVICE_CODE_SECONDS = 600
const INTERACTION_SECONDS = 3600

/** What is fetched of the key sets of clients. */
const KEY_SETS = { accept: 'application/json, application/jwk-set+json', withinMs: 5_000, maxBytes: 64 * 1024 }

/** The paths of the library's routes; those that are not here are ours, or not offered. */
const routes = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  userinfo: '/oauth/userinfo',
  jwks: '/.well-known/jwks.json',
  end_session: '/oauth/logout',
  pushed_authorization_request: '/oauth/par',
  device_authorization: '/oauth/device_authorization',
  // Users type it.
  code_verification: '/device',
} as const

/** How the library is set up, but for what it stores. */
export function createConfiguration(context: ProviderContext): Configuration {
  const { keys, library, settings, secrets } = context
  const basePath = new URL(settings.publicUrl).pathname.replace(/\/$/, '')
  const pageOf = { login: '/oauth/interaction', consent: '/consent' }
  return {
    adapter: createAdapter(context),
    jwks: {
      keys: keys.idTokenKeys().map(({ kid, algorithm, privateKey }) => ({
        ...privateKey.export({ format: 'jwk' }),
        ...{ kid, alg: algorithm, use: 'sig' },
      })),
    },
    routes,
    cookies: providerCookies(settings, secrets),
    scopes: openIdScopes,
    claims: Object.fromEntries(Object.entries(claimsOfScopes).map(([scope, claims]) => [scope, [...claims]])),
    acrValues: [...acrLevels],
    responseTypes: ['code'],
    // OpenID Connect Core, section 3.1.2.1: it is required, also where only one is registered.
    allowOmittingSingleRegisteredRedirectUri: false,
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: {
      idTokenSigningAlgValues: [...idTokenAlgorithms],
      clientAuthSigningAlgValues: clientAssertionAlgorithms,
      dPoPSigningAlgValues: proofAlgorithms,
    },
    subjectTypes: ['public'],
    // Many clients read the name and the address from the ID token, and never ask for more.
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // Nonces are for clients whose clock is wrong, and have to be known to all instances.
      dPoP: settings.dpop ? { enabled: true, nonceSecret: secrets.current.derive('dpop-nonce') } : { enabled: false },
      deviceFlow: createDeviceFlow(context),
      pushedAuthorizationRequests: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => showSignOut(context, ctx, form),
        postLogoutSuccessSource: (ctx) => ctx.redirect(`${basePath}/signed-out`),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, client, oneOf) => defaultResource(client, oneOf),
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, identifier, client) => resourceServer(context, identifier, client),
      },
    },
    extraParams: [IMPLIED_CONSENT],
    extraClientMetadata: { properties: ownMetadataNames },
    // Of clients' keys: the library itself follows redirects, and reads answers of any length.
    fetch: (url) => fetchKeys(context, url instanceof Request ? url.url : url),
    clientBasedCORS: (_ctx, origin, client) => originsOf(client).has(origin),
    pkce: { required: (_ctx, client) => ownMetadataOf(client).pkce === 'required' },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // A family ends with the browser's session by itself.
    expiresWithSession: () => false,
    // Only the family of a code ends that is used twice; what the user has consented to stays.
    revokeGrantPolicy: () => false,
    loadExistingGrant: (ctx) => loadGrant(context, ctx),
    findAccount: (_ctx, id) => findAccount(context, id),
    interactions: {
      policy: createPolicy(context),
      url: (_ctx, { uid, prompt }) =>
        `${basePath}${prompt.name === 'consent' ? pageOf.consent : pageOf.login}/${encodeURIComponent(uid)}`,
    },
    renderError(ctx, { error, error_description: description }) {
      const { status } = ctx
      leaveToPages(context, ctx, { kind: 'error', status, error, description: description ?? null })
    },
    ttl: {
      AccessToken: settings.accessTokenSeconds,
      AuthorizationCode: CODE_SECONDS,
      ClientCredentials: settings.accessTokenSeconds,
      DeviceCode: DEVICE_CODE_SECONDS,
      Grant: settings.consentSeconds,
      IdToken: ID_TOKEN_SECONDS,
      Interaction: INTERACTION_SECONDS,
      RefreshToken: settings.sessionSeconds,
      Session: settings.sessionSeconds,
    },
  }

  function resourceUnknown(): never {
    throw new library.errors.InvalidTarget()
  }

  async function resourceServer(
    { clients }: ProviderContext,
    identifier: string,
    client: LibraryClient,
  ): Promise<ResourceServer> {
    const resource = (await clients.resources.find(identifier)) ?? resourceUnknown()
    const { allowed_scope: allowed } = ownMetadataOf(client)
    return {
      scope: scopesOfResource(resource, allowed).join(' '),
      audience: identifier,
      accessTokenTTL: resource.accessTtlSeconds ?? settings.accessTokenSeconds,
      accessTokenFormat: 'opaque',
      // Told to `models.ts`: the library reads it for tokens that it signs itself.
      ...(resource.alg !== null && { jwt: { sign: { alg: resource.alg } } }),
    }
  }
}

/** The resource of a client that names none; of several, the client has to name one. */
function defaultResource(client: LibraryClient, oneOf: string | readonly string[] | undefined) {
  if (oneOf !== undefined) return oneOf
  return ownMetadataOf(client).default_resource
}

async function findAccount(context: ProviderContext, id: string): Promise<Account | undefined> {
  const { accounts, clock } = context
  const { user: known = null } = context.state() ?? {}
  const user = known?.id === id ? known : await findUser(accounts, id)
  if (user === null || isBanned(user, clock.now())) return undefined
  const claims = claimsAbout(user)
  return { accountId: id, claims: () => claims }
}

async function findUser(accounts: ProviderContext['accounts'], id: string): Promise<TokenUser | null> {
  try {
    return await accounts.require(id)
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null
    throw error
  }
}

async function fetchKeys({ publicGet }: ProviderContext, url: string | URL): Promise<Response> {
  const { status, headers, body } = await publicGet(new URL(url), KEY_SETS)
  const { 'cache-control': cacheControl, expires } = headers
  return new Response(status === 200 ? new Uint8Array(body) : null, {
    status,
    headers: {
      ...(cacheControl !== undefined && { 'cache-control': cacheControl }),
      ...(expires !== undefined && { expires }),
    },
  })
}

/** The library makes a form, of which only the token is needed: the page around it is ours. */
function showSignOut(context: ProviderContext, ctx: KoaContextWithOIDC, form: string): void {
  const xsrf = xsrfOf(form)
  const { client, params } = ctx.oidc
  const target = params?.['post_logout_redirect_uri']
  const leadsTo = typeof target === 'string' ? originOf(target) : null
  leaveToPages(context, ctx, { kind: 'sign_out', xsrf, clientName: client?.clientName ?? null, leadsTo })
}

/** For a policy of the browser: an origin, or the scheme of an app. */
function originOf(uri: string): string {
  const { origin, protocol } = new URL(uri)
  return origin === 'null' ? protocol : origin
}
