import { createHash, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'

/** The algorithms that access tokens may be signed with: asymmetric ones, so that a verifier cannot sign. */
export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'PS256' | 'RS256'

const generate = promisify(generateKeyPair)

/**
 * The algorithms of ID tokens. RS256 is what relying parties expect unless they are told otherwise (OpenID Connect
 * Registration, section 2); ES256 signs ten times as many.
 */
export const idTokenAlgorithms = ['RS256', 'ES256'] as const
export type IdTokenAlgorithm = (typeof idTokenAlgorithms)[number]

/**
 * What tokens a key signs. Access tokens of a resource that asks for an algorithm other than SIGNING_ALGORITHM have keys of
 * their own, and so has each algorithm of ID tokens.
 */
export type KeyUse = 'access_token' | 'resource_token' | 'id_token' | 'id_token_es256'

/** What a resource can ask for: the algorithm that nearly every library knows. */
export const RESOURCE_ALGORITHM = 'ES256' as const satisfies SigningAlgorithm

/**
 * The bits of RSA keys. For access tokens, NIST SP 800-57 puts 3072 level with the other algorithms. An ID token is read
 * within seconds, and 2048 bits sign eight times as many.
 */
const rsaBits = (use: KeyUse) => (use === 'id_token' ? 2048 : 3072)

/** Makes the private key of a new pair. */
export type GenerateKey = (algorithm: SigningAlgorithm, use: KeyUse) => Promise<KeyObject>

/** Makes a key pair for an algorithm. */
export async function generateSigningKey(
  algorithm: SigningAlgorithm,
  use: KeyUse = 'access_token',
): Promise<KeyObject> {
  switch (algorithm) {
    case 'EdDSA':
      return (await generate('ed25519')).privateKey
    case 'ES256':
      return (await generate('ec', { namedCurve: 'P-256' })).privateKey
    case 'PS256':
    case 'RS256':
      return (await generate('rsa', { modulusLength: rsaBits(use) })).privateKey
  }
}

/** Only public members (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2): whatever else a key has is lost. */
export const publicJwkSchema = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
  z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
  z.object({ kty: z.literal('RSA'), n: z.string(), e: z.string() }),
])

export type PublicJwk = z.infer<typeof publicJwkSchema>

/**
 * The public key as a JWK. It goes through PEM, because a generated key shares a lock with the job that made it: Node 20
 * holds that lock during an export as JWK, and takes it again when the job is garbage-collected. If the collection happens
 * during the export, the thread waits for itself forever.
 */
export function toPublicJwk(privateKey: KeyObject): PublicJwk {
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' })
  return publicJwkSchema.parse(createPublicKey(pem).export({ format: 'jwk' }))
}

/** A key's id: its thumbprint (RFC 7638), so that two different keys never share one. */
export function thumbprint(jwk: PublicJwk): string {
  const canonical = JSON.stringify(Object.fromEntries(Object.entries(jwk).sort(([a], [b]) => (a < b ? -1 : 1))))
  return createHash('sha256').update(canonical).digest('base64url')
}
