import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../../platform/clock.js'
import { open, seal } from '../../platform/crypto/sealing.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { operatorCaller } from '../../platform/http/caller.js'
import type { Audit } from '../audit/audit.js'
import { generateSigningKey, thumbprint, toPublicJwk, type PublicJwk, type SigningAlgorithm } from './algorithms.js'
import { isPublished, isPublishedLongEnough, nextKeyChange, type KeyState } from './key-schedule.js'
import * as store from './store.js'

/** A published key: tokens that it signed are accepted. */
export interface VerificationKey {
  kid: string
  algorithm: string
  publicKeyPem: string
  jwk: PublicJwk
}

export interface SigningKey {
  kid: string
  algorithm: string
  privateKeyPem: string
}

export interface SigningKeys {
  /** Makes what is missing, rotates what is due and reads the keys. At a start, and then every minute. */
  maintain(): Promise<void>
  /** Reads the keys again. */
  reload(): Promise<void>
  /** The key that new tokens are signed with. */
  active(): SigningKey
  /** The published key of that id, as far as this process knows. */
  find(kid: string): VerificationKey | null
  /** The same, after reading the keys again where they were not read within the last second. */
  findAfterReload(kid: string): Promise<VerificationKey | null>
  published(): VerificationKey[]
  /**
   * Signs with the next key from now on. Refuses (`too_soon`) while verifiers may not know that key yet, unless forced.
   */
  rotate(options: { force: boolean }): Promise<{ outcome: 'rotated'; kid: string } | { outcome: 'too_soon' }>
  /** Seals every private key again, with the current secret; answers how many. */
  reseal(): Promise<number>
}

/** Stored keys that no listed secret opens. Starting without them would refuse tokens that are still good. */
export class LockedKeysError extends Error {
  override readonly name = 'LockedKeysError'

  constructor(keys: store.StoredKey[]) {
    const lines = keys.map((key) => `  ${key.kid} (${key.state}) needs the secret with id ${String(key.secretId)}`)
    super(
      `No secret in SECRET_KEY opens these signing keys:\n${lines.join('\n')}\n` +
        'Add the secret that they were sealed with to SECRET_KEY, separated by a comma, and start again.',
    )
  }
}

interface SigningKeysOptions {
  database: Database
  secrets: SecretKeys
  algorithm: SigningAlgorithm
  clock: Clock
  audit: Audit
}

const SEALING_PURPOSE = 'signing-key'
const RELOAD_INTERVAL_MS = 1000

export function createSigningKeys({ database, secrets, algorithm, clock, audit }: SigningKeysOptions): SigningKeys {
  let published = new Map<string, VerificationKey>()
  let active: SigningKey | null = null
  let lastReload = { startedAt: -Infinity, done: Promise.resolve() }

  /** Reads the keys, at most once a second however many ask. A failure leaves what is known in force. */
  function reloadAtMostOnceASecond(): Promise<void> {
    const now = performance.now()
    if (now - lastReload.startedAt >= RELOAD_INTERVAL_MS) {
      lastReload = { startedAt: now, done: keys.reload() }
    }
    return lastReload.done.catch(() => undefined)
  }

  function adopt(keys: store.StoredKey[]): void {
    const locked = keys.filter((key) => key.state !== 'retired' && key.state !== 'withdrawn' && openKey(key) === null)
    if (locked.length > 0) throw new LockedKeysError(locked)

    const now = clock.now()
    published = new Map(keys.filter((key) => isPublished(key, now)).map((key) => [key.kid, toVerificationKey(key)]))
    const stored = keys.find((key) => key.state === 'active')
    const privateKey = stored && openKey(stored)
    if (stored && privateKey) {
      const privateKeyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
      active = { kid: stored.kid, algorithm: stored.algorithm, privateKeyPem }
    }
  }

  function openKey(key: store.StoredKey): KeyObject | null {
    const der = open(secrets, SEALING_PURPOSE, key.secretId, key.sealedPrivateKey, key.kid)
    return der && createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  }

  function sealKey(kid: string, privateKey: KeyObject) {
    return seal(secrets, SEALING_PURPOSE, privateKey.export({ format: 'der', type: 'pkcs8' }), kid)
  }

  function toStoredKey(privateKey: KeyObject, state: KeyState, now: Date): store.StoredKey {
    const publicKey = toPublicJwk(privateKey)
    const kid = thumbprint(publicKey)
    const { secretId, sealed } = sealKey(kid, privateKey)
    const activatedAt = state === 'active' ? now : null
    const times = { createdAt: now, activatedAt, retiredAt: null }
    return { kid, algorithm, state, publicKey, secretId, sealedPrivateKey: sealed, ...times }
  }

  /** Makes one change, if one is due; the keys that it may need were generated before the lock was taken. */
  async function changeOnce(tx: Queries, spare: KeyObject[]): Promise<void> {
    await store.lockKeys(tx)
    const keys = await store.findKeys(tx)
    const now = clock.now()
    const make = (state: KeyState) => {
      const privateKey = spare.pop()
      return privateKey === undefined ? Promise.resolve() : store.insertKey(tx, toStoredKey(privateKey, state, now))
    }
    const change = nextKeyChange(keys, algorithm, now)
    switch (change) {
      case null:
        return
      case 'make_active_and_next':
        await make('active')
        await make('next')
        return
      case 'make_next':
        await make('next')
        return
      case 'replace_next':
        await store.deleteKeys(tx, kidsInState(keys, 'next'))
        await make('next')
        return
      case 'rotate':
        await advance(tx, keys, now)
        return
    }
  }

  async function advance(tx: Queries, keys: store.StoredKey[], now: Date): Promise<string | undefined> {
    for (const kid of kidsInState(keys, 'active')) await store.retireKey(tx, kid, now)
    const [next] = kidsInState(keys, 'next')
    if (next === undefined) return undefined
    await store.activateKey(tx, next, now)
    await audit.record(tx, { event: 'key_rotated', caller: operatorCaller, detail: { kid: next } })
    return next
  }

  async function makeAllChanges(): Promise<store.StoredKey[]> {
    for (;;) {
      const stored = await database.query(store.findKeys)
      if (nextKeyChange(stored, algorithm, clock.now()) === null) return stored
      // Never inside the transaction: an RSA key takes a second to make.
      const spare = [await generateSigningKey(algorithm), await generateSigningKey(algorithm)]
      await database.transaction((tx) => changeOnce(tx, spare))
    }
  }

  /** Deletes retired keys that have left the key set: no live token was signed with them. */
  async function purge(stored: store.StoredKey[]): Promise<void> {
    const now = clock.now()
    const expired = stored.filter((key) => key.state === 'retired' && !isPublished(key, now))
    if (expired.length > 0)
      await database.query((client) =>
        store.deleteKeys(
          client,
          expired.map((key) => key.kid),
        ),
      )
  }

  const keys: SigningKeys = {
    async maintain() {
      const stored = await makeAllChanges()
      adopt(stored)
      await purge(stored)
    },

    async reload() {
      adopt(await database.query(store.findKeys))
    },

    active() {
      if (active === null) throw new Error('The signing keys have not been read yet.')
      return active
    },

    find: (kid) => published.get(kid) ?? null,

    async findAfterReload(kid) {
      await reloadAtMostOnceASecond()
      return keys.find(kid)
    },

    published: () => [...published.values()],

    async rotate({ force }) {
      const kid = await database.transaction(async (tx) => {
        await store.lockKeys(tx)
        const stored = await store.findKeys(tx)
        const next = stored.find((key) => key.state === 'next')
        if (!next || (!force && !isPublishedLongEnough(next, clock.now()))) return undefined
        return advance(tx, stored, clock.now())
      })
      if (kid === undefined) return { outcome: 'too_soon' }
      await keys.maintain()
      return { outcome: 'rotated', kid }
    },

    reseal() {
      return database.transaction(async (tx) => {
        await store.lockKeys(tx)
        let resealed = 0
        // All of them: two secrets may share an id, so the id does not tell which one sealed a key.
        for (const key of await store.findKeys(tx)) {
          const privateKey = openKey(key)
          if (privateKey === null) continue
          await store.resealKey(tx, key.kid, sealKey(key.kid, privateKey))
          resealed += 1
        }
        const detail = { keys: resealed, secret_id: secrets.current.id }
        await audit.record(tx, { event: 'keys_resealed', caller: operatorCaller, detail })
        return resealed
      })
    },
  }
  return keys
}

function kidsInState(keys: store.StoredKey[], state: KeyState): string[] {
  return keys.filter((key) => key.state === state).map((key) => key.kid)
}

function toVerificationKey({ kid, algorithm, publicKey }: store.StoredKey): VerificationKey {
  const publicKeyPem = createPublicKey({ key: publicKey, format: 'jwk' }).export({ format: 'pem', type: 'spki' })
  return { kid, algorithm, publicKeyPem: publicKeyPem.toString(), jwk: publicKey }
}
