import { readStandardClaims } from '../claims.js'
import type { OpenIdPreset } from '../preset.js'

/**
 * Apple answers by a form from its own site, and writes true as text. The address of an Apple Account is the person's; a
 * relay address is Apple's, and is never one that somebody has registered here before.
 */
export const apple: OpenIdPreset = {
  kind: 'oidc',
  title: 'Apple',
  issuer: 'https://appleid.apple.com',
  scopes: ['openid', 'name', 'email'],
  clientAuthentication: 'apple',
  responseMode: 'form_post',
  identify(claims) {
    const person = readStandardClaims({ ...claims, email_verified: isTrue(claims.email_verified) })
    if (person === null) return null
    const isRelay = isTrue(claims.is_private_email) || person.email?.endsWith('@privaterelay.appleid.com') === true
    return { ...person, isAuthoritative: person.isEmailVerified && !isRelay }
  },
}

const isTrue = (value: unknown) => value === true || value === 'true'
