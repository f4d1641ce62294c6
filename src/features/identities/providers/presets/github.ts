import { parseName, parseSubject, readStandardClaims } from '../claims.js'
import type { OAuth2Preset } from '../preset.js'

/** GitHub verified the address once, and hosts none: good for a sign-up, and no reason to link. The login can change. */
export const github: OAuth2Preset = {
  kind: 'oauth2',
  title: 'GitHub',
  issuer: 'https://github.com/login/oauth',
  addresses: {
    authorization: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
    userinfo: 'https://api.github.com/user',
    emails: 'https://api.github.com/user/emails',
  },
  sendsIss: true,
  idTokens: null,
  scopes: ['read:user', 'user:email'],
  clientAuthentication: 'post',
  responseMode: 'query',
  identify(claims) {
    // A number by contract: a text could be a login.
    if (typeof claims.id !== 'number') return null
    const person = readStandardClaims({ ...claims, sub: parseSubject(claims.id) })
    return person && { ...person, name: person.name ?? parseName(claims.login), isAuthoritative: false }
  },
}
