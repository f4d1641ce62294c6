import { createPublicKey } from 'node:crypto'
import { v4 as randomUuid } from 'uuid'
import type { Clock } from '../../platform/clock.js'
import { createKeyJwt, type KeyJwt } from '../../platform/crypto/key-jwt.js'
import type { PrivateKey, SigningKeys } from '../tokens/tokens.js'

const LIFE_SECONDS = 120

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

export interface LogoutTokenContent {
  clientId: string
  /** The algorithm of the client's ID tokens. */
  alg: string
  userId: string
  sid: string
}

export interface LogoutTokenOptions {
  keys: Pick<SigningKeys, 'idTokenKeys'>
  clock: Clock
  issuer: string
}

/**
 * Signs logout tokens, which are in force for two minutes (OpenID Connect Back-Channel Logout 1.0, section 2.4). Each attempt
 * has one of its own: a client that has seen a `jti` before refuses it, though its answer was lost.
 */
export function createLogoutTokens({ keys, clock, issuer }: LogoutTokenOptions) {
  /** By algorithm. */
  const signers = new Map<string, { kid: string; jwt: KeyJwt }>()

  function signerFor(alg: string): KeyJwt {
    // The first of an algorithm is the one that signs; those after it are retired.
    const key = keys.idTokenKeys().find(({ algorithm }) => algorithm === alg)
    if (key === undefined) throw new Error(`No key signs ID tokens with ${alg}.`)
    const known = signers.get(alg)
    if (known?.kid === key.kid) return known.jwt
    const jwt = jwtOf(key)
    signers.set(alg, { kid: key.kid, jwt })
    return jwt
  }

  return {
    /** Throws if there is no key for the algorithm. */
    sign({ clientId, alg, userId, sid }: LogoutTokenContent): string {
      const iat = Math.floor(clock.now().getTime() / 1000)
      return signerFor(alg).sign({
        iss: issuer,
        aud: clientId,
        ...{ iat, exp: iat + LIFE_SECONDS },
        jti: randomUuid(),
        events: { [EVENT]: {} },
        ...{ sub: userId, sid },
      })
    },
  }
}

function jwtOf({ kid, algorithm, privateKey }: PrivateKey): KeyJwt {
  const privateKeyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const publicKeyPem = createPublicKey(privateKeyPem).export({ format: 'pem', type: 'spki' }).toString()
  return createKeyJwt({ kid, algorithm, publicKeyPem, privateKeyPem, typ: 'logout+jwt' })
}
