import { createPrivateKey, type KeyObject } from 'node:crypto'
import { open } from '../../src/platform/crypto/sealing.js'
import type { TestApp } from './app.js'

export interface TestSigningKey {
  kid: string
  algorithm: string
  privateKey: KeyObject
}

/** The key in that state, with its private part decrypted as with access to the secret and the database. */
export async function readSigningKey(
  { database, config }: TestApp,
  state: 'next' | 'active' | 'retired' = 'active',
): Promise<TestSigningKey> {
  const row = await database.query((client) =>
    client.signingKey.findFirstOrThrow({ where: { state, use: 'access_token' } }),
  )
  const der = config.secretKeys && open(config.secretKeys, 'signing-key', row.secretId, row.sealedPrivateKey, row.kid)
  if (!der) throw new Error('The secret does not decrypt the signing key.')
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return { kid: row.kid, algorithm: row.algorithm, privateKey }
}
