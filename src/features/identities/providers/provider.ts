import type { ExternalIdentity } from '../external-identity.js'

/** The secrets of one redirect to a provider, which the browser never sees but for `state`. */
export interface RedirectChecks {
  readonly state: string
  /** In the ID token (OpenID Connect Core, section 3.1.2.1); OAuth 2 providers do not get it. */
  readonly nonce: string
  /** PKCE (RFC 7636), always S256. */
  readonly codeVerifier: string
  /** Our callback, as it is registered at the provider. */
  readonly redirectUri: string
}

/** What the provider made of the redirect: it told who the person is, or the person said no. */
export type Redeemed = { readonly identity: ExternalIdentity } | { readonly denied: true }

/** An ID token that an app got from a provider by itself. */
export interface NativeToken {
  readonly idToken: string
  /** What the app sent to the provider, or what its SHA-256 in hexadecimal is; null where the token has none. */
  readonly nonce: string | null
  readonly accessToken: string | null
  /** What the person told the app, for providers that tell the name only once, and not in the token. */
  readonly name: string | null
}

/** `other` is what this version does not know. */
export type NoticeType = 'account_deleted' | 'consent_revoked' | 'email_disabled' | 'email_enabled' | 'other'

/** What a provider tells of an account there by itself, while the person is not here. */
export interface ProviderNotice {
  readonly type: NoticeType
  readonly issuer: string
  readonly subject: string
  /** In lower case; null where it tells none. */
  readonly email: string | null
  readonly issuedAt: Date
  /** From when on it is too old to be accepted. */
  readonly expiresAt: Date
}

/** Another provider with which users sign in. All calls throw `provider_unavailable` where it does not answer in time. */
export interface Provider {
  readonly id: string
  /** The name on its button. */
  readonly name: string
  /** The preset it was made from, such as `google`; the look of its button follows from it. */
  readonly preset: string
  /** `form_post` comes from another site, so that its cookie has to be SameSite=None. */
  readonly responseMode: 'query' | 'form_post'
  /** Whether apps can show its ID tokens. */
  readonly acceptsIdTokens: boolean
  /** Whether it tells of accounts that are deleted there. */
  readonly sendsNotices: boolean
  /** The address to which the browser is sent. */
  authorizationUrl(checks: RedirectChecks): Promise<URL>
  /**
   * Judges the parameters of the callback, and redeems the code. Throws `provider_response_invalid` for anything but a
   * genuine answer: a wrong or missing `iss`, `aud`, `nonce`, signature or `state`, an expired token, an error of the provider.
   */
  redeem(parameters: URLSearchParams, checks: RedirectChecks): Promise<Redeemed>
  /** Judges an ID token by itself. Throws `id_token_invalid`. */
  verifyIdToken(token: NativeToken): Promise<{ identity: ExternalIdentity; expiresAt: Date }>
  /** Judges a notice, which is signed with the keys of its ID tokens. Throws `id_token_invalid`. */
  verifyNotice(token: string): Promise<ProviderNotice>
}

/** The providers of PROVIDERS, in its order. */
export interface Providers {
  readonly all: readonly Provider[]
  find(id: string): Provider | null
}
