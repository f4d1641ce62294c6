import { readStandardClaims } from '../claims.js'
import type { OpenIdPreset } from '../preset.js'

/**
 * Google hosts gmail.com, and the domains of Workspace (`hd`): it decides who has those addresses. Any other address it has
 * verified once, and may have a new owner since.
 */
export const google: OpenIdPreset = {
  kind: 'oidc',
  title: 'Google',
  issuer: 'https://accounts.google.com',
  aliases: ['accounts.google.com'],
  scopes: ['openid', 'email', 'profile'],
  clientAuthentication: 'post',
  responseMode: 'query',
  identify(claims) {
    const person = readStandardClaims(claims)
    if (person === null) return null
    const tenant = typeof claims.hd === 'string' && claims.hd !== '' ? claims.hd : null
    const isHosted = tenant !== null || person.email?.endsWith('@gmail.com') === true
    return { ...person, tenant, isAuthoritative: person.isEmailVerified && isHosted }
  },
}
