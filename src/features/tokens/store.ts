import type { Queries } from '../../platform/database/database.js'
import { lockForTransaction } from '../../platform/database/locks.js'
import { publicJwkSchema, type KeyUse, type PublicJwk } from './algorithms.js'
import type { KeyAge } from './key-schedule.js'

/** A signing key as it is stored: the private part sealed. */
export interface StoredKey extends KeyAge {
  publicKey: PublicJwk
  secretId: number
  sealedPrivateKey: Uint8Array
}

/** Any number, but always the same: it names the lock that changes of the keys are made under. */
const KEY_LOCK = 7_370_001

/** Lets one instance at a time change the keys, until the transaction ends. */
export async function lockKeys(tx: Queries): Promise<void> {
  await lockForTransaction(tx, KEY_LOCK)
}

/** The keys of a use, the oldest first. */
export async function findKeys(client: Queries, use: KeyUse): Promise<StoredKey[]> {
  const rows = await client.signingKey.findMany({ where: { use }, orderBy: [{ createdAt: 'asc' }, { kid: 'asc' }] })
  return rows.map((row) => ({ ...row, use, publicKey: publicJwkSchema.parse(row.publicKey) }))
}

export async function insertKey(tx: Queries, key: StoredKey): Promise<void> {
  await tx.signingKey.create({ data: { ...key, sealedPrivateKey: new Uint8Array(key.sealedPrivateKey) } })
}

export async function activateKey(tx: Queries, kid: string, now: Date): Promise<void> {
  await tx.signingKey.update({ where: { kid, state: 'next' }, data: { state: 'active', activatedAt: now } })
}

export async function retireKey(tx: Queries, kid: string, now: Date): Promise<void> {
  await tx.signingKey.update({ where: { kid, state: 'active' }, data: { state: 'retired', retiredAt: now } })
}

/** For ever. What is left of the key tells its tokens from those of a key that never was: its private part is gone. */
export async function withdrawKeys(tx: Queries, kids: string[]): Promise<void> {
  await tx.signingKey.updateMany({
    where: { kid: { in: kids } },
    data: { state: 'withdrawn', sealedPrivateKey: new Uint8Array() },
  })
}

/** Only for keys that no live token was signed with. */
export async function deleteKeys(tx: Queries, kids: string[]): Promise<void> {
  await tx.signingKey.deleteMany({ where: { kid: { in: kids }, state: { in: ['next', 'retired'] } } })
}

export async function resealKey(
  tx: Queries,
  kid: string,
  sealed: { secretId: number; sealed: Uint8Array },
): Promise<void> {
  await tx.signingKey.update({
    where: { kid },
    data: { secretId: sealed.secretId, sealedPrivateKey: new Uint8Array(sealed.sealed) },
  })
}
