import QuickLRU from 'quick-lru'
import type { Clock } from '../../platform/clock.js'
import type { Revocations } from '../revocation/revocation.js'
import type { Client } from './client.js'

/** At a few kilobytes each. */
const MAX_HELD = 2_000

/** In case a change was missed. */
const MAX_AGE_MS = 60_000

export interface ClientCacheOptions {
  clock: Pick<Clock, 'elapsedMs'>
  revocations: Pick<Revocations, 'feed' | 'isStale'>
  read: (clientId: string) => Promise<Client | null>
}

export interface ClientCache {
  /** The client as it was read before, unless a change of it has been heard of since. */
  find(clientId: string): Promise<Client | null>
  /** The client as it is in the database now. */
  read(clientId: string): Promise<Client | null>
  /** Is told of a change that this process has made. */
  forget(clientId: string): void
}

interface Held {
  client: Client
  readAtMs: number
}

/**
 * Keeps clients in memory. A change that takes something from a client is an entry of the revocation feed, which every
 * instance hears within a second; while it hears nothing, clients are read at each use. What is not there is not kept, so
 * a new client is known at once, and so is a new secret: `find` is only asked first.
 */
export function createClientCache({ clock, revocations, read }: ClientCacheOptions): ClientCache {
  const held = new QuickLRU<string, Held>({ maxSize: MAX_HELD })
  let changes = 0

  function forget(clientId: string): void {
    changes += 1
    held.delete(clientId)
  }

  revocations.feed.listen((news) => {
    for (const entry of news) if (entry.kind === 'client') forget(entry.clientId)
  })

  const cache: ClientCache = {
    async find(clientId) {
      const known = held.get(clientId)
      const isCurrent = known !== undefined && clock.elapsedMs() - known.readAtMs < MAX_AGE_MS
      return isCurrent && !revocations.isStale() ? known.client : cache.read(clientId)
    },

    async read(clientId) {
      const changesBefore = changes
      const readAtMs = clock.elapsedMs()
      const client = await read(clientId)
      // What was read may be older than a change that was heard of meanwhile.
      if (client !== null && changes === changesBefore) held.set(clientId, { client, readAtMs })
      return client
    },

    forget,
  }
  return cache
}
