import type { z } from 'zod'
import type { Mode } from '../../wire/mode.js'
import { open, seal } from '../../platform/crypto/sealing.js'
import type { Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import { uuidv7 } from '../../platform/uuid.js'
import { stranger } from '../audit/audit.js'
import type { Refusal, Requester } from '../limits/limits.js'
import type { MailKind } from '../mail/mail.js'
import type { flowEvents } from './audit-events.js'
import type { FlowsContext } from './context.js'
import type { Flow } from './flow.js'
import { createFlowToken, parseFlowToken } from './flow-token.js'
import { livesOf, type FlowKind } from './kinds.js'
import { mailBudgets, mailsOfNetwork } from './policies.js'
import * as store from './store.js'

/** Soonest time after which another mail is sent for the same flow. */
export const RESEND_AFTER_SECONDS = 30

/** How many flows of one kind an address has at once. One more is void, so that the others keep their turn. */
const MAX_OPEN = 5

export const PAYLOAD_PURPOSE = 'flow-payload'

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
  /** The holder's tokens that the request shows: their flows of this kind and address are superseded. */
  holders: readonly string[]
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

export interface Beginning {
  /**
   * Begins a flow and writes its mail, in statements that are the same whether or not a user has the address. What is
   * over a limit is answered alike and mails nothing.
   */
  request(start: FlowStart): Promise<BegunFlow>
  /** Whether another mail to an address is within the limits; takes a point of each. To be asked before `begin`. */
  mayMail(email: string, requester: Requester): Promise<boolean>
  /** The same as `request` in the caller's transaction; call `wakeMail` after the commit. */
  begin(tx: Queries, start: FlowStart, options: { isVoid: boolean }): Promise<BegunFlow>
  /** Writes another mail for a flow, unless the last one is too recent, the flow has ended, or a limit is reached. */
  resend(flow: Flow, requester: Requester): Promise<void>
  /** What `payload` was at the beginning. Throws if it cannot be read, which no request causes. */
  payloadOf<Schema extends z.ZodType>(flow: Flow, schema: Schema): z.output<Schema>
}

export function createBeginning(context: FlowsContext): Beginning {
  const { database, secrets, clock, limits, outbox, settings, wakeMail } = context
  const lives = livesOf(settings)

  async function mayMail(email: string, requester: Requester): Promise<boolean> {
    const budgets = [...limits.ofNetwork(mailsOfNetwork, requester.caller), ...mailBudgets(email)]
    const refusal: Refusal<keyof typeof flowEvents> = { event: 'mails_limited', actor: stranger }
    try {
      // Nothing is announced: the headers would tell how often others have asked for this address.
      const request = { caller: requester.caller, announce: () => undefined, refusal }
      return (await limits.guard(budgets, request, () => Promise.resolve(true))) ?? false
    } catch (error) {
      if (error instanceof Problem && error.code === 'rate_limited') return false
      throw error
    }
  }

  async function begin(tx: Queries, start: FlowStart, { isVoid }: { isVoid: boolean }): Promise<BegunFlow> {
    const { kind, email, mode, requester, userId = null, payload } = start
    const { caller } = requester
    const id = uuidv7()
    const holder = createFlowToken('spf_', id)
    const holderHashes = start.holders.flatMap((text) => parseFlowToken('spf_', text)?.hash ?? [])
    await store.supersedeFlows(tx, { kind, email, holderHashes }, clock.shiftMs)
    const sealed = payload && seal(secrets, PAYLOAD_PURPOSE, Buffer.from(JSON.stringify(payload)), id)
    const { seconds, maxSeconds } = lives[kind]
    const { openBefore } = await store.insertFlow(
      tx,
      {
        ...{ id, kind, userId, email, mode, holderHash: holder.hash },
        ...{ remember: start.remember ?? true, deviceName: start.deviceName ?? null, locale: start.locale ?? null },
        ...{ payload: sealed?.sealed ?? null, secretId: sealed?.secretId ?? null },
        ...{ requestedIp: caller.ip, requestedAgent: caller.userAgent },
        lifeSeconds: isVoid ? seconds : maxSeconds,
      },
      clock.shiftMs,
    )
    const mail = { kind, email, userId, flowId: id, locale: localeOf(start) }
    await outbox.add(tx, { ...mail, isVoid: isVoid || openBefore >= MAX_OPEN })
    return { id, token: holder.text, email, mode, expiresAt: new Date(clock.now().getTime() + seconds * 1000) }
  }

  return {
    mayMail,
    begin,

    async request(start) {
      const isVoid = !(await mayMail(start.email, start.requester))
      const begun = await database.transaction((tx) => begin(tx, start, { isVoid }))
      wakeMail()
      return begun
    },

    async resend(flow, requester) {
      const { id, kind, email, userId } = flow
      const sinceMs = clock.now().getTime() - (flow.sentAt ?? flow.createdAt).getTime()
      if (email === null || sinceMs < RESEND_AFTER_SECONDS * 1000) return
      const isVoid = !(await mayMail(email, requester))
      const locale = flow.locale ?? requester.caller.acceptLanguage ?? ''
      // Mails that were not sent yet are sent anyway, and have the same code.
      await database.query((client) =>
        outbox.add(client, { kind: mailKindOf(kind), email, userId, flowId: id, locale, isVoid }),
      )
      wakeMail()
    },

    payloadOf({ id, payload, secretId }, schema) {
      const opened =
        payload === null || secretId === null ? null : open(secrets, PAYLOAD_PURPOSE, secretId, payload, id)
      if (opened === null) throw new Error(`The payload of flow ${id} cannot be decrypted: is a SECRET_KEY missing?`)
      return schema.parse(JSON.parse(opened.toString()))
    },
  }
}

/** The kinds of flows that are begun with a mail of the same kind. */
function mailKindOf(kind: FlowKind): FlowKind & MailKind {
  if (kind === 'email_undo' || kind === 'not_me') throw new Error(`A flow of kind ${kind} is not sent again.`)
  return kind
}

function localeOf({ locale, requester }: FlowStart): string {
  return locale ?? requester.caller.acceptLanguage ?? ''
}
