import { parseName, readStandardClaims } from '../claims.js'
import type { OAuth2Preset } from '../preset.js'

/** Discord says with `verified` whether the address was verified once. */
export const discord: OAuth2Preset = {
  kind: 'oauth2',
  title: 'Discord',
  issuer: 'https://discord.com',
  addresses: {
    authorization: 'https://discord.com/oauth2/authorize',
    token: 'https://discord.com/api/oauth2/token',
    userinfo: 'https://discord.com/api/users/@me',
    emails: null,
  },
  sendsIss: false,
  idTokens: null,
  scopes: ['identify', 'email'],
  clientAuthentication: 'post',
  responseMode: 'query',
  identify({ id, email, verified, global_name, username }) {
    const person = readStandardClaims({ sub: id, email, email_verified: verified })
    return person && { ...person, name: parseName(global_name) ?? parseName(username) }
  },
}
