import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SecretKey, SecretKeys } from '../../platform/crypto/secret-keys.js'

/** What a challenge is for. An answer to one counts nowhere else. */
export type Ceremony = 'sign_in' | 'second_factor' | 'reauthenticate' | 'register'

/** The ceremony, and the user who performs it; null where the passkey shows who that is. */
export interface ChallengeUse {
  purpose: Ceremony
  userId: string | null
}

/** A challenge that is genuine and has not expired. Whether it was answered before is known to the database. */
export interface Challenge {
  /** The random part, by which it is spent. */
  id: Buffer
  expiresAt: Date
}

export const CHALLENGE_SECONDS = 5 * 60

const purposes: Record<Ceremony, number> = { sign_in: 1, second_factor: 2, reauthenticate: 3, register: 4 }

const PURPOSE = 'passkey-challenge'
const ID_START = 6
const TAG_START = ID_START + 16
const BYTES = TAG_START + 16

/**
 * A challenge that needs no row until it is answered, so that a page that offers passkeys costs none: the id of a secret
 * (1 byte), when it expires (4 bytes, seconds, big-endian), its purpose (1 byte), 16 random bytes, and a tag (16 bytes) over
 * all of that and the user, under a key derived from that secret.
 */
export function createChallenge(secrets: SecretKeys, { purpose, userId }: ChallengeUse, now: Date): Buffer {
  const challenge = Buffer.alloc(BYTES)
  challenge.writeUInt8(secrets.current.id, 0)
  challenge.writeUInt32BE(Math.floor(now.getTime() / 1000) + CHALLENGE_SECONDS, 1)
  challenge.writeUInt8(purposes[purpose], 5)
  randomBytes(TAG_START - ID_START).copy(challenge, ID_START)
  tagOf(secrets.current, challenge, userId).copy(challenge, TAG_START)
  return challenge
}

/** Reads a challenge in base64url; null unless it was made for this use and has not expired. */
export function readChallenge(
  secrets: SecretKeys,
  text: string,
  { purpose, userId }: ChallengeUse,
  now: Date,
): Challenge | null {
  const challenge = Buffer.from(text, 'base64url')
  if (challenge.length !== BYTES || challenge.toString('base64url') !== text) return null
  const isGenuine = secrets
    .withId(challenge.readUInt8(0))
    .some((secret) => timingSafeEqual(tagOf(secret, challenge, userId), challenge.subarray(TAG_START)))
  if (!isGenuine || challenge.readUInt8(5) !== purposes[purpose]) return null
  const expiresAt = new Date(challenge.readUInt32BE(1) * 1000)
  return expiresAt > now ? { id: challenge.subarray(ID_START, TAG_START), expiresAt } : null
}

function tagOf(secret: SecretKey, challenge: Buffer, userId: string | null): Buffer {
  const hmac = createHmac('sha256', secret.derive(PURPOSE)).update(challenge.subarray(0, TAG_START))
  return hmac
    .update(userId ?? '')
    .digest()
    .subarray(0, BYTES - TAG_START)
}
