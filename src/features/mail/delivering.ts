import type { FastifyBaseLogger } from 'fastify'
import { createBreaker } from '../../platform/breaker.js'
import type { Clock } from '../../platform/clock.js'
import type { Database, Queries } from '../../platform/database/database.js'
import { createOutboxWorker, type OutboxWorker } from '../../platform/outbox-worker.js'
import { DeliveryFault, presentableReason, type FaultClass } from './faults.js'
import type { MailKind } from './kinds.js'
import type { Renderer } from './rendering.js'
import { deadlineOf, pauseAfter } from './retrying.js'
import type { MailSource } from './source.js'
import * as store from './store.js'
import type { ClaimedMail } from './store.js'
import type { Transport } from './transport.js'

/** How many mails an instance sends at once: as many as its connections to the mail server. */
const MAX_AT_ONCE = 2

/** How long a claim on a mail lasts: longer than an attempt may take. */
const LEASE_MS = 60_000

export interface DelivererOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  source: MailSource
  transport: Transport
  /** Loads the templates at the first mail. */
  loadRenderer: () => Promise<Renderer>
  count: MailCounts
}

export interface MailCounts {
  sent(kind: MailKind): void
  /** Given up. */
  failed(kind: MailKind): void
  attemptFailed(fault: FaultClass): void
}

/** Takes mails from the outbox and sends them, a few at a time. */
export interface Deliverer extends Pick<OutboxWorker, 'engage' | 'poll' | 'stop'> {
  /** Attempts what is due, and resolves when no mail is due any more. */
  deliverDue(): Promise<void>
  /** Whether the last attempt failed for a reason that concerns every mail. */
  readonly isFailing: boolean
}

export function createDeliverer(options: DelivererOptions): Deliverer {
  const { database, clock, log, source, transport, loadRenderer, count } = options
  const breaker = createBreaker(clock)
  const worker = createOutboxWorker({
    name: 'mail outbox',
    log,
    allowed: () => breaker.allowed(MAX_AT_ONCE),
    claim: () =>
      database.query((client) => store.claimDueMail(client, LEASE_MS, clock.shiftMs), {
        internal: true,
      }),
    attempt,
  })

  /** Never throws: a mail whose result cannot be written is attempted again when the lease has ended. */
  async function attempt(mail: ClaimedMail): Promise<void> {
    try {
      if (clock.now() >= deadlineOf(mail)) await giveUp(mail, null)
      else await note(mail, await send(mail).catch(faultOf))
    } catch (error) {
      log.warn({ err: error, ...factsOf(mail) }, 'the result of an attempt to send a mail could not be written')
    }
  }

  async function send(mail: ClaimedMail): Promise<'sent' | 'void'> {
    const composed = await database.transaction(async (tx) => {
      const composed = await source.compose(tx, mail)
      if (composed === null) await settle(tx, mail, 'void')
      return composed
    })
    if (composed === null) return 'void'
    const renderer = await loadRenderer()
    await transport.send(renderer.render(composed, mail))
    return 'sent'
  }

  async function note(mail: ClaimedMail, outcome: 'sent' | 'void' | DeliveryFault): Promise<void> {
    if (outcome === 'void') return
    if (outcome !== 'sent') return noteFault(mail, outcome)
    passTransport()
    count.sent(mail.kind)
    // Safe to repeat: it only changes a mail that is still queued.
    await database.transaction((tx) => settle(tx, mail, 'sent'), { safeToRetry: true })
  }

  /** Changes nothing if another attempt has begun: that attempt records the result. */
  async function settle(tx: Queries, mail: ClaimedMail, state: 'sent' | 'void'): Promise<void> {
    if (await store.settleMail(tx, mail, state, clock.shiftMs)) await source.settled(tx, mail)
  }

  async function noteFault(mail: ClaimedMail, fault: DeliveryFault): Promise<void> {
    const { faultClass, code } = fault
    count.attemptFailed(faultClass)
    if (faultClass === 'connection' || faultClass === 'setting') pauseTransport(faultClass, code)
    else if (faultClass !== 'internal') passTransport()
    const failure = { code, reason: presentableReason(fault.reason) }
    const pauseMs = pauseAfter(mail.attempts)
    const isLast = faultClass === 'refused' || clock.now().getTime() + pauseMs >= deadlineOf(mail).getTime()
    if (isLast) return giveUp(mail, failure)
    log.info({ ...factsOf(mail), code, fault: faultClass, pause_ms: pauseMs }, 'mail not sent yet')
    await database.query((client) => store.postponeMail(client, mail, { ...failure, pauseMs }, clock.shiftMs))
  }

  async function giveUp(mail: ClaimedMail, failure: store.Failure | null): Promise<void> {
    const hasFailed = await database.query((client) => store.failMail(client, mail, failure, clock.shiftMs))
    if (!hasFailed) return
    count.failed(mail.kind)
    log.warn({ ...factsOf(mail), code: failure?.code ?? 'EXPIRED' }, 'mail given up')
  }

  function passTransport(): void {
    if (breaker.isFailing) log.info('the mail server takes mails again')
    breaker.passed()
  }

  function pauseTransport(fault: 'connection' | 'setting', code: string): void {
    const pauseMs = breaker.failed(fault)
    if (pauseMs === null) return
    const facts = { code, pause_ms: pauseMs }
    if (fault === 'setting') log.error(facts, 'no mail can be sent: the mail server refuses the settings of MAIL_URL')
    else log.warn(facts, 'the mail server cannot be reached')
  }

  /** A fault of the transport, or of this server. Only the name of the error is kept: its message may quote the mail. */
  function faultOf(error: unknown): DeliveryFault {
    if (error instanceof DeliveryFault) return error
    log.error({ err: error }, 'a mail could not be written')
    return new DeliveryFault('internal', 'INTERNAL', error instanceof Error ? error.name : 'Error')
  }

  return {
    engage: worker.engage,
    deliverDue: worker.workDue,
    poll: worker.poll,
    async stop() {
      await worker.stop()
      await transport.close()
    },
    get isFailing() {
      return breaker.isFailing
    },
  }
}

const factsOf = ({ id, kind, attempts }: ClaimedMail) => ({ mail: id, kind, attempts })
