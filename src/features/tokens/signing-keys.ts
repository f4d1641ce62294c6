import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../../platform/clock.js'
import { createKeyJwt, type KeyJwt } from '../../platform/crypto/key-jwt.js'
import type { SecretKeys } from '../../platform/crypto/secret-keys.js'
import type { Database, Queries } from '../../platform/database/database.js'
import type { Audit } from '../audit/audit.js'
import type { GenerateKey, KeyUse, PublicJwk, SigningAlgorithm } from './algorithms.js'
import type { keyEvents } from './audit-events.js'
import { createKeyChanges, kidsInState, type Withdrawal } from './key-changes.js'
import { isPublished, nextKeyChange } from './key-schedule.js'
import * as store from './store.js'

/** A published key, whose tokens are accepted. */
export interface VerificationKey {
  kid: string
  algorithm: string
  jwk: PublicJwk
  jwt: Pick<KeyJwt, 'verify'>
}

export interface SigningKey {
  kid: string
  jwt: Pick<KeyJwt, 'sign'>
}

/** A key with its private part, for a library that signs by itself. */
export interface PrivateKey {
  kid: string
  algorithm: string
  privateKey: KeyObject
}

/** The signing keys of one use. */
export interface KeySet {
  /** Whether there are keys that sign; if not, there can still be published ones. */
  readonly isSigning: boolean
  /** Creates missing keys, rotates those that are due and reads all keys. Called at the start and every minute. */
  maintain(): Promise<void>
  /** Reads the keys from the database. */
  reload(): Promise<void>
  /** The key that signs new tokens. */
  active(): SigningKey
  /** The key that signs new tokens, and after it the retired ones that are still published. */
  privateKeys(): readonly PrivateKey[]
  /** The published key with this id, if it is in memory. */
  find(kid: string): VerificationKey | null
  /** The same, but reads the keys first unless they were read within the last second. */
  findAfterReload(kid: string): Promise<VerificationKey | null>
  published(): VerificationKey[]
  /** Whether the key is withdrawn, by the keys in memory. */
  isWithdrawn(kid: string): boolean
  /**
   * Activates the next key. Refuses (`too_soon`) while verifiers may not know that key yet, unless forced.
   */
  rotate(options: { force: boolean }): Promise<{ outcome: 'rotated'; kid: string } | { outcome: 'too_soon' }>
  /**
   * Prepares the permanent withdrawal of keys: in a transaction, the result activates replacements and returns the ids of
   * the newly withdrawn keys.
   */
  prepareWithdrawal(which: Withdrawal): Promise<(tx: Queries) => Promise<string[]>>
  /** Encrypts every private key again, under the current secret, and returns their number. */
  reseal(tx: Queries): Promise<number>
}

/** Stored keys that no listed secret decrypts. Starting without them would refuse valid tokens. */
export class LockedKeysError extends Error {
  override readonly name = 'LockedKeysError'

  constructor(keys: store.StoredKey[]) {
    const lines = keys.map((key) => `  ${key.kid} (${key.state}) requires the secret with id ${String(key.secretId)}`)
    super(
      `No secret in SECRET_KEY can decrypt these signing keys:\n${lines.join('\n')}\n` +
        'Add the secret they were encrypted with to SECRET_KEY (comma-separated) and restart.',
    )
  }
}

export interface KeySetOptions {
  database: Database
  secrets: SecretKeys
  use: KeyUse
  algorithm: SigningAlgorithm
  /** Whether tokens are signed. If not, no keys are made, and those that there are only stay published. */
  isSigning: boolean
  clock: Clock
  audit: Audit<typeof keyEvents>
  generateKey?: GenerateKey | undefined
}

const RELOAD_INTERVAL_MS = 1000

export function createKeySet(options: KeySetOptions): KeySet {
  const { database, use, algorithm, isSigning, clock } = options
  const changes = createKeyChanges(options)
  let published = new Map<string, VerificationKey>()
  let withdrawn = new Set<string>()
  let active: SigningKey | null = null
  let privateKeys: readonly PrivateKey[] = []
  let lastReload = { startedAt: -Infinity, done: Promise.resolve() }

  /** Reads the keys, at most once a second. After a failure, the keys in memory stay in use. */
  function reloadAtMostOnceASecond(): Promise<void> {
    const now = performance.now()
    if (now - lastReload.startedAt >= RELOAD_INTERVAL_MS) lastReload = { startedAt: now, done: keys.reload() }
    return lastReload.done.catch(() => undefined)
  }

  function adopt(stored: store.StoredKey[]): void {
    // Verification needs no secret: a withdrawn key is refused even if this process cannot decrypt its replacement.
    const now = clock.now()
    const toPublish = stored.filter((key) => isPublished(key, now))
    published = new Map(toPublish.map((key) => [key.kid, published.get(key.kid) ?? toVerificationKey(key)]))
    withdrawn = new Set(kidsInState(stored, 'withdrawn'))
    if (!isSigning) return

    const needed = stored.filter((key) => key.state === 'next' || key.state === 'active')
    const locked = needed.filter((key) => changes.openKey(key) === null)
    if (locked.length > 0) throw new LockedKeysError(locked)
    const signing = stored.find((key) => key.state === 'active')
    const known = [signing ?? [], toPublish.filter((key) => key.state === 'retired')].flat()
    if (known.map(({ kid }) => kid).join() !== privateKeys.map(({ kid }) => kid).join()) {
      privateKeys = known.flatMap((key) => openPrivateKey(key) ?? [])
    }
    if (signing === undefined || signing.kid === active?.kid) return
    const opened = privateKeys.find(({ kid }) => kid === signing.kid)
    if (opened !== undefined) active = toSigningKey(signing, opened.privateKey)
  }

  function openPrivateKey(key: store.StoredKey): PrivateKey | null {
    const privateKey = changes.openKey(key)
    return privateKey && { kid: key.kid, algorithm: key.algorithm, privateKey }
  }

  const read = () => database.query((client) => store.findKeys(client, use), { internal: true })

  async function makeAllChanges(): Promise<store.StoredKey[]> {
    for (;;) {
      const stored = await read()
      if (!isSigning || nextKeyChange(stored, algorithm, clock.now()) === null) return stored
      const spare = await changes.makeSpare()
      await database.transaction((tx) => changes.makeDue(tx, spare), { internal: true })
    }
  }

  /** Deletes retired keys that have left the key set: all tokens that they signed have expired. */
  async function purge(stored: store.StoredKey[]): Promise<void> {
    const now = clock.now()
    const expired = stored.filter((key) => key.state === 'retired' && !isPublished(key, now)).map((key) => key.kid)
    if (expired.length > 0) await database.query((client) => store.deleteKeys(client, expired), { internal: true })
  }

  const keys: KeySet = {
    isSigning,

    async maintain() {
      const stored = await makeAllChanges()
      adopt(stored)
      await purge(stored)
    },

    async reload() {
      adopt(await read())
    },

    active() {
      if (active === null) throw new Error('The signing keys are not loaded yet.')
      return active
    },

    privateKeys: () => privateKeys,
    find: (kid) => published.get(kid) ?? null,

    async findAfterReload(kid) {
      await reloadAtMostOnceASecond()
      return keys.find(kid)
    },

    published: () => [...published.values()],
    isWithdrawn: (kid) => withdrawn.has(kid),

    async rotate(options) {
      const kid = await database.transaction((tx) => changes.rotate(tx, options))
      if (kid === null) return { outcome: 'too_soon' }
      await keys.maintain()
      return { outcome: 'rotated', kid }
    },

    async prepareWithdrawal(which) {
      const spare = isSigning ? await changes.makeSpare() : []
      return (tx) => changes.withdraw(tx, which, spare)
    },

    reseal: changes.reseal,
  }
  return keys
}

/** A key's id is the thumbprint of its public part, so what is derived from a key can be cached by its id. */
function toVerificationKey(key: store.StoredKey): VerificationKey {
  return { kid: key.kid, algorithm: key.algorithm, jwk: key.publicKey, jwt: jwtOf(key, null) }
}

function toSigningKey(key: store.StoredKey, privateKey: KeyObject): SigningKey {
  return { kid: key.kid, jwt: jwtOf(key, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()) }
}

function jwtOf({ kid, algorithm, publicKey }: store.StoredKey, privateKeyPem: string | null): KeyJwt {
  const publicKeyPem = createPublicKey({ key: publicKey, format: 'jwk' }).export({ format: 'pem', type: 'spki' })
  return createKeyJwt({ kid, algorithm, publicKeyPem: publicKeyPem.toString(), privateKeyPem, typ: 'at+jwt' })
}
