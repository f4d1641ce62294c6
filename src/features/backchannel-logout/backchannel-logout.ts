/**
 * Owns what clients are told of the ends of sessions (OpenID Connect Back-Channel Logout 1.0): the outbox, in which a logout is
 * written by the statement that ends the session, and its delivery. Which sessions end, and which clients that concerns, is
 * decided by families.
 */
import type { Prisma } from '../../generated/prisma/client.js'
import { createDeliverer, type DelivererOptions } from './delivering.js'
import { LIFE_MS } from './retrying.js'
import * as store from './store.js'

/** Each instance looks at this interval: a client is told within a second, and an end wakes none of them. */
const POLL_INTERVAL_MS = 500

const PURGE_BATCH = 1_000

export interface BackchannelLogoutOptions extends DelivererOptions {
  /** Whether there is an OpenID provider; else nothing is written and nothing sent. */
  enabled: boolean
}

export interface BackchannelLogout {
  /**
   * Parts of a statement that ends sessions, which write the logouts of the clients in `left`: by `id` (of the family),
   * `user_id`, `client_id` and `rp_sid`. Undefined where nothing is written.
   */
  readonly written: ((left: Prisma.Sql) => Prisma.Sql[]) | undefined
  /** Attempts every logout that is due, and resolves when that is done. */
  deliverDue(): Promise<void>
  /** Delivers from now on; returns a function that stops this and waits for attempts in progress. */
  start(): () => Promise<void>
  /** Milliseconds since the oldest end of which a client is still to be told, as of the last `maintain`. */
  oldestQueuedMs(): number
  /** Deletes logouts that no instance has delivered or given up, such as those from before the provider was turned off. */
  maintain(): Promise<void>
}

export function createBackchannelLogout({ enabled, ...options }: BackchannelLogoutOptions): BackchannelLogout {
  const { database, clock } = options
  const deliverer = enabled ? createDeliverer(options) : null
  let oldestQueuedAt: Date | null = null

  return {
    written: enabled ? (left) => [store.logoutsOf(left, clock.shiftMs)] : undefined,
    deliverDue: async () => deliverer?.workDue(),
    start() {
      if (deliverer === null) return () => Promise.resolve()
      deliverer.poll(POLL_INTERVAL_MS)
      return deliverer.stop
    },
    oldestQueuedMs: () => (oldestQueuedAt === null ? 0 : Math.max(0, clock.now().getTime() - oldestQueuedAt.getTime())),

    async maintain() {
      oldestQueuedAt = await database.query(store.findOldest, { internal: true })
      // Twice their life: what is given up is audited by the delivery.
      const bounds = { afterMs: 2 * LIFE_MS, batchSize: PURGE_BATCH, shiftMs: clock.shiftMs }
      const deleteBatch = () => database.query((client) => store.deleteOldLogouts(client, bounds), { internal: true })
      while ((await deleteBatch()) === PURGE_BATCH);
    },
  }
}
