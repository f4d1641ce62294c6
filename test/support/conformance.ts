// The driver of the conformance modules: two clients that send what the suite of the OpenID Foundation sends, and nothing of
// what we recommend beyond it, such as PKCE; and the checks that all modules share.

import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import type { Test as Tap } from 'tap'
import type { SignedUp } from './api.js'
import type { Test } from './app.js'
import {
  CALLBACK,
  openBrowser,
  registerParty,
  startProvider,
  type Party,
  type Provider,
  type ProviderOptions,
  type Tokens,
} from './relying-party.js'
import type { WebBrowser } from './web-browser.js'

export const AFTER_LOGOUT = 'https://app.example.com/post_logout_redirect'

export interface Suite {
  provider: Provider
  user: SignedUp
  first: Party
  second: Party
  /** Another browser of the user, who signs in where a page asks for it. */
  openBrowser(): WebBrowser
  /** The discovery document. */
  configuration: Record<string, unknown>
}

/** What the clients of the modules are registered with. */
export const suiteMetadata = { pkce: 'optional', post_logout_redirect_uris: [AFTER_LOGOUT] }

export async function startSuite(t: Test, options: ProviderOptions = {}): Promise<Suite> {
  const provider = await startProvider(t, options)
  const user = await provider.api.signUp({ name: 'Ada' })
  const { body: configuration } = await provider.api.call<Record<string, unknown>>('/.well-known/openid-configuration')
  return {
    ...{ provider, user, configuration },
    first: await registerParty(provider, suiteMetadata),
    second: await registerParty(provider, suiteMetadata),
    openBrowser: () => openBrowser(provider, user),
  }
}

/** An authorization request, and what has to come back with its answer. */
export interface AuthorizationRequest {
  address: URL
  state: string
  nonce: string | undefined
}

/** Parameters that a module sends besides the usual ones, or in their place; null leaves one out. */
export type Changes = Readonly<Record<string, string | null>>

/** The request of most modules. */
export function requestOf(party: Party, changes: Changes = {}): AuthorizationRequest {
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const usual = { redirect_uri: CALLBACK, scope: 'openid', state, nonce }
  const address = client.buildAuthorizationUrl(party.config, usual)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) address.searchParams.delete(name)
    else address.searchParams.set(name, value)
  }
  return { address, state, nonce: address.searchParams.get('nonce') ?? undefined }
}

/** What an authorization ends in. */
export interface Flow {
  callback: URL
  tokens: Tokens
  claims: client.IDToken
}

/** A whole authorization, with the checks that the suite makes in every module (OpenID Connect Core, 3.1.2.5 to 3.1.3.8). */
export async function authorize(
  t: Tap,
  { provider, user }: Suite,
  party: Party,
  browser: WebBrowser,
  changes: Changes = {},
): Promise<Flow> {
  const request = requestOf(party, changes)
  const callback = new URL(await browser.goUntilElsewhere(request.address.href))
  checkCallback(t, provider, request, callback)
  return redeem(t, { provider, user }, party, { ...request, callback })
}

export function checkCallback(t: Tap, { issuer }: Provider, { state }: AuthorizationRequest, callback: URL): void {
  t.equal(`${callback.origin}${callback.pathname}`, CALLBACK)
  t.equal(callback.searchParams.get('error'), null)
  t.equal(callback.searchParams.get('state'), state)
  t.equal(callback.searchParams.get('iss'), issuer, 'RFC 9207')
  t.ok((callback.searchParams.get('code') ?? '').length >= 22, 'the code has 128 bits')
}

export async function redeem(
  t: Tap,
  { provider, user }: Pick<Suite, 'provider' | 'user'>,
  party: Party,
  { callback, state, nonce }: AuthorizationRequest & { callback: URL },
  checks: { pkceCodeVerifier?: string } = {},
): Promise<Flow> {
  const tokens = await client.authorizationCodeGrant(party.config, callback, {
    ...{ expectedState: state, idTokenExpected: true, ...checks },
    ...(nonce !== undefined && { expectedNonce: nonce }),
  })
  t.equal(tokens.token_type, 'bearer')
  t.ok(Number(tokens.expires_in) > 0)
  const claims = await checkIdToken(t, provider, party, tokens)
  t.equal(claims.sub, user.userId)
  t.equal(claims.nonce, nonce)
  t.equal((await client.fetchUserInfo(party.config, tokens.access_token, claims.sub)).sub, claims.sub)
  return { callback, tokens, claims }
}

/** OpenID Connect Core, section 3.1.3.7: the signature by a published key, issuer, audience and times. */
export async function checkIdToken(
  t: Tap,
  { issuer, clock }: Provider,
  { clientId }: Party,
  { id_token: idToken = '' }: Tokens,
): Promise<client.IDToken> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const currentDate = clock.now()
  const { payload, protectedHeader } = await jwtVerify<client.IDToken>(idToken, keys, {
    ...{ issuer, audience: clientId, currentDate },
    requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
  })
  t.equal(protectedHeader.alg, 'RS256')
  t.ok(protectedHeader.kid)
  t.ok(payload.iat <= currentDate.getTime() / 1000 + 5, 'iat is not in the future')
  t.ok(payload.sub.length <= 255)
  return payload
}

/** Sends a browser with a request that is to be refused; returns the error with which it comes back. */
export async function authorizeInVain(t: Tap, browser: WebBrowser, { address, state }: AuthorizationRequest) {
  const callback = new URL(await browser.goUntilElsewhere(address.href))
  t.equal(`${callback.origin}${callback.pathname}`, CALLBACK)
  t.equal(callback.searchParams.get('state'), state)
  t.equal(callback.searchParams.get('code'), null)
  return callback.searchParams.get('error')
}

/** How a client asks for the claims about the user. */
export function fetchUserInfo({ configuration }: Suite, init: RequestInit): Promise<Response> {
  return fetch(String(configuration['userinfo_endpoint']), init)
}

/** The number of pages on which the user has shown who they are. */
export function loginsIn({ shown }: WebBrowser): number {
  return shown.filter((path) => path === '/signin' || path === '/account/confirm').length
}
