import type { z } from 'zod'
import type { Mode } from '../../wire/mode.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { uuidv7 } from '../../platform/uuid.js'
import { stranger } from '../audit/audit.js'
import type { Refusal, Requester } from '../limits/limits.js'
import type { MailKind } from '../mail/mail.js'
import type { flowEvents } from './audit-events.js'
import type { FlowsContext } from './context.js'
import type { Flow } from './flow.js'
import { createFlowToken, parseFlowToken } from './flow-token.js'
import { refusalOf } from './judging.js'
import { livesOf, type FlowKind, type FlowLife } from './kinds.js'
import { openPayload, sealPayload } from './payload.js'
import { mailBudgets, mailsOfNetwork } from './policies.js'
import { flowInvalid } from './presenting.js'
import * as store from './store.js'

/** Soonest time after which another mail is sent for the same flow. */
export const RESEND_AFTER_SECONDS = 30

/** The maximum number of open flows of one kind for an address. A further one is void, so that it displaces none of them. */
const MAX_OPEN = 5

export interface FlowStart {
  kind: FlowKind & MailKind
  /** As it was typed, in lower case. */
  email: string
  /** Only where the request is authenticated: otherwise it must not learn whether there is a user. */
  userId?: string
  mode: Mode
  remember?: boolean
  deviceName?: string | null
  /** The language that the request asks for. */
  locale?: string | null
  /** What the end of the flow needs. It is encrypted. */
  payload?: object
  /** The holder's tokens that the request shows: their flows of this kind and address are superseded, or `all` are. */
  holders: readonly string[] | 'all'
  /**
   * Whether the request comes from a device on which this account was signed in before. Known devices have separate limits,
   * which other clients cannot use up (PWD-13).
   */
  isKnownDevice?: boolean
  requester: Requester
}

/** A flow that has begun, as its holder is told of it. */
export interface BegunFlow {
  id: string
  /** The holder's token. */
  token: string
  email: string
  mode: Mode
  expiresAt: Date
}

/** A flow without a mail, for a user who has just proven who they are. */
export interface UnmailedStart {
  kind: 'mfa'
  user: { id: string; email: string }
  mode: Mode
  remember: boolean
  deviceName: string | null
  payload: object
  caller: Caller
}

/** What the holder of a flow is told after asking for another mail. */
export interface Resent {
  expiresAt: Date
  /** Until another one may be asked for. */
  resendAfterSeconds: number
}

export interface Beginning {
  /**
   * Begins a flow and writes its mail. The statements are the same whether or not the address is registered. A request
   * over a limit gets the same response, and no mail is sent.
   */
  request(start: FlowStart): Promise<BegunFlow>
  /** Whether another mail to an address is within the limits; takes a point of each. To be asked before `begin`. */
  mayMail(email: string, requester: Requester, options?: { isKnownDevice: boolean }): Promise<boolean>
  /** The same as `request` in the caller's transaction; call `wakeMail` after the commit. */
  begin(tx: Queries, start: FlowStart, options: { isVoid: boolean }): Promise<BegunFlow>
  /** Begins a flow that has no mail, in one statement. */
  beginUnmailed(client: Queries, start: UnmailedStart): Promise<BegunFlow>
  /**
   * Writes another mail for a flow, unless the last one is too recent, the flow has ended, or a limit is reached. The result
   * depends only on the requests, not on whether or when a mail was sent.
   */
  resend(flow: Flow, requester: Requester): Promise<Resent>
  /** What `payload` was at the beginning. Throws `flow_invalid` where its secret is not listed any more. */
  payloadOf<Schema extends z.ZodType>(flow: Flow, schema: Schema): z.output<Schema>
}

export function createBeginning(context: FlowsContext): Beginning {
  const { database, secrets, clock, limits, outbox, settings, wakeMail } = context
  const lives = livesOf(settings)

  async function mayMail(
    email: string,
    requester: Requester,
    { isKnownDevice } = { isKnownDevice: false },
  ): Promise<boolean> {
    const ofNetwork = isKnownDevice ? [] : limits.ofNetwork(mailsOfNetwork, requester.caller)
    const budgets = [...ofNetwork, ...mailBudgets(email, { isKnownDevice })]
    const refusal: Refusal<keyof typeof flowEvents> = { event: 'mails_limited', actor: stranger }
    try {
      // No rate limit headers: they would reveal how many mails others have requested for this address.
      const request = { caller: requester.caller, announce: () => undefined, refusal }
      return (await limits.guard(budgets, request, () => Promise.resolve(true))) ?? false
    } catch (error) {
      if (error instanceof Problem && error.code === 'rate_limited') return false
      throw error
    }
  }

  async function begin(tx: Queries, start: FlowStart, { isVoid }: { isVoid: boolean }): Promise<BegunFlow> {
    const { kind, email, mode, requester, userId = null, payload, isKnownDevice = false } = start
    const { caller } = requester
    const id = uuidv7()
    const holder = createFlowToken('spf_', id)
    const { holders } = start
    const hashes = holders === 'all' ? {} : { holderHashes: holders.flatMap((text) => holderHashOf(text) ?? []) }
    await store.supersedeFlows(tx, { kind, email, ...hashes }, clock.shiftMs)
    const { seconds, maxSeconds } = lives[kind]
    const { createdAt, openBefore } = await store.insertFlow(
      tx,
      {
        ...{ id, kind, userId, email, mode, holderHash: holder.hash },
        ...{ remember: start.remember ?? true, deviceName: start.deviceName ?? null, locale: start.locale ?? null },
        ...(payload === undefined ? { payload: null, secretId: null } : sealPayload(secrets, id, payload)),
        ...{ requestedIp: caller.ip, requestedAgent: caller.userAgent },
        // The lifetime of a void flow does not wait for a delivery.
        lifeSeconds: isVoid ? seconds : maxSeconds,
        crowded: { from: MAX_OPEN, lifeSeconds: seconds },
      },
      clock.shiftMs,
    )
    const mail = { kind, email, userId, flowId: id, locale: localeOf(start) }
    await outbox.add(tx, { ...mail, isVoid: isVoid || (openBefore >= MAX_OPEN && !isKnownDevice) })
    return { id, token: holder.text, email, mode, expiresAt: new Date(createdAt.getTime() + seconds * 1000) }
  }

  return {
    mayMail,
    begin,

    async request(start) {
      const { email, requester, isKnownDevice = false } = start
      const isVoid = !(await mayMail(email, requester, { isKnownDevice }))
      const begun = await database.transaction((tx) => begin(tx, start, { isVoid }))
      wakeMail()
      return begun
    },

    async beginUnmailed(client, { kind, user, mode, remember, deviceName, payload, caller }) {
      const id = uuidv7()
      const holder = createFlowToken('spf_', id)
      const { seconds: lifeSeconds } = lives[kind]
      const flow = {
        ...{ id, kind, userId: user.id, email: user.email, mode, remember, deviceName, locale: null, lifeSeconds },
        ...{ holderHash: holder.hash, requestedIp: caller.ip, requestedAgent: caller.userAgent },
        ...sealPayload(secrets, id, payload),
      }
      const createdAt = await store.addFlow(client, flow, clock.shiftMs)
      const expiresAt = new Date(createdAt.getTime() + lifeSeconds * 1000)
      return { id, token: holder.text, email: user.email, mode, expiresAt }
    },

    async resend(flow, requester) {
      const { id, kind, email, userId, createdAt } = flow
      const elapsedMs = clock.now().getTime() - createdAt.getTime()
      const turn = Math.floor(elapsedMs / 1000 / RESEND_AFTER_SECONDS)
      const resendAfterSeconds = Math.max(1, (turn + 1) * RESEND_AFTER_SECONDS - Math.floor(elapsedMs / 1000))
      const isOpen = refusalOf(flow, [kind], clock.now()) === null
      const isDue = isOpen && kind !== 'mfa' && email !== null && turn > 0 && (await mayMail(email, requester))
      const endsAt = isDue ? lastsUntil(flow, lives[kind], clock.now()) : lastingUntil(flow, lives[kind])
      if (isDue) {
        const locale = flow.locale ?? requester.caller.acceptLanguage ?? ''
        const mail = { kind: mailKindOf(kind), email, userId, flowId: id, locale, dedupe: `${id} ${turn}` }
        await database.query((client) => outbox.add(client, mail))
        wakeMail()
      }
      return { expiresAt: endsAt, resendAfterSeconds }
    },

    payloadOf(flow, schema) {
      const payload = openPayload(secrets, flow, schema)
      if (payload === null) throw flowInvalid('expired')
      return payload
    },
  }
}

function holderHashOf(text: string): Buffer | undefined {
  return parseFlowToken('spf_', text)?.hash
}

/** When a flow ends whose mail is accepted at a time: as `beginLife` in SQL. */
function lastsUntil({ createdAt }: Flow, { seconds, maxSeconds }: FlowLife, acceptedAt: Date): Date {
  const minutes = Math.floor((acceptedAt.getTime() - createdAt.getTime()) / 60_000)
  return new Date(createdAt.getTime() + Math.min(maxSeconds, minutes * 60 + seconds) * 1000)
}

/** When a flow ends as it is; one whose mail waits is told of as at its beginning. */
function lastingUntil(flow: Flow, life: FlowLife): Date {
  return flow.sentAt === null && flow.endedAt === null ? lastsUntil(flow, life, flow.createdAt) : flow.expiresAt
}

/** The kinds of flows that are begun with a mail of the same kind. */
function mailKindOf(kind: FlowKind): FlowKind & MailKind {
  if (kind === 'email_undo' || kind === 'not_me' || kind === 'mfa' || kind === 'factors_reset')
    throw new Error(`A flow of kind ${kind} is not sent again.`)
  return kind
}

function localeOf({ locale, requester }: FlowStart): string {
  return locale ?? requester.caller.acceptLanguage ?? ''
}
