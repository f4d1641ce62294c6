// An application that signs its users in with the OpenID provider: openid-client, and the user's browser, over real HTTP.

import * as client from 'openid-client'
import { newClientSchema } from '../../src/features/clients/clients.js'
import { basePathOf } from '../../src/platform/http/base-path.js'
import { startApp, type StartOptions, type Test, type TestApp } from './app.js'
import { follow } from './following.js'
import { findFreePort } from './free-port.js'
import { createWebBrowser, type WebBrowser, type WebPage } from './web-browser.js'

export const CALLBACK = 'https://app.example.com/callback'

export interface Provider extends TestApp {
  issuer: string
}

export interface ProviderOptions extends StartOptions {
  /** The path of PUBLIC_URL, such as `/auth`. */
  basePath?: string
}

/** Starts the application as an OpenID provider that listens on loopback. */
export async function startProvider(
  t: Test,
  { settings, basePath = '', ...options }: ProviderOptions = {},
): Promise<Provider> {
  const port = await findFreePort()
  const issuer = `http://localhost:${port}${basePath}`
  const started = await startApp(t, { ...options, settings: { OAUTH: 'on', PUBLIC_URL: issuer, ...settings } })
  await started.app.server.listen({ host: 'localhost', port })
  return { ...started, issuer }
}

/** Starts another instance of a provider on its database, which follows what the first one changes: its address. */
export async function startInstance(t: Test, { issuer, clock }: Provider): Promise<string> {
  const { app } = await startApp(t, { join: true, clock, settings: { OAUTH: 'on', PUBLIC_URL: issuer } })
  follow(t, { app })
  const port = await findFreePort()
  await app.server.listen({ host: 'localhost', port })
  return `http://localhost:${port}`
}

export interface Party {
  config: client.Configuration
  clientId: string
  secret: string | null
  /** Sends a browser to the provider, and redeems the code with which it comes back. */
  signIn(browser: WebBrowser, parameters?: Record<string, string>): Promise<Tokens>
  /** The same without redeeming it. */
  authorize(browser: WebBrowser, parameters?: Record<string, string>): Promise<Authorization>
  redeem(authorization: Authorization): Promise<Tokens>
}

export type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers

export interface Authorization {
  callback: URL
  checks: { pkceCodeVerifier: string; expectedState: string; expectedNonce: string; idTokenExpected: boolean }
}

const webApplication = {
  client_name: 'Orders',
  redirect_uris: [CALLBACK],
  grant_types: ['authorization_code', 'refresh_token'],
  first_party: true,
}

/** Registers a client, and finds the provider as it would. */
export async function registerParty(
  { app, issuer }: Pick<Provider, 'app' | 'issuer'>,
  metadata: Record<string, unknown> = {},
  /** How it authenticates, given its secret; by default by `client_secret_basic`, if it has one. */
  authenticate = (secret: string | null) => (secret === null ? client.None() : client.ClientSecretBasic(secret)),
): Promise<Party> {
  const { client: registered, secret } = await app.operator.clients.create(
    newClientSchema.parse({ ...webApplication, ...metadata }),
  )
  const { clientId } = registered
  const config = await client.discovery(new URL(issuer), clientId, {}, authenticate(secret), {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is so marked to stand out; this is loopback
    execute: [client.allowInsecureRequests],
  })

  return createParty(config, { clientId, secret })
}

/** What a client does that has found the provider. */
export function createParty(
  config: client.Configuration,
  { clientId, secret }: { clientId: string; secret: string | null },
): Party {
  async function authorize(browser: WebBrowser, parameters: Record<string, string> = {}): Promise<Authorization> {
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
    const address = client.buildAuthorizationUrl(config, {
      ...{ redirect_uri: CALLBACK, scope: 'openid profile email', state: expectedState, nonce: expectedNonce },
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...parameters,
    })
    const callback = await browser.goUntilElsewhere(address.href)
    const idTokenExpected = address.searchParams.get('scope')?.split(' ').includes('openid') === true
    return { callback: new URL(callback), checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected } }
  }

  const redeem = ({ callback, checks }: Authorization) => client.authorizationCodeGrant(config, callback, checks)

  return {
    ...{ config, clientId, secret, authorize, redeem },
    signIn: async (browser, parameters) => redeem(await authorize(browser, parameters)),
  }
}

interface Person {
  email: string
  password: string
}

/** A browser whose user signs in with an address and a password, and allows what is asked. */
export function openBrowser({ issuer }: Provider, person: Person): WebBrowser {
  return createWebBrowser(new URL(issuer).origin, (page) => signInOn(page, person, basePathOf(issuer)))
}

/** What such a user does on a page; null where there is nothing to do for them. */
export function signInOn(page: WebPage, { email, password }: Person, basePath = ''): Promise<WebPage> | null {
  const { pathname } = new URL(page.url)
  const path = pathname.slice(basePath.length)
  if (path === '/account/confirm') return page.submit(pathname, { password })
  if (page.html.includes('name="password"')) return page.submit(`${basePath}/signin/password`, { email, password })
  if (path === '/signin') return page.submit(pathname, { email })
  if (path.startsWith('/consent/')) return page.submit(pathname, { decision: 'allow' })
  return null
}

/** What a public client sends to redeem its code. */
export function redemptionOf(
  { clientId }: Pick<Party, 'clientId'>,
  { callback, checks }: Authorization,
): Record<string, string> {
  return {
    ...{ grant_type: 'authorization_code', client_id: clientId, redirect_uri: CALLBACK },
    code: callback.searchParams.get('code') ?? '',
    code_verifier: checks.pkceCodeVerifier,
  }
}

/** A form to the token endpoint, as a client without a library sends it. */
export async function askForTokens(
  { issuer }: Pick<Provider, 'issuer'>,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, string | undefined>; headers: Headers }> {
  const response = await fetch(`${issuer}/oauth/token`, { method: 'POST', body: new URLSearchParams(fields), headers })
  const body = (await response.json()) as Record<string, string | undefined>
  return { status: response.status, body, headers: response.headers }
}

/** The code of the error with which a request of the library is refused. */
export async function errorOf(request: Promise<unknown>): Promise<string> {
  try {
    await request
    return 'none'
  } catch (error) {
    return error instanceof client.ResponseBodyError ? error.error : String(error)
  }
}
