import { createRemoteJWKSet, jwtVerify } from 'jose'

const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout'

/** Reads the logout tokens of an issuer for a client. */
export function createLogoutTokenReader({ issuer, clientId }) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))

  /** The `sid` of the session that has ended; throws for any other token (OpenID Connect Back-Channel Logout 1.0, section 2.6). */
  return async function readLogoutToken(token) {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: clientId,
      typ: 'logout+jwt',
      algorithms: ['RS256'],
      requiredClaims: ['iat', 'exp', 'jti', 'sub', 'sid'],
      clockTolerance: 5,
    })
    if (typeof payload.events?.[LOGOUT] !== 'object') throw new Error('This is not a logout token.')
    if ('nonce' in payload) throw new Error('A logout token has no nonce.')
    return payload.sid
  }
}
