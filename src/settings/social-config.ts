import type { ProviderConfig } from './provider-config.js'
import type { Settings } from './settings.js'

/** Signing in with other providers. */
export interface SocialConfig {
  /** In the order of their buttons; none without PROVIDERS. */
  readonly providers: readonly ProviderConfig[]
  /** Whether it is linked by itself to the account that has the same address, verified on both sides. */
  readonly linking: Settings['SOCIAL_LINKING']
  /** Whether a person who has no account gets one. */
  readonly signUp: boolean
}

export function arrangeSocial(settings: Settings, providers: readonly ProviderConfig[]): SocialConfig {
  return { providers, linking: settings.SOCIAL_LINKING, signUp: settings.SOCIAL_SIGN_UP === 'on' }
}
