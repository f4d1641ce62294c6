import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import * as store from './store.js'

const PURGE_BATCH = 1000

/** What users have granted to clients. It is also there where the provider was turned off. */
export interface Consents {
  /** Forgets what a user has granted to a client: it has to ask again. */
  forget(tx: Queries, which: { userId: string; clientId: string }): Promise<void>
  /** Deletes what has expired, in batches. */
  purge(): Promise<void>
}

export function createConsents({ database, clock }: { database: Database; clock: Clock }): Consents {
  async function deleteAll(deleteBatch: (client: Queries, size: number, shiftMs: number) => Promise<number>) {
    const next = () => database.query((client) => deleteBatch(client, PURGE_BATCH, clock.shiftMs), { internal: true })
    while ((await next()) === PURGE_BATCH);
  }

  return {
    forget: store.deleteGrant,

    async purge() {
      await deleteAll(store.deleteExpiredArtifacts)
      await deleteAll(store.deleteExpiredGrants)
    },
  }
}
