import { parseName, readStandardClaims } from '../claims.js'
import type { Claims, OAuth2Preset } from '../preset.js'

/** X authenticates clients by HTTP Basic, and tells an address only with the scope `users.email`: one that it has confirmed. */
export const x: OAuth2Preset = {
  kind: 'oauth2',
  title: 'X',
  issuer: 'https://x.com',
  addresses: {
    authorization: 'https://x.com/i/oauth2/authorize',
    token: 'https://api.x.com/2/oauth2/token',
    userinfo: 'https://api.x.com/2/users/me?user.fields=confirmed_email',
    emails: null,
  },
  sendsIss: false,
  idTokens: null,
  scopes: ['users.read', 'tweet.read', 'users.email'],
  clientAuthentication: 'basic',
  responseMode: 'query',
  identify(claims) {
    const { id, name, username, confirmed_email: email } = dataOf(claims)
    const person = readStandardClaims({ sub: id, email, email_verified: typeof email === 'string' })
    return person && { ...person, name: parseName(name) ?? parseName(username) }
  },
}

function dataOf({ data }: Claims): Claims {
  return typeof data === 'object' && data !== null ? { ...data } : {}
}
