import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../../platform/clock.js'
import { open, seal } from '../../platform/crypto/sealing.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Queries } from '../../platform/database/database.js'
import { noCaller } from '../../platform/http/caller.js'
import { operator, system, type Actor, type Audit } from '../audit/audit.js'
import type { keyEvents } from './audit-events.js'
import {
  generateSigningKey,
  thumbprint,
  toPublicJwk,
  type GenerateKey,
  type KeyUse,
  type SigningAlgorithm,
} from './algorithms.js'
import { isPublished, isPublishedLongEnough, nextKeyChange, type KeyState } from './key-schedule.js'
import * as store from './store.js'

/** Which keys to withdraw: one, or all published ones. */
export type Withdrawal = { kid: string } | 'all'

/** Changes of the stored keys of one use. Each runs in the caller's transaction, which holds the lock on the keys. */
export interface KeyChanges {
  /** Makes the change that is due, if any. */
  makeDue(tx: Queries, spare: KeyObject[]): Promise<void>
  /** Activates the next key and returns its id; null while verifiers may not know it yet, unless forced. */
  rotate(tx: Queries, options: { force: boolean }): Promise<string | null>
  /** Withdraws keys permanently, replaces the active and next ones, and returns the ids of the newly withdrawn keys. */
  withdraw(tx: Queries, which: Withdrawal, spare: KeyObject[]): Promise<string[]>
  /** Encrypts every private key again, under the current secret, and returns their number. */
  reseal(tx: Queries): Promise<number>
  /** The private part of a key; null if no listed secret decrypts it. */
  openKey(key: store.StoredKey): KeyObject | null
  /** Two keys, enough for every change. Not inside a transaction: generating an RSA key takes a second. */
  makeSpare(): Promise<KeyObject[]>
}

interface KeyChangesOptions {
  secrets: SecretKeys
  use: KeyUse
  algorithm: SigningAlgorithm
  clock: Clock
  audit: Audit<typeof keyEvents>
  generateKey?: GenerateKey | undefined
}

const SEALING_PURPOSE = 'signing-key'

export function createKeyChanges(options: KeyChangesOptions): KeyChanges {
  const { secrets, use, algorithm, clock, audit, generateKey = generateSigningKey } = options

  function openKey(key: store.StoredKey): KeyObject | null {
    const der = open(secrets, SEALING_PURPOSE, key.secretId, key.sealedPrivateKey, key.kid)
    return der && createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  }

  function sealKey(kid: string, privateKey: KeyObject) {
    return seal(secrets, SEALING_PURPOSE, privateKey.export({ format: 'der', type: 'pkcs8' }), kid)
  }

  async function insert(tx: Queries, privateKey: KeyObject | undefined, state: KeyState): Promise<void> {
    if (privateKey === undefined) return
    const now = clock.now()
    const publicKey = toPublicJwk(privateKey)
    const kid = thumbprint(publicKey)
    const { secretId, sealed } = sealKey(kid, privateKey)
    const times = { createdAt: now, activatedAt: state === 'active' ? now : null, retiredAt: null }
    await store.insertKey(tx, { kid, use, algorithm, state, publicKey, secretId, sealedPrivateKey: sealed, ...times })
  }

  async function advance(tx: Queries, keys: store.StoredKey[], now: Date, actor: Actor): Promise<string | null> {
    for (const kid of kidsInState(keys, 'active')) await store.retireKey(tx, kid, now)
    const [next] = kidsInState(keys, 'next')
    if (next === undefined) return null
    await store.activateKey(tx, next, now)
    await audit.record(tx, { event: 'key_rotated', actor, caller: noCaller, detail: { kid: next } })
    return next
  }

  return {
    openKey,
    makeSpare: () => Promise.all([generateKey(algorithm, use), generateKey(algorithm, use)]),

    async makeDue(tx, spare) {
      await store.lockKeys(tx)
      const keys = await store.findKeys(tx, use)
      const now = clock.now()
      const change = nextKeyChange(keys, algorithm, now)
      switch (change) {
        case null:
          return
        case 'make_active_and_next':
          await insert(tx, spare[0], 'active')
          await insert(tx, spare[1], 'next')
          return
        case 'make_next':
          await insert(tx, spare[0], 'next')
          return
        case 'replace_next':
          await store.deleteKeys(tx, kidsInState(keys, 'next'))
          await insert(tx, spare[0], 'next')
          return
        case 'rotate':
          await advance(tx, keys, now, system)
          return
      }
    },

    async rotate(tx, { force }) {
      await store.lockKeys(tx)
      const keys = await store.findKeys(tx, use)
      const now = clock.now()
      const next = keys.find((key) => key.state === 'next')
      if (!next || (!force && !isPublishedLongEnough(next, now))) return null
      return advance(tx, keys, now, operator)
    },

    async withdraw(tx, which, spare) {
      await store.lockKeys(tx)
      const keys = await store.findKeys(tx, use)
      const now = clock.now()
      const isMeant = (key: store.StoredKey) =>
        which === 'all' ? isPublished(key, now) : key.kid === which.kid && key.state !== 'withdrawn'
      const kids = keys.filter(isMeant).map((key) => key.kid)
      await store.withdrawKeys(tx, kids)
      for (const kid of kids) {
        await audit.record(tx, { event: 'key_withdrawn', actor: operator, caller: noCaller, detail: { kid } })
      }

      const left = keys.filter((key) => !kids.includes(key.kid))
      const [next] = kidsInState(left, 'next')
      const isSigning = left.some((key) => key.state === 'active')
      // The next key is preferred as the replacement: verifiers that cache the key set may know it already.
      if (!isSigning && next !== undefined) await advance(tx, left, now, operator)
      if (!isSigning && next === undefined) await insert(tx, spare[0], 'active')
      if (!isSigning || next === undefined) await insert(tx, spare[1], 'next')
      return kids
    },

    async reseal(tx) {
      await store.lockKeys(tx)
      let resealed = 0
      // All keys: two secrets may share an id, so the id does not show which one encrypted a key.
      for (const key of await store.findKeys(tx, use)) {
        const privateKey = openKey(key)
        if (privateKey === null) continue
        await store.resealKey(tx, key.kid, sealKey(key.kid, privateKey))
        resealed += 1
      }
      return resealed
    },
  }
}

export function kidsInState(keys: store.StoredKey[], state: KeyState): string[] {
  return keys.filter((key) => key.state === state).map((key) => key.kid)
}
