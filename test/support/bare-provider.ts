// oidc-provider by itself, with its own tokens, sessions and pages: what ours is compared with.

import { createServer, type RequestListener } from 'node:http'
import Provider, { errors, type ClientMetadata, type Configuration } from 'oidc-provider'
import { claimsOfScopes, openIdScopes } from '../../src/features/oauth/scopes.js'
import type { Test } from './app.js'
import { listen } from './listen.js'
import { createWebBrowser, type WebBrowser } from './web-browser.js'

export interface BareProvider {
  issuer: string
  /** A browser whose user signs in, and allows what is asked. */
  openBrowser(): WebBrowser
}

/** Starts one that offers what ours does, at the same paths, for these clients and this resource. */
export async function startBareProvider(
  t: Test,
  { clients, resource }: { clients: ClientMetadata[]; resource: { identifier: string; scopes: string[] } },
): Promise<BareProvider> {
  let listener: RequestListener = () => undefined
  const port = await listen(
    t,
    createServer((request, response) => {
      listener(request, response)
    }),
  )
  const issuer = `http://localhost:${port}`
  const provider = new Provider(issuer, configurationFor(clients, resource))
  provider.on('server_error', (_ctx, error) => {
    throw error
  })
  const callback = provider.callback()
  listener = (request, response) => void callback(request, response)
  return {
    issuer,
    openBrowser: () =>
      createWebBrowser(issuer, (page) => {
        const action = /<form [^>]*action="([^"]*)"/.exec(page.html)?.[1]
        if (action === undefined) return null
        const credentials = page.html.includes('name="login"') ? { login: 'ada', password: 'any' } : {}
        return page.submit(action, credentials)
      }),
  }
}

function configurationFor(
  clients: ClientMetadata[],
  { identifier, scopes }: { identifier: string; scopes: string[] },
): Configuration {
  return {
    clients,
    cookies: { keys: ['a key for the cookies of a test'] },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      userinfo: '/oauth/userinfo',
      jwks: '/.well-known/jwks.json',
      end_session: '/oauth/logout',
      pushed_authorization_request: '/oauth/par',
    },
    scopes: [...openIdScopes],
    claims: Object.fromEntries(Object.entries(claimsOfScopes).map(([scope, claims]) => [scope, [...claims]])),
    responseTypes: ['code'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: { idTokenSigningAlgValues: ['RS256'] },
    subjectTypes: ['public'],
    conformIdTokenClaims: false,
    allowOmittingSingleRegisteredRedirectUri: false,
    features: {
      clientCredentials: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf ?? [],
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, asked) => {
          if (asked !== identifier) throw new errors.InvalidTarget()
          return { scope: [...openIdScopes, ...scopes].join(' '), audience: identifier, accessTokenFormat: 'opaque' }
        },
      },
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: 'Ada', email: 'ada@example.com', email_verified: false }),
    }),
  }
}
