import type { Settings } from './settings.js'

/** What a sign-in at another provider may do. */
export interface SocialConfig {
  /** Whether it is linked by itself to the account that has the same address, verified on both sides. */
  readonly linking: Settings['SOCIAL_LINKING']
  /** Whether a person who has no account gets one. */
  readonly signUp: boolean
}

export function arrangeSocial(settings: Settings): SocialConfig {
  return { linking: settings.SOCIAL_LINKING, signUp: settings.SOCIAL_SIGN_UP === 'on' }
}
