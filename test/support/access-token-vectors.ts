// Reads test/vectors/access-tokens.json and builds the tokens that it describes.
//
// In the texts of header, claims and compose, `$issuer`, `$audience`, `$alg` and `$kid` stand for the values that the
// verifier expects and its active key, `$stranger_…` for an unknown key, `$trap` for a URL that it must never request,
// `$long` for 9000 characters, and `$now+600` (a whole text, except in `claims_text`) for a number.

import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  sign as signBytes,
  constants,
  type KeyObject,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { thumbprint, toPublicJwk } from '../../src/features/tokens/algorithms.js'

type Members = Record<string, unknown>

export interface AccessTokenVector {
  /** The requirement that it tests. */
  id: string
  name: string
  /** Members that differ from the base; `$absent` removes one. */
  header?: Members
  claims?: Members
  /** Claims whose value is this JSON text, for values that no JSON serializer writes. */
  claims_text?: Record<string, string>
  /** Replaces the whole header, or all claims. */
  header_json?: string
  claims_json?: string
  /** The signing key; the active key by default. */
  sign?: Signer
  /** The algorithm of the signature, if it differs from that of the header or the key. */
  sign_algorithm?: string
  /** Members that are changed after signing. */
  header_after_signing?: Members
  claims_after_signing?: Members
  /** How the parts are assembled; `$header.$claims.$signature` by default. */
  compose?: string
  /** The algorithms of the active key to which it applies; all by default. */
  algorithms?: string[]
  algorithms_not?: string[]
  /** The problem that refuses it; null if it is accepted. */
  code: string | null
  /** The problem of routes that require a user, if it is another one. */
  code_where_a_user_is_required?: string
}

type Signer =
  'active' | 'active_der' | 'stranger' | 'zeros' | `${'public_pem' | 'public_jwk'}_as_secret` | 'empty_secret'

interface Vectors {
  base: { header: Members; claims: Members }
  vectors: AccessTokenVector[]
}

const file = new URL('../vectors/access-tokens.json', import.meta.url)
const { base, vectors } = JSON.parse(readFileSync(file, 'utf8')) as Vectors

/** The configuration of the verifier under test. */
export interface VectorSetting {
  issuer: string
  audience: string
  algorithm: string
  kid: string
  privateKey: KeyObject
  /** A URL that counts requests. */
  trap: string
  now: Date
}

/** The vectors for an active key of that algorithm. */
export function vectorsFor(algorithm: string): AccessTokenVector[] {
  return vectors.filter(
    ({ algorithms, algorithms_not: not }) => (algorithms?.includes(algorithm) ?? true) && !not?.includes(algorithm),
  )
}

/** The token of the base with these changes: a genuine one without any. */
export function buildToken(vector: Partial<AccessTokenVector>, setting: VectorSetting): string {
  const { compose = '$header.$claims.$signature', header_after_signing: laterHeader, claims_after_signing } = vector
  const header = headerJson(vector, setting)
  const claims = claimsJson(vector, setting)
  const signature = sign(vector, setting, `${encode(header)}.${encode(claims)}`)
  const shownHeader = laterHeader ? headerJson({ header: laterHeader }, setting) : header
  const shownClaims = claims_after_signing ? claimsJson({ claims: claims_after_signing }, setting) : claims
  const parts: Record<string, string> = {
    header: encode(shownHeader),
    claims: encode(shownClaims),
    signature: signature.toString('base64url'),
    spare_bits: withSpareBits(signature.toString('base64url')),
    // Both replacements, so that one of them differs from the signature's character.
    plain_base64: `+/${signature.toString('base64url').slice(2)}`,
  }
  return compose.replaceAll(/\$(\w+)/g, (text, name: string) => parts[name] ?? text)
}

function headerJson({ header, header_json: text }: Partial<AccessTokenVector>, setting: VectorSetting): string {
  return text ?? fill(JSON.stringify(changed(base.header, header)), setting)
}

function claimsJson(vector: Partial<AccessTokenVector>, setting: VectorSetting): string {
  const { claims, claims_text: texts = {}, claims_json: json } = vector
  if (json !== undefined) return json
  const replaced = Object.fromEntries(Object.keys(texts).map((name) => [name, '$absent']))
  const members = fill(JSON.stringify(changed(base.claims, { ...claims, ...replaced })), setting).slice(1, -1)
  const written = Object.entries(texts).map(([name, text]) => `"${name}":${fillNumbers(text, setting)}`)
  return `{${[members, ...written].join(',')}}`
}

function changed(members: Members, changes: Members = {}): Members {
  return Object.fromEntries(Object.entries({ ...members, ...changes }).filter(([, value]) => value !== '$absent'))
}

/** Inserts the configured values into JSON. */
function fill(json: string, setting: VectorSetting): string {
  const values: Record<string, string> = {
    issuer: setting.issuer,
    audience: setting.audience,
    alg: setting.algorithm,
    kid: setting.kid,
    trap: setting.trap,
    ...tellOfStranger(),
    long: 'x'.repeat(9000),
  }
  return fillNumbers(json.replaceAll(/"(\$now[+-]?\d*)"/g, '$1'), setting)
    .replaceAll('"$stranger_jwk"', '$stranger_jwk')
    .replaceAll(
      /\$(issuer|audience|alg|kid|trap|stranger_kid|stranger_der|stranger_jwk|long)/g,
      (_, name: string) => values[name] ?? '',
    )
}

function fillNumbers(text: string, { now }: VectorSetting): string {
  const seconds = Math.floor(now.getTime() / 1000)
  return text.replaceAll(/\$now([+-]\d+)?/g, (_, offset?: string) => String(seconds + Number(offset ?? 0)))
}

function sign(vector: Partial<AccessTokenVector>, setting: VectorSetting, text: string): Buffer {
  const { sign: signer = 'active', header = {} } = vector
  const { algorithm, privateKey } = setting
  const labelled = typeof header.alg === 'string' && /^HS\d+$/.test(header.alg) ? header.alg : algorithm
  const signAlgorithm = vector.sign_algorithm ?? labelled
  switch (signer) {
    case 'active':
      return signAs(signAlgorithm, privateKey, text)
    case 'active_der':
      return signBytes('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'der' })
    case 'stranger':
      return signAs(signAlgorithm, strangers.get(signAlgorithm), text)
    case 'zeros':
      return Buffer.alloc(signAs(signAlgorithm, privateKey, text).length)
    case 'public_pem_as_secret':
      return hmac(signAlgorithm, createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }), text)
    case 'public_jwk_as_secret':
      return hmac(signAlgorithm, JSON.stringify(toPublicJwk(privateKey)), text)
    case 'empty_secret':
      return hmac(signAlgorithm, '', text)
  }
}

/** A signature in the format of JWS (RFC 7518, section 3; RFC 8037). */
function signAs(algorithm: string, key: KeyObject, text: string): Buffer {
  const bytes = Buffer.from(text)
  switch (algorithm) {
    case 'EdDSA':
      return signBytes(null, bytes, key)
    case 'ES256':
      return signBytes('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' })
    case 'PS256':
      return signBytes('sha256', bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
    case 'RS256':
      return signBytes('sha256', bytes, key)
    default:
      throw new Error(`No vector is signed with ${algorithm}.`)
  }
}

function hmac(algorithm: string, secret: string | Buffer, text: string): Buffer {
  return createHmac(algorithm.replace('HS', 'sha'), secret).update(text).digest()
}

/** Another encoding of the same bytes: the last character has unused bits. */
function withSpareBits(encoded: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return encoded.slice(0, -1) + (alphabet[alphabet.indexOf(encoded.slice(-1)) + 1] ?? '')
}

/** Keys that the verifier under test does not have, generated on first use. */
const strangers = {
  known: new Map<string, KeyObject>(),
  get(algorithm: string): KeyObject {
    const known = this.known.get(algorithm) ?? generateStranger(algorithm)
    this.known.set(algorithm, known)
    return known
  },
}

let toldOfStranger: Record<string, string> | null = null

/** What a token can tell of an unknown key. Made once: converting keys would take most of the time of a test. */
function tellOfStranger(): Record<string, string> {
  toldOfStranger ??= describeKey(strangers.get('EdDSA'))
  return toldOfStranger
}

function describeKey(key: KeyObject): Record<string, string> {
  const jwk = toPublicJwk(key)
  return {
    stranger_kid: thumbprint(jwk),
    stranger_der: createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64'),
    stranger_jwk: JSON.stringify(jwk),
  }
}

function generateStranger(algorithm: string): KeyObject {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519').privateKey
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url')
}
