import { createHash, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { toPublicJwk } from '../../src/features/tokens/algorithms.js'

/** Makes a proof of possession for one request (DPoP, RFC 9449). */
export type Proof = (request: { method: string; url: string; accessToken?: string }) => Promise<string>

/** A key that stays with its client. */
export function createProof(): Proof {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return ({ method, url, accessToken }) => sign(privateKey, { htm: method, htu: url, ...ath(accessToken) })
}

async function sign(privateKey: KeyObject, claims: Record<string, string>): Promise<string> {
  return new SignJWT({ ...claims, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: toPublicJwk(privateKey) })
    .setIssuedAt()
    .sign(privateKey)
}

function ath(accessToken: string | undefined): { ath?: string } {
  return accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken).digest('base64url') }
}
