import { MAX_ACCESS_TOKEN_SECONDS } from '../../wire/claims.js'
import type { KeyUse, SigningAlgorithm } from './algorithms.js'

export type KeyState = 'next' | 'active' | 'retired' | 'withdrawn'

/** The part of a key that the schedule uses. */
export interface KeyAge {
  kid: string
  use: KeyUse
  algorithm: string
  state: KeyState
  createdAt: Date
  activatedAt: Date | null
  retiredAt: Date | null
}

const DAY_MS = 24 * 3600 * 1000
const ACTIVE_MS = 90 * DAY_MS

/** How long a key is in the key set before tokens are signed with it, so that every verifier's cache holds it. */
const PUBLISHED_AHEAD_MS = DAY_MS

/**
 * How long a retired key stays in the key set. For access tokens: the longest life of a token, the five minutes that a key
 * set is cached, the minute after which the last instance has noticed the rotation, and as much again for clocks and slow
 * readers. An ID token names its session long after it has expired (`id_token_hint`), until the next rotation.
 */
const retiredMs = {
  access_token: 2 * MAX_ACCESS_TOKEN_SECONDS * 1000,
  resource_token: 2 * MAX_ACCESS_TOKEN_SECONDS * 1000,
  id_token: ACTIVE_MS,
  id_token_es256: ACTIVE_MS,
} as const satisfies Record<KeyUse, number>

/** Whether verifiers may rely on the key: it is in the key set, and tokens that it signed are accepted. */
export function isPublished(key: KeyAge, now: Date): boolean {
  if (key.state === 'next' || key.state === 'active') return true
  return (
    key.state === 'retired' && key.retiredAt !== null && now.getTime() < key.retiredAt.getTime() + retiredMs[key.use]
  )
}

/** Whether the next key has been published for long enough to sign with it. */
export function isPublishedLongEnough(next: KeyAge, now: Date): boolean {
  return now.getTime() >= next.createdAt.getTime() + PUBLISHED_AHEAD_MS
}

export type KeyChange = 'make_active_and_next' | 'make_next' | 'replace_next' | 'rotate' | null

/** The next due change of the keys. The caller repeats this until it returns null. */
export function nextKeyChange(keys: readonly KeyAge[], algorithm: SigningAlgorithm, now: Date): KeyChange {
  const active = keys.find((key) => key.state === 'active')
  const next = keys.find((key) => key.state === 'next')
  if (!active) return 'make_active_and_next'
  if (!next) return 'make_next'
  if (next.algorithm !== algorithm) return 'replace_next'
  return isRotationDue(active, next, now) ? 'rotate' : null
}

function isRotationDue(active: KeyAge, next: KeyAge, now: Date): boolean {
  if (!isPublishedLongEnough(next, now)) return false
  const since = active.activatedAt ?? active.createdAt
  // Another algorithm was set: the key of the old one leaves as soon as verifiers know its successor.
  return active.algorithm !== next.algorithm || now.getTime() >= since.getTime() + ACTIVE_MS
}
