import { z } from 'zod'
import { algorithms } from './algorithms.js'
import type { RelyingParty } from './context.js'
import type { Use } from './judging.js'
import type { Assertion, Attestation } from './credentials.js'

/** What the library of the ceremonies finds in a credential whose signature is right. */
export interface VerifiedUse extends Use {
  backedUp: boolean
  isUserVerified: boolean
}

/** A new credential. */
export interface VerifiedKey extends VerifiedUse {
  credentialId: Uint8Array<ArrayBuffer>
  publicKey: Uint8Array<ArrayBuffer>
  aaguid: string
}

const clientDataSchema = z.object({ challenge: z.string(), crossOrigin: z.boolean().optional() })

/** The challenge that a credential answers; null where it cannot be read, or where it was made in a frame of another site. */
export function challengeOf(clientDataJSON: string): string | null {
  try {
    const clientData = clientDataSchema.parse(JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()))
    return clientData.crossOrigin === true ? null : clientData.challenge
  } catch {
    return null
  }
}

/**
 * Verifies the use of a passkey: type, origin, domain, presence and signature (WebAuthn Level 3, section 7.2). Null for all
 * that is wrong. The counter is not compared: the library refuses every one that stands still, also where several devices
 * have the passkey.
 */
export async function verifyAssertion(
  { id, rawId, type, response }: Assertion,
  { rpId, origins }: RelyingParty,
  { publicKey, requiresUserVerification }: { publicKey: Uint8Array; requiresUserVerification: boolean },
): Promise<VerifiedUse | null> {
  const { verifyAuthenticationResponse } = await loadLibrary()
  const { clientDataJSON, authenticatorData, signature } = response
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id,
        rawId,
        type,
        response: { clientDataJSON, authenticatorData, signature },
        clientExtensionResults: {},
      },
      expectedChallenge: challengeOf(clientDataJSON) ?? '',
      expectedOrigin: [...origins],
      expectedRPID: rpId,
      requireUserVerification: requiresUserVerification,
      credential: { id, publicKey: new Uint8Array(publicKey), counter: 0 },
    })
    if (!verified) return null
    return { counter: authenticationInfo.newCounter, ...useOf(authenticationInfo) }
  } catch {
    // It throws what is wrong: another origin as well as a signature that cannot be parsed.
    return null
  }
}

/** Verifies a new passkey (WebAuthn Level 3, section 7.1). Null for all that is wrong. */
export async function verifyAttestation(
  { id, rawId, type, response }: Attestation,
  { rpId, origins }: RelyingParty,
): Promise<VerifiedKey | null> {
  const { verifyRegistrationResponse } = await loadLibrary()
  const { clientDataJSON, attestationObject } = response
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        ...{ id, rawId, type, clientExtensionResults: {} },
        response: { clientDataJSON, attestationObject: await withoutStatement(attestationObject) },
      },
      expectedChallenge: challengeOf(clientDataJSON) ?? '',
      expectedOrigin: [...origins],
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...algorithms],
    })
    if (!verified) return null
    const { credential, aaguid } = registrationInfo
    // The id beside it is not signed.
    if (credential.id !== id) return null
    const credentialId = new Uint8Array(Buffer.from(credential.id, 'base64url'))
    return {
      ...{ credentialId, publicKey: credential.publicKey, aaguid, counter: credential.counter },
      ...useOf(registrationInfo),
    }
  } catch {
    return null
  }
}

/**
 * The attestation object without its statement, as if its authenticator had none. Sallyport asks for none, and decides
 * nothing by one. Verified, its certificates would have the server call addresses that a client has chosen.
 */
async function withoutStatement(attestationObject: string): Promise<string> {
  const { decodeAttestationObject, isoCBOR } = await import('@simplewebauthn/server/helpers')
  const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')))
  const fields = new Map<string, string | Map<string, string> | Uint8Array>([
    ['fmt', 'none'],
    ['attStmt', new Map<string, string>()],
    ['authData', decoded.get('authData')],
  ])
  return Buffer.from(isoCBOR.encode(fields)).toString('base64url')
}

function useOf({
  userVerified: isUserVerified,
  credentialDeviceType,
  credentialBackedUp: backedUp,
}: {
  userVerified: boolean
  credentialDeviceType: 'singleDevice' | 'multiDevice'
  credentialBackedUp: boolean
}) {
  return { isUserVerified, backedUp, backupEligible: credentialDeviceType === 'multiDevice' }
}

/** Loaded at the first ceremony: its parsers of certificates would take a third of a second of every start. */
const loadLibrary = () => import('@simplewebauthn/server')
