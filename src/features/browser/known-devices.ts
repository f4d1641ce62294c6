import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../platform/clock.js'
import type { SecretKey, SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { TokenUser } from '../accounts/accounts.js'

/**
 * What a device keeps to show that accounts were signed in on it: `spd_` and, in base64url, the device's random id (16
 * bytes) and for each account a mark: the id of a secret (1 byte), when it was made (4 bytes, seconds, big-endian), what
 * it is bound to (8 bytes of a hash of the user's id and the time at which their password was set) and a tag (16 bytes)
 * over all of that and the address, under a key derived from that secret.
 *
 * It opens nothing. It only keeps strangers who guess at an account from shutting its owner out, and does not tell which
 * accounts it is for. The tag is checked without a query; what the mark is bound to tells, once the user was read, that
 * the password has not changed since, and that the address has not become another user's.
 */
export interface KnownDevice {
  id: Buffer
  marks: Buffer[]
}

export interface KnownDevices {
  /** Reads what a device shows; null for what cannot be read. Which marks are genuine shows when one is asked for. */
  parse(text: string): KnownDevice | null
  /** Whether one of the marks is for this address: what a device can show before the user is read. */
  claims(device: KnownDevice, email: string): boolean
  /** Whether one of the marks is for this user, as they are now. */
  isKnownTo(device: KnownDevice, user: MarkedUser): boolean
  /** Whether this user, as they are now, trusts the device to sign in without a second factor. */
  isTrustedBy(device: KnownDevice, user: MarkedUser): boolean
  /** What the device is to keep from now on, after this user has signed in on it, and whether they begin to trust it. */
  remember(device: KnownDevice | null, user: MarkedUser, options?: { trusts: boolean }): string
}

export type MarkedUser = Pick<TokenUser, 'id' | 'email' | 'passwordSetAt' | 'trustEpoch'>

export interface KnownDevicesOptions {
  secrets: SecretKeys
  clock: Clock
  /** MFA_TRUST_DAYS in seconds; 0 trusts no device. */
  trustSeconds: number
}

/** How long a device stays known to an account that does not sign in on it again. */
export const KNOWN_FOR_SECONDS = 365 * 24 * 60 * 60

/** The marks that one device keeps: of more, those of the accounts that signed in last. */
const MAX_MARKS = 10

const PREFIX = 'spd_'
const ID_BYTES = 16
const BINDING_START = 5
const TAG_START = BINDING_START + 8
const MARK_BYTES = TAG_START + 16

/** The purposes of the keys, by the kind of the mark. */
const purposes = { known: 'known-device', trusted: 'trusted-device' } as const

type MarkKind = keyof typeof purposes

export function createKnownDevices({ secrets, clock, trustSeconds }: KnownDevicesOptions): KnownDevices {
  const nowSeconds = () => Math.floor(clock.now().getTime() / 1000)

  function isCurrent(mark: Buffer): boolean {
    return nowSeconds() - mark.readUInt32BE(1) <= KNOWN_FOR_SECONDS
  }

  /** A setting that was lowered since shortens the trust, too. */
  function isTrustCurrent(mark: Buffer): boolean {
    const secondsLeft = mark.readUInt32BE(1) - nowSeconds()
    return secondsLeft > 0 && secondsLeft <= trustSeconds
  }

  function isFor(kind: MarkKind, id: Buffer, mark: Buffer, email: string): boolean {
    const candidates = secrets.withId(mark.readUInt8(0))
    return candidates.some((secret) => timingSafeEqual(tagOf(kind, secret, id, mark, email), mark.subarray(TAG_START)))
  }

  function markFor(kind: MarkKind, id: Buffer, user: MarkedUser): Buffer {
    const mark = Buffer.alloc(MARK_BYTES)
    mark.writeUInt8(secrets.current.id, 0)
    mark.writeUInt32BE(kind === 'known' ? nowSeconds() : nowSeconds() + trustSeconds, 1)
    bindingOf(kind, user).copy(mark, BINDING_START)
    tagOf(kind, secrets.current, id, mark, user.email).copy(mark, TAG_START)
    return mark
  }

  function isBound(kind: MarkKind, id: Buffer, mark: Buffer, user: MarkedUser): boolean {
    return mark.subarray(BINDING_START, TAG_START).equals(bindingOf(kind, user)) && isFor(kind, id, mark, user.email)
  }

  const isTrustOf = (id: Buffer, mark: Buffer, user: MarkedUser) =>
    isTrustCurrent(mark) && isBound('trusted', id, mark, user)

  return {
    parse(text) {
      if (!text.startsWith(PREFIX)) return null
      const encoded = text.slice(PREFIX.length)
      const bytes = Buffer.from(encoded, 'base64url')
      const marksLength = bytes.length - ID_BYTES
      const isWhole = marksLength > 0 && marksLength % MARK_BYTES === 0 && marksLength <= MAX_MARKS * MARK_BYTES
      if (!isWhole || bytes.toString('base64url') !== encoded) return null
      const starts = Array.from({ length: marksLength / MARK_BYTES }, (_, index) => ID_BYTES + index * MARK_BYTES)
      return {
        id: bytes.subarray(0, ID_BYTES),
        marks: starts.map((start) => bytes.subarray(start, start + MARK_BYTES)),
      }
    },

    claims: ({ id, marks }, email) => marks.some((mark) => isCurrent(mark) && isFor('known', id, mark, email)),
    isKnownTo: ({ id, marks }, user) => marks.some((mark) => isCurrent(mark) && isBound('known', id, mark, user)),
    isTrustedBy: ({ id, marks }, user) => marks.some((mark) => isTrustOf(id, mark, user)),

    remember(device, user, { trusts } = { trusts: false }) {
      const { id, marks } = device ?? { id: randomBytes(ID_BYTES), marks: [] }
      const isOwn = (mark: Buffer) => isFor('known', id, mark, user.email) || isFor('trusted', id, mark, user.email)
      const others = marks.filter((mark) => isCurrent(mark) && !isOwn(mark))
      const trust =
        trusts && trustSeconds > 0
          ? [markFor('trusted', id, user)]
          : marks.filter((mark) => isTrustOf(id, mark, user)).slice(0, 1)
      const kept = [markFor('known', id, user), ...trust, ...others].slice(0, MAX_MARKS)
      return PREFIX + Buffer.concat([id, ...kept]).toString('base64url')
    },
  }
}

/** Changes with the password or, for trust, with any credential, and differs between two users who have had the same address. */
function bindingOf(kind: MarkKind, { id, passwordSetAt, trustEpoch }: MarkedUser): Buffer {
  const state = kind === 'known' ? passwordSetAt.toISOString() : String(trustEpoch)
  return createHash('sha256').update(`${id} ${state}`).digest().subarray(0, 8)
}

function tagOf(kind: MarkKind, secret: SecretKey, id: Buffer, mark: Buffer, email: string): Buffer {
  const hmac = createHmac('sha256', secret.derive(purposes[kind]))
  return hmac.update(id).update(mark.subarray(1, TAG_START)).update(email).digest().subarray(0, 16)
}
