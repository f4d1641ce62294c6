import type { Account, Configuration, KoaContextWithOIDC, ResourceServer } from 'oidc-provider'
import type { Client as LibraryClient } from 'oidc-provider'
import { acrLevels } from '../../../wire/acr.js'
import { Problem } from '../../../platform/problem.js'
import { isBanned } from '../../accounts/accounts.js'
import { clientAssertionAlgorithms } from '../metadata.js'
import { claimsOfScopes, openIdScopes, parseScope } from '../scopes.js'
import { createAdapter } from './adapter.js'
import { ownMetadataNames, ownMetadataOf } from './client.js'
import { requireState, type ProviderContext } from './context.js'
import { loadGrant } from './grants.js'
import { providerCookies } from './cookies.js'
import { createPolicy, IMPLIED_CONSENT } from './policy.js'

const CODE_SECONDS = 60
const INTERACTION_SECONDS = 3600
const ID_TOKEN_SECONDS = 3600

/** The paths of the library's routes; those that are not here are ours, or not offered. */
const routes = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  userinfo: '/oauth/userinfo',
  jwks: '/.well-known/jwks.json',
  end_session: '/oauth/logout',
  pushed_authorization_request: '/oauth/par',
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
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: { idTokenSigningAlgValues: ['RS256'], clientAuthSigningAlgValues: clientAssertionAlgorithms },
    subjectTypes: ['public'],
    // Many clients read the name and the address from the ID token, and never ask for more.
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
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
    const scopes = resource.scopes.filter((scope) => allowed === undefined || parseScope(allowed).includes(scope))
    return {
      // A token for a resource can be one for the user's data at our userinfo endpoint, too.
      scope: [...openIdScopes, ...scopes].join(' '),
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

function originsOf({ redirectUris = [] }: LibraryClient): Set<string> {
  return new Set(redirectUris.map((uri) => new URL(uri).origin))
}

async function findAccount({ accounts, clock }: ProviderContext, id: string): Promise<Account | undefined> {
  const user = await accounts.require(id).catch((error: unknown) => {
    if (error instanceof Problem && error.status === 401) return null
    throw error
  })
  if (user === null || isBanned(user, clock.now())) return undefined
  const { name, email, emailVerifiedAt } = user
  const claims = { sub: id, ...(name !== null && { name }), email, email_verified: emailVerifiedAt !== null }
  return { accountId: id, claims: () => claims }
}

/** The library makes a form, of which only the token is needed: the page around it is ours. */
function showSignOut(context: ProviderContext, ctx: KoaContextWithOIDC, form: string): void {
  const [, xsrf = ''] = / name="xsrf" value="([^"]*)"/.exec(form) ?? []
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

function leaveToPages(
  context: ProviderContext,
  ctx: KoaContextWithOIDC,
  page: NonNullable<ReturnType<typeof requireState>['page']>,
): void {
  requireState(context).page = page
  // Koa leaves the response to others then.
  ctx.respond = false
}
