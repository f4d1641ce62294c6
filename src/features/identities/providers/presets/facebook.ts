import { readStandardClaims } from '../claims.js'
import type { OAuth2Preset } from '../preset.js'

/**
 * Facebook's pages speak OAuth 2, and its apps get an ID token (Limited Login). The person is the same in both. Nothing says
 * whether the address is theirs, which may also be missing.
 */
export const facebook: OAuth2Preset = {
  kind: 'oauth2',
  title: 'Facebook',
  issuer: 'https://www.facebook.com',
  addresses: {
    authorization: 'https://www.facebook.com/v23.0/dialog/oauth',
    token: 'https://graph.facebook.com/v23.0/oauth/access_token',
    userinfo: 'https://graph.facebook.com/v23.0/me?fields=id,name,email',
    emails: null,
  },
  sendsIss: false,
  provesSecret: true,
  idTokens: { discovery: 'https://www.facebook.com/.well-known/openid-configuration' },
  scopes: ['public_profile', 'email'],
  clientAuthentication: 'post',
  responseMode: 'query',
  identify: (claims) => readStandardClaims({ ...claims, sub: claims.sub ?? claims.id, email_verified: false }),
}
