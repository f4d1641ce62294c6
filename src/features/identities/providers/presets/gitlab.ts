import { readOwnClaims } from '../claims.js'
import type { OpenIdPreset } from '../preset.js'

/** gitlab.com, or a GitLab of one's own by `issuer`, which the operator can declare to be authoritative. */
export const gitlab: OpenIdPreset = {
  kind: 'oidc',
  title: 'GitLab',
  issuer: 'https://gitlab.com',
  scopes: ['openid', 'email', 'profile'],
  clientAuthentication: 'post',
  responseMode: 'query',
  identify: readOwnClaims,
}
