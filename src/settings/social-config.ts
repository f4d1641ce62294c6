import type { ProviderConfig } from './provider-config.js'

/** Signing in with other providers. */
export interface SocialConfig {
  /** In the order of their buttons; none without PROVIDERS. */
  readonly providers: readonly ProviderConfig[]
}
