// The libraries as docs/verifiers.md configures them.

import { expressjwt } from 'express-jwt'
import jsonwebtoken from 'jsonwebtoken'
import { expressJwtSecret, JwksClient } from 'jwks-rsa'

/** jsonwebtoken with the keys of jwks-rsa. It does not look at `typ`. */
export async function verifyByJsonwebtoken(token, { keySet, ...options }) {
  const header = jsonwebtoken.decode(token, { complete: true })?.header
  if (header?.typ !== 'at+jwt') throw new Error('This is no access token.')
  return jsonwebtoken.verify(token, await findKey(keySet, header.kid), options)
}

/** The claims that express-jwt, with the keys of jwks-rsa, gives to the next handler of a request. */
export function verifyByExpressJwt(authorization, { keySet, ...options }) {
  const secret = expressJwtSecret({ jwksUri: keySet, cache: true, cacheMaxAge: 300_000 })
  const request = { method: 'GET', headers: { authorization } }
  return new Promise((resolve, reject) => {
    void expressjwt({ secret, ...options })(request, undefined, (error) => {
      if (error) reject(error)
      else resolve(request.auth)
    })
  })
}

/** A key of a key set as PEM, found by jwks-rsa. */
export async function findKey(keySet, kid) {
  const key = await new JwksClient({ jwksUri: keySet, cacheMaxAge: 300_000 }).getSigningKey(kid)
  return key.getPublicKey()
}
