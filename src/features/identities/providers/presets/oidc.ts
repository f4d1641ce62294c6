import { readOwnClaims } from '../claims.js'
import type { OpenIdPreset } from '../preset.js'

/** Any OpenID provider, such as Keycloak, Okta or another Sallyport. */
export const oidc: OpenIdPreset = {
  kind: 'oidc',
  title: 'OpenID',
  issuer: null,
  scopes: ['openid', 'email', 'profile'],
  clientAuthentication: 'basic',
  responseMode: 'query',
  identify: readOwnClaims,
}
