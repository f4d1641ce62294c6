import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { noCaller } from '../../platform/http/caller.js'
import { errorCodeOf, postTo } from '../../platform/http/posting.js'
import { createOutboxWorker, type OutboxWorker } from '../../platform/outbox-worker.js'
import { system, type Audit } from '../audit/audit.js'
import type { backchannelLogoutEvents } from './audit-events.js'
import { createClientTurns, type ClientTurns } from './client-turns.js'
import { createLogoutTokens, type LogoutTokenOptions } from './logout-token.js'
import { deadlineOf, pauseAfter } from './retrying.js'
import * as store from './store.js'
import type { ClaimedLogout } from './store.js'

/** How many logouts an instance sends at once. */
const MAX_AT_ONCE = 8

/** How long a client has for its answer. */
const ANSWER_WITHIN_MS = 3_000

/** How long a claim lasts: longer than an attempt may take. */
const LEASE_MS = 15_000

export interface DelivererOptions extends LogoutTokenOptions {
  database: Database
  clock: Clock
  log: FastifyBaseLogger
  audit: Audit<typeof backchannelLogoutEvents>
  count: LogoutCounts
}

export interface LogoutCounts {
  delivered(): void
  /** Given up. */
  failed(): void
  attemptFailed(fault: LogoutFault['faultClass']): void
}

/** `refused`: the client answered with another status than 2xx; `internal`: this server could not sign. */
interface LogoutFault {
  faultClass: 'refused' | 'connection' | 'internal'
  code: string
}

/** A logout that is attempted now, and what its client's turn is ended with. */
interface Turn {
  logout: ClaimedLogout
  finish: ReturnType<ClientTurns['begin']>
}

/** Sends logout tokens to the clients that the outbox names (OpenID Connect Back-Channel Logout 1.0, section 2.5). */
export function createDeliverer(options: DelivererOptions): OutboxWorker {
  const { database, clock, log, audit, count } = options
  const tokens = createLogoutTokens(options)
  const turns = createClientTurns(clock)

  return createOutboxWorker({
    name: 'outbox of back-channel logouts',
    log,
    allowed: () => MAX_AT_ONCE,
    claim,
    attempt,
  })

  async function claim(): Promise<Turn | null> {
    const claimable = { except: turns.unavailable(), leaseMs: LEASE_MS, shiftMs: clock.shiftMs }
    const logout = await database.query((client) => store.claimDueLogout(client, claimable), { internal: true })
    return logout && { logout, finish: turns.begin(logout.clientId) }
  }

  /** Never throws: a logout whose result cannot be written is attempted again when the lease has ended. */
  async function attempt({ logout, finish }: Turn): Promise<void> {
    try {
      if (clock.now() >= deadlineOf(logout)) await giveUp(logout, 'EXPIRED')
      else await note(logout, await send(logout))
    } catch (error) {
      log.warn({ err: error, ...factsOf(logout) }, 'the result of a back-channel logout could not be written')
    } finally {
      finish()
    }
  }

  async function send(logout: ClaimedLogout): Promise<LogoutFault | null> {
    const token = sign(logout)
    if (token === null) return { faultClass: 'internal', code: 'INTERNAL' }
    try {
      const status = await postTo(logout.uri, {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ logout_token: token }).toString(),
        withinMs: ANSWER_WITHIN_MS,
      })
      // Section 2.8 asks for 200, and tolerates 204.
      return status >= 200 && status < 300 ? null : { faultClass: 'refused', code: String(status) }
    } catch (error) {
      return { faultClass: 'connection', code: errorCodeOf(error) }
    }
  }

  function sign(logout: ClaimedLogout): string | null {
    try {
      return tokens.sign(logout)
    } catch (error) {
      log.error({ err: error, ...factsOf(logout) }, 'a logout token could not be signed')
      return null
    }
  }

  async function note(logout: ClaimedLogout, fault: LogoutFault | null): Promise<void> {
    if (fault === null) {
      count.delivered()
      await database.query((client) => store.deleteLogout(client, logout), { internal: true, safeToRetry: true })
      return
    }
    const { faultClass, code } = fault
    count.attemptFailed(faultClass)
    turns.pause(logout.clientId)
    const pauseMs = pauseAfter(logout.attempts)
    if (clock.now().getTime() + pauseMs >= deadlineOf(logout).getTime()) return giveUp(logout, code)
    log.info({ ...factsOf(logout), code, fault: faultClass, pause_ms: pauseMs }, 'back-channel logout not accepted yet')
    const postponement = { pauseMs, shiftMs: clock.shiftMs }
    await database.query((client) => store.postponeLogout(client, logout, postponement), { internal: true })
  }

  async function giveUp(logout: ClaimedLogout, code: string): Promise<void> {
    const { clientId, userId, familyId: sessionId } = logout
    const hasFailed = await database.transaction(
      async (tx) => {
        if (!(await store.deleteLogout(tx, logout))) return false
        const about = { actor: system, caller: noCaller, userId, sessionId, detail: { client_id: clientId, code } }
        await audit.record(tx, { event: 'backchannel_logout_failed', ...about })
        return true
      },
      { internal: true },
    )
    if (!hasFailed) return
    count.failed()
    log.warn({ ...factsOf(logout), code }, 'back-channel logout given up')
  }
}

const factsOf = ({ id, clientId, attempts }: Pick<ClaimedLogout, 'id' | 'clientId' | 'attempts'>) => ({
  logout: id,
  client_id: clientId,
  attempts,
})
