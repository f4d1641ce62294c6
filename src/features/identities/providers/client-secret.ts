import { importPKCS8, SignJWT } from 'jose'
import type { Clock } from '../../../platform/clock.js'
import type { ProviderSettings } from './preset.js'

const APPLE = 'https://appleid.apple.com'
const LIVES_SECONDS = 300

export interface ClientSecret {
  /** The secret for one request; null for a client without one. */
  make(): Promise<string | null>
}

/**
 * The secret as the settings have it. Apple has none of its own: it is a JWT that the team's key signs, made for each
 * request, so that none is kept that could be stolen or forgotten until it expires.
 */
export function createClientSecret(settings: ProviderSettings, clock: Pick<Clock, 'now'>): ClientSecret {
  const { apple, clientId, clientSecret, issuer } = settings
  if (clientSecret === null) return { make: () => Promise.resolve(null) }
  if (apple === null) return { make: () => Promise.resolve(clientSecret.reveal()) }
  return {
    async make() {
      const key = await importPKCS8(clientSecret.reveal(), 'ES256')
      const now = Math.floor(clock.now().getTime() / 1000)
      return new SignJWT({ iss: apple.teamId, sub: clientId, aud: issuer ?? APPLE, iat: now, exp: now + LIVES_SECONDS })
        .setProtectedHeader({ alg: 'ES256', kid: apple.keyId })
        .sign(key)
    },
  }
}
