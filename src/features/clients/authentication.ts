import QuickLRU from 'quick-lru'
import type { Database } from '../../platform/database/database.js'
import type { ClientCache } from './caching.js'
import type { Client } from './client.js'
import { hashSecret, hasSecret, isSecret } from './credentials.js'
import * as store from './store.js'

/** At some 200 bytes each. */
const MAX_KNOWN = 5_000

export interface Authentication {
  authenticate(clientId: string, secret: string): Promise<Client | null>
  authenticateBySecret(secret: string): Promise<Client | null>
}

/** Creates the authentication of clients by a secret. */
export function createAuthentication(options: { database: Database; cache: ClientCache }): Authentication {
  const { database, cache } = options
  // Which client a secret belongs to never changes; whether it still holds is asked each time.
  const owners = new QuickLRU<string, string>({ maxSize: MAX_KNOWN })

  async function findByHash(clientId: string, sha256: string): Promise<Client | null> {
    const known = await cache.find(clientId)
    if (known !== null && hasSecret(known.secrets, sha256)) return known
    // Another instance may have given it a secret meanwhile, of which nothing is heard.
    const current = known && (await cache.read(clientId))
    return current !== null && hasSecret(current.secrets, sha256) ? current : null
  }

  async function findOwner(sha256: string): Promise<string | null> {
    const known = owners.get(sha256)
    if (known !== undefined) return known
    const owner = await database.query((client) => store.findClientIdBySecret(client, sha256), { safeToRetry: true })
    if (owner !== null) owners.set(sha256, owner)
    return owner
  }

  return {
    async authenticate(clientId, secret) {
      if (!isSecret(secret)) return null
      const client = await findByHash(clientId, hashSecret(secret))
      return client?.disabledAt === null ? client : null
    },

    async authenticateBySecret(secret) {
      if (!isSecret(secret)) return null
      const sha256 = hashSecret(secret)
      const owner = await findOwner(sha256)
      const client = owner === null ? null : await findByHash(owner, sha256)
      return client?.disabledAt === null ? client : null
    },
  }
}
