import type { Settings } from './settings.js'

/** The OpenID provider, which signs users in to other applications. */
export interface OAuthConfig {
  readonly enabled: boolean
  /** How long what a user has granted to a client is remembered. */
  readonly consentSeconds: number
  /** Whether clients can bind their tokens to a key (RFC 9449). */
  readonly dpop: boolean
  /** Whether a client id can be the address of the client's metadata document. */
  readonly metadataDocuments: boolean
  readonly registration: {
    /** Whether applications register themselves: not at all, with a token of the operator, or without. */
    readonly mode: Settings['OAUTH_REGISTRATION']
    /** What such clients may ask users for. */
    readonly scopes: Settings['OAUTH_REGISTRATION_SCOPES']
  }
}

export function arrangeOAuth(settings: Settings): OAuthConfig {
  return {
    enabled: settings.OAUTH === 'on',
    consentSeconds: settings.OAUTH_CONSENT_TTL,
    dpop: settings.DPOP === 'on',
    metadataDocuments: settings.OAUTH_CIMD === 'on',
    registration: { mode: settings.OAUTH_REGISTRATION, scopes: settings.OAUTH_REGISTRATION_SCOPES },
  }
}
