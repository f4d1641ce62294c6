import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { SecretKey, SecretKeys } from '../../platform/crypto/secret-keys.js'

/**
 * A refresh token is `spr_` and, in base64url, the id of a secret (1 byte), the family's random handle (32 bytes), the
 * generation (4 bytes, big-endian) and a tag (16 bytes) over the last two, under a key derived from that secret.
 *
 * The tag refuses what we never issued before the database is asked, so that no session can be ended by guessing. The
 * successor of a token is the next generation of the same handle: it can be made again for a client that lost it, and
 * nothing that could be turned into a token is ever stored.
 */
export interface RefreshToken {
  handle: Buffer
  generation: number
}

const PREFIX = 'spr_'
const HANDLE_BYTES = 32
const TAG_BYTES = 16
const HANDLE_START = 1
const GENERATION_START = HANDLE_START + HANDLE_BYTES
const TAG_START = GENERATION_START + 4
const TOKEN_BYTES = TAG_START + TAG_BYTES

/** The column is a signed integer of 32 bits, and the successor's generation has to fit too. No session gets this far. */
const MAX_GENERATION = 2 ** 31 - 2

const PURPOSE = 'refresh-token'

/** Starts a family: a handle of 256 random bits and the first generation. */
export function createRefreshToken(): RefreshToken {
  return { handle: randomBytes(HANDLE_BYTES), generation: 0 }
}

/** The token that follows: the same handle, one generation on. */
export function successorOf(token: RefreshToken): RefreshToken {
  return { handle: token.handle, generation: token.generation + 1 }
}

/** Writes a token under the current secret. */
export function formatRefreshToken(secrets: SecretKeys, token: RefreshToken): string {
  const body = Buffer.alloc(TAG_START)
  body.writeUInt8(secrets.current.id, 0)
  token.handle.copy(body, HANDLE_START)
  body.writeUInt32BE(token.generation, GENERATION_START)
  return PREFIX + Buffer.concat([body, tagOf(secrets.current, body)]).toString('base64url')
}

/** Reads a token that we issued; null for any other text, another spelling of the same bytes included. */
export function parseRefreshToken(secrets: SecretKeys, text: string): RefreshToken | null {
  if (!text.startsWith(PREFIX)) return null
  const encoded = text.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.length !== TOKEN_BYTES || bytes.toString('base64url') !== encoded) return null
  const tag = bytes.subarray(TAG_START)
  const generation = bytes.readUInt32BE(GENERATION_START)
  const genuine =
    generation <= MAX_GENERATION &&
    secrets.withId(bytes.readUInt8(0)).some((secret) => timingSafeEqual(tagOf(secret, bytes), tag))
  if (!genuine) return null
  return {
    handle: bytes.subarray(HANDLE_START, GENERATION_START),
    generation,
  }
}

/** What the database knows a family by. */
export function hashHandle(handle: Buffer): Buffer {
  return createHash('sha256').update(handle).digest()
}

function tagOf(secret: SecretKey, token: Buffer): Buffer {
  const signed = token.subarray(HANDLE_START, TAG_START)
  return createHmac('sha256', secret.derive(PURPOSE)).update(signed).digest().subarray(0, TAG_BYTES)
}

/** The `Idempotency-Key` that a client makes before a refresh and repeats when it retries. */
export const attemptKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{16,128}$/, 'An Idempotency-Key is 16 to 128 visible ASCII characters')

/** One try to refresh, told apart from every other by its hash. */
export interface Attempt {
  hash: Buffer
  /** Whether the client named it; else its name is ours, so that a repetition of our own is known as one. */
  keyed: boolean
}

/**
 * Names an attempt. Only its hash is kept, together with the handle, which the database does not know:
 * a weak key cannot be guessed from a dump.
 */
export function createAttempt(handle: Buffer, key: string | null): Attempt {
  if (key === null) return { hash: randomBytes(32), keyed: false }
  return { hash: createHash('sha256').update(handle).update(key).digest(), keyed: true }
}
