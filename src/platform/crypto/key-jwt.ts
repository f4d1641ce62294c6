import jwt, { type JWT } from '@fastify/jwt'
import { fastify } from 'fastify'

export interface JwtKey {
  kid: string
  /** The algorithm (RFC 7518, section 3.1) of the key, and the only one that it is used with. */
  algorithm: string
  publicKeyPem: string
  /** Null if the key only verifies. */
  privateKeyPem: string | null
  /** The header's `typ` (RFC 7515, section 4.1.9). */
  typ: string
}

/** JWTs of one key. `verify` checks only the signature; the caller checks the times. */
export type KeyJwt = Pick<JWT, 'sign' | 'verify'>

/**
 * @fastify/jwt with one key. It parses a key in its settings once, but a key that is passed with a token for each
 * token, which takes several times as long as the signature. Keys change while the server runs, so each has its own
 * instance. The algorithm is the key's: nothing in a token selects it.
 */
export function createKeyJwt({ kid, algorithm, publicKeyPem, privateKeyPem, typ }: JwtKey): KeyJwt {
  const host = fastify()
  const options = {
    secret: { public: publicKeyPem, ...(privateKeyPem !== null && { private: privateKeyPem }) },
    sign: { algorithm, kid, header: { alg: algorithm, typ } },
    verify: { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true },
  } as Parameters<typeof jwt>[1]
  let fault: Error | undefined
  // A plugin is a function, and this one is finished when it returns, so that a key can be used immediately.
  jwt(host, options, (error) => (fault = error))
  if (fault) throw fault
  return host.jwt
}
