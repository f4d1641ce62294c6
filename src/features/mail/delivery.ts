import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { createDeliverer, type MailCounts } from './delivering.js'
import type { Inbox } from './inbox.js'
import { openTransport } from './opening.js'
import type { Outbox } from './outbox.js'
import { areShipped, createRenderer, type Renderer, type RenderSettings } from './rendering.js'
import type { MailSource } from './source.js'
import * as store from './store.js'
import type { TransportSettings } from './transport.js'

/** For mails that other processes have written, and those whose pause has ended. */
const POLL_INTERVAL_MS = 1_000

/** How long mails are kept that are done with. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000

const PURGE_BATCH = 1_000

export interface DeliveryOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  outbox: Pick<Outbox, 'onWake'>
  source: MailSource
  settings: TransportSettings & RenderSettings
  count: MailCounts
}

/** `degraded`: the last attempt failed for a reason that concerns every mail. */
export type MailHealth = 'ok' | 'degraded' | 'off'

export interface Delivery {
  /** Attempts every mail that is due, and resolves when that is done. */
  deliverDue(): Promise<void>
  /** Delivers from now on; returns a function that stops this and waits for attempts in progress. */
  start(): () => Promise<void>
  health(): MailHealth
  /** Milliseconds since the oldest mail was written that is still to be sent, as of the last `maintain`. */
  oldestQueuedMs(): number
  /** Null but with the development inbox. */
  readonly inbox: Inbox | null
  /** For operators: the newest mails, oldest first. */
  list(question: { states: readonly store.ListedMail['state'][]; limit: number }): Promise<store.ListedMail[]>
  /** Makes mails due now that failed or wait, one or all (null); returns how many. */
  retry(id: string | null): Promise<number>
  /** Deletes mails that were done with a week ago. */
  maintain(): Promise<void>
}

/** Sends the mails of the outbox. Every instance does; each mail is attempted by one at a time. */
export async function createDelivery(options: DeliveryOptions): Promise<Delivery> {
  const { database, clock, log, outbox, settings } = options
  const { transport, inbox } = await openTransport(settings, { clock, log })
  let loading: Promise<Renderer> | null = null
  // The library of templates takes as long to load as the rest of the start: commands, and most starts, send no mail.
  const loadRenderer = () => (loading ??= createRenderer(settings))
  // The operator's own templates may have faults, which stop the start.
  if (transport !== null && !areShipped(settings)) await loadRenderer()
  const deliverer = transport && createDeliverer({ ...options, transport, loadRenderer })
  let oldestQueuedAt: Date | null = null

  return {
    inbox,
    deliverDue: async () => deliverer?.deliverDue(),
    start() {
      if (deliverer === null) return () => Promise.resolve()
      outbox.onWake(deliverer.engage)
      deliverer.poll(POLL_INTERVAL_MS)
      return deliverer.stop
    },
    health: () => (deliverer === null ? 'off' : deliverer.isFailing ? 'degraded' : 'ok'),
    oldestQueuedMs: () => (oldestQueuedAt === null ? 0 : Math.max(0, clock.now().getTime() - oldestQueuedAt.getTime())),
    list: (question) => database.query((client) => store.findMails(client, question)),
    retry: (id) => database.query((client) => store.requeueMails(client, id, clock.shiftMs)),

    async maintain() {
      oldestQueuedAt = await database.query(store.findOldestQueued, { internal: true })
      const bounds = { afterMs: KEPT_MS, batchSize: PURGE_BATCH, shiftMs: clock.shiftMs }
      const deleteBatch = () => database.query((client) => store.deleteSettled(client, bounds), { internal: true })
      while ((await deleteBatch()) === PURGE_BATCH);
    },
  }
}
