import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { SecretKeys } from './secret-keys.js'

const ALGORITHM = 'aes-256-gcm'
// 96 bits is the nonce length of GCM; random nonces are safe for 2^32 messages under one key (SP 800-38D, 8.3).
const IV_BYTES = 12
const TAG_BYTES = 16

export interface Sealed {
  /** The id of the server secret that opens it. */
  secretId: number
  /** The initialization vector, the tag and the ciphertext, concatenated. */
  sealed: Buffer
}

/**
 * Encrypts under the current secret, with a key derived for the purpose. The context, such as the id of the row that
 * stores the result, is authenticated but not stored: opening requires the same one, so that content cannot be moved to
 * another row.
 */
export function seal(secrets: SecretKeys, purpose: string, plaintext: Buffer, context: string): Sealed {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(ALGORITHM, secrets.current.derive(purpose), iv, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(context))
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return { secretId: secrets.current.id, sealed: Buffer.concat([iv, cipher.getAuthTag(), ciphertext]) }
}

/** Decrypts the result of `seal`; null if no listed secret opens it, or if it was modified. */
export function open(
  secrets: SecretKeys,
  purpose: string,
  secretId: number,
  sealed: Uint8Array,
  context: string,
): Buffer | null {
  for (const secret of secrets.withId(secretId)) {
    const plaintext = openWith(secret.derive(purpose), Buffer.from(sealed), context)
    if (plaintext !== null) return plaintext
  }
  return null
}

function openWith(key: Buffer, sealed: Buffer, context: string): Buffer | null {
  if (sealed.length < IV_BYTES + TAG_BYTES) return null
  const iv = sealed.subarray(0, IV_BYTES)
  const tag = sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(tag)
  const start = decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES))
  try {
    return Buffer.concat([start, decipher.final()])
  } catch {
    // `final` fails only if the tag does not match.
    return null
  }
}
