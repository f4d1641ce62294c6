import { readStandardClaims } from '../claims.js'
import type { OpenIdPreset } from '../preset.js'

/** LinkedIn takes the secret in the form only, and leaves the nonce out of its ID tokens. */
export const linkedin: OpenIdPreset = {
  kind: 'oidc',
  title: 'LinkedIn',
  issuer: 'https://www.linkedin.com/oauth',
  omitsNonce: true,
  scopes: ['openid', 'profile', 'email'],
  clientAuthentication: 'post',
  responseMode: 'query',
  identify: readStandardClaims,
}
