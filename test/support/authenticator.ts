// An authenticator in software: makes passkeys and uses them as a browser with a security key or a phone does, and lets a
// test change anything that it says.

import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

export interface CreationOptions {
  challenge: string
  rp: { id: string; name: string }
  user: { id: string; name: string; displayName: string }
  pubKeyCredParams: { alg: number }[]
  excludeCredentials: { id: string }[]
  authenticatorSelection: Record<string, unknown>
}

export interface RequestOptions {
  challenge: string
  rpId: string
  userVerification: string
  allowCredentials?: { id: string }[]
}

/** What a test changes of an answer. */
export interface Changes {
  origin?: string
  rpId?: string
  type?: string
  challenge?: string
  crossOrigin?: boolean
  userPresent?: boolean
  userVerified?: boolean
  backupEligible?: boolean
  backedUp?: boolean
  counter?: number
  userHandle?: string | null
  /** Another key signs. */
  forged?: boolean
  /** The attestation statement, instead of none. */
  attestation?: { fmt: string; attStmt: Cbor }
  algorithm?: 'ES256' | 'EdDSA'
  credentialId?: Buffer
}

export interface PasskeyHolder {
  readonly id: string
  readonly userHandle: string
  /** Signs a challenge: what `navigator.credentials.get` returns, as JSON. */
  get(options: RequestOptions, changes?: Changes): ReturnType<typeof assertionOf>
}

type Cbor = number | string | Buffer | Cbor[] | Map<number | string, Cbor>

const FLAGS = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 }

/** An authenticator on the page of an origin. */
export function createAuthenticator(origin: string) {
  return {
    /** Makes a passkey: what `navigator.credentials.create` returns, as JSON, and its holder. */
    create(options: CreationOptions, changes: Changes = {}) {
      const { algorithm = 'ES256', credentialId = randomBytes(16) } = changes
      const { publicKey, privateKey } =
        algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
      const id = credentialId.toString('base64url')
      const length = Buffer.alloc(2)
      length.writeUInt16BE(credentialId.length)
      const authData = Buffer.concat([
        authenticatorData(options.rp.id, changes, FLAGS.attested),
        ...[Buffer.alloc(16), length, credentialId, encode(coseOf(publicKey))],
      ])
      const { fmt, attStmt } = changes.attestation ?? { fmt: 'none', attStmt: new Map<string, Cbor>() }
      const attestation = new Map<string, Cbor>([
        ['fmt', fmt],
        ['attStmt', attStmt],
        ['authData', authData],
      ])
      const credential = {
        ...keyOf(id),
        response: {
          clientDataJSON: clientDataOf('webauthn.create', options.challenge, origin, changes).toString('base64url'),
          attestationObject: encode(attestation).toString('base64url'),
          transports: ['internal'],
        },
      }
      const made = { id, userHandle: options.user.id, privateKey, origin, made: changes }
      const holder: PasskeyHolder = {
        id,
        userHandle: made.userHandle,
        get: (request, use = {}) => assertionOf(made, request, use),
      }
      return { credential, holder }
    },
  }
}

export type Authenticator = ReturnType<typeof createAuthenticator>

interface Made {
  id: string
  userHandle: string
  privateKey: KeyObject
  origin: string
  made: Changes
}

function assertionOf({ id, userHandle, privateKey, origin, made }: Made, options: RequestOptions, use: Changes) {
  const { backupEligible = false, backedUp = false } = made
  const changes = { backupEligible, backedUp, ...use }
  const clientData = clientDataOf('webauthn.get', options.challenge, origin, changes)
  const authData = authenticatorData(options.rpId, changes)
  const key = changes.forged === true ? otherKey(privateKey) : privateKey
  const signed = Buffer.concat([authData, createHash('sha256').update(clientData).digest()])
  const signature = sign(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', signed, key)
  const handle = changes.userHandle === undefined ? userHandle : changes.userHandle
  return {
    ...keyOf(id),
    response: {
      clientDataJSON: clientData.toString('base64url'),
      authenticatorData: authData.toString('base64url'),
      signature: signature.toString('base64url'),
      ...(handle !== null && { userHandle: handle }),
    },
  }
}

function keyOf(id: string) {
  return { id, rawId: id, type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {} }
}

function otherKey({ asymmetricKeyType }: KeyObject): KeyObject {
  return asymmetricKeyType === 'ed25519'
    ? generateKeyPairSync('ed25519').privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function clientDataOf(type: string, challenge: string, origin: string, changes: Changes): Buffer {
  const clientData = {
    type: changes.type ?? type,
    challenge: changes.challenge ?? challenge,
    origin: changes.origin ?? origin,
    crossOrigin: changes.crossOrigin ?? false,
  }
  return Buffer.from(JSON.stringify(clientData))
}

/** WebAuthn Level 3, section 6.1. */
function authenticatorData(rpId: string, changes: Changes, flags = 0): Buffer {
  const { userPresent = true, userVerified = true, backupEligible = false, backedUp = false, counter = 0 } = changes
  const counted = Buffer.alloc(5)
  counted.writeUInt8(
    flags |
      (userPresent ? FLAGS.userPresent : 0) |
      (userVerified ? FLAGS.userVerified : 0) |
      (backupEligible ? FLAGS.backupEligible : 0) |
      (backedUp ? FLAGS.backedUp : 0),
  )
  counted.writeUInt32BE(counter, 1)
  return Buffer.concat([
    createHash('sha256')
      .update(changes.rpId ?? rpId)
      .digest(),
    counted,
  ])
}

/** RFC 9053, sections 7.1 and 7.2. */
function coseOf(publicKey: KeyObject): Map<number, Cbor> {
  const { x = '', y } = publicKey.export({ format: 'jwk' })
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  return new Map<number, Cbor>(
    y === undefined
      ? [
          [1, 1],
          [3, -8],
          [-1, 6],
          [-2, bytes(x)],
        ]
      : [
          [1, 2],
          [3, -7],
          [-1, 1],
          [-2, bytes(x)],
          [-3, bytes(y)],
        ],
  )
}

/** CBOR (RFC 8949), as far as authenticators need it. */
function encode(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encode)])
  return Buffer.concat([head(5, value.size), ...[...value].flatMap((entry) => entry.map(encode))])
}

function head(kind: number, count: number): Buffer {
  if (count < 24) return Buffer.from([(kind << 5) | count])
  if (count < 256) return Buffer.from([(kind << 5) | 24, count])
  return Buffer.from([(kind << 5) | 25, count >> 8, count & 0xff])
}
