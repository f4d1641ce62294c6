import type { Configuration } from 'oidc-provider'
import { cookieName } from '../../../wire/cookies.js'
import type { SecretKeys } from '../../../platform/crypto/secret-keys.js'
import type { ProviderSettings } from './context.js'

/** The library's cookies. Those of an interaction are for its page alone, so their names cannot demand the path `/`. */
export function providerCookies(
  { publicUrl, cookiePrefix }: Pick<ProviderSettings, 'publicUrl' | 'cookiePrefix'>,
  secrets: SecretKeys,
): NonNullable<Configuration['cookies']> {
  const secure = publicUrl.startsWith('https:')
  const ofAPage = (name: string) => `${secure ? '__Secure-' : ''}${cookiePrefix}_${name}`
  const attributes = { httpOnly: true, sameSite: 'lax', secure, signed: true } as const
  return {
    names: {
      session: cookieName(publicUrl, 'op', cookiePrefix),
      interaction: ofAPage('interaction'),
      resume: ofAPage('resume'),
    },
    long: { ...attributes, path: '/' },
    short: attributes,
    keys: secrets.all.map((secret) => secret.derive('oauth-cookie').toString('base64url')),
  }
}
