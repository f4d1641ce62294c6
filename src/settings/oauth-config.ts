import type { Settings } from './settings.js'

/** The OpenID provider, which signs users in to other applications. */
export interface OAuthConfig {
  readonly enabled: boolean
  /** How long what a user has granted to a client is remembered. */
  readonly consentSeconds: number
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
    registration: { mode: settings.OAUTH_REGISTRATION, scopes: settings.OAUTH_REGISTRATION_SCOPES },
  }
}
