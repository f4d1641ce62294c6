import { readOwnClaims } from '../claims.js'
import type { OAuth2Preset } from '../preset.js'

/** Any provider of OAuth 2 whose addresses the entry names, and whose users have `sub` or `id`. */
export const oauth2: OAuth2Preset = {
  kind: 'oauth2',
  title: 'OAuth',
  issuer: null,
  addresses: null,
  sendsIss: false,
  idTokens: null,
  scopes: [],
  clientAuthentication: 'post',
  responseMode: 'query',
  identify: (claims, trust) => readOwnClaims({ ...claims, sub: claims.sub ?? claims.id }, trust),
}
