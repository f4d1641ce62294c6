import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { SecretKeys } from './secret-keys.js'

const ALGORITHM = 'aes-256-gcm'
// 96 bits is the length that GCM is made for; random ones are safe for 2^32 messages under one key (SP 800-38D, 8.3).
const IV_BYTES = 12
const TAG_BYTES = 16

export interface Sealed {
  /** Which of the server's secrets opens it again. */
  secretId: number
  /** The initialization vector, the tag and the ciphertext, one after the other. */
  sealed: Buffer
}

/**
 * Encrypts under the current secret, with a key derived for the purpose. The context, such as the id of the row that
 * keeps the result, is not stored; it has to be the same at opening, so that one row's content is of no use in another.
 */
export function seal(secrets: SecretKeys, purpose: string, plaintext: Buffer, context: string): Sealed {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(ALGORITHM, secrets.current.derive(purpose), iv, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(context))
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return { secretId: secrets.current.id, sealed: Buffer.concat([iv, cipher.getAuthTag(), ciphertext]) }
}

/** Decrypts what `seal` made, or answers null: no listed secret opens it, or it is not what was sealed. */
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
    // The one failure of `final` is a tag that does not fit.
    return null
  }
}
