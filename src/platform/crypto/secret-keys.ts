import { createHash, hkdfSync, randomBytes } from 'node:crypto'
import { Secret } from './secret.js'

const KEY_BYTES = 32

/**
 * One of the server's secrets. It is never used directly: each signing or encryption key is derived from it for one
 * purpose, so that a weakness in one use does not affect another.
 */
export class SecretKey {
  /** The first byte of the SHA-256 of the secret: short enough for each token, and not always unique. */
  readonly id: number
  readonly #bytes: Secret<Buffer>
  readonly #derived = new Map<string, Buffer>()

  constructor(bytes: Buffer) {
    this.#bytes = new Secret(bytes)
    this.id = createHash('sha256').update(bytes).digest().readUInt8(0)
  }

  /**
   * The key for one purpose: 32 bytes by HKDF-SHA-256 (RFC 5869). No salt is needed, because the secret is random and
   * long. The buffer is shared by all callers with the same purpose, and must not be modified.
   */
  derive(purpose: string): Buffer {
    const known = this.#derived.get(purpose)
    if (known !== undefined) return known
    const key = Buffer.from(hkdfSync('sha256', this.#bytes.reveal(), '', `sallyport ${purpose}`, KEY_BYTES))
    this.#derived.set(purpose, key)
    return key
  }
}

/** The server's secrets in the order of the setting: the first signs and encrypts, all verify and decrypt. */
export class SecretKeys {
  readonly current: SecretKey
  readonly all: readonly SecretKey[]

  constructor(current: SecretKey, ...others: SecretKey[]) {
    this.current = current
    this.all = Object.freeze([current, ...others])
  }

  /** All secrets with this id: none if it is not listed, occasionally two. The caller tries each. */
  withId(id: number): SecretKey[] {
    return this.all.filter((key) => key.id === id)
  }
}

/** Parses the result of `generateSecretKey`; null for anything but base64url without padding, in canonical form. */
export function parseSecretKey(text: string): SecretKey | null {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length === 0 || bytes.toString('base64url') !== text) return null
  return new SecretKey(bytes)
}

/** Generates a secret: 32 random bytes, 43 characters of base64url. */
export function generateSecretKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url')
}
