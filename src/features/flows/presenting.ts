import { Problem } from '../../platform/problem.js'
import { stranger } from '../audit/audit.js'
import type { Refusal, Requester } from '../limits/limits.js'
import type { flowEvents } from './audit-events.js'
import type { FlowsContext } from './context.js'
import type { Flow, PresentedFlow } from './flow.js'
import { isCode, isConfirmation, parseFlowToken, type FlowToken } from './flow-token.js'
import { MAX_ATTEMPTS, refusalOf, type FlowRefusal } from './judging.js'
import { livesOf, type FlowKind } from './kinds.js'
import { codeBudgets } from './policies.js'
import * as store from './store.js'

/** What a request shows of a flow: the link's token, or the code, and the holder's tokens from its body or cookie. */
export interface Presented {
  token?: string | undefined
  code?: string | undefined
  /** The newest first. */
  holders: readonly string[]
}

/** The outcome of an attempt. */
export type Attempted<T> = { isRight: true; result: T } | { isRight: false; problem: Problem }

export interface Presenting {
  /**
   * The open flow that a link or a code belongs to. Changes nothing but the count of wrong codes. Throws `flow_invalid`
   * with its reason, and `rate_limited` after too many wrong codes for one address.
   */
  present(presented: Presented, kinds: readonly FlowKind[], requester: Requester): Promise<PresentedFlow>
  /** Throws `flow_invalid`, and counts it as a wrong code, unless the digits are those that a mail asks its reader to type. */
  requireConfirmed(flow: Flow, digits: string, requester: Requester): Promise<void>
  /**
   * The open flow whose holder's token is all that a request has to show, such as the second step of a sign-in. Throws
   * `flow_invalid`.
   */
  requireHeld(token: string, kind: FlowKind): Promise<Flow>
  /**
   * Uses one attempt of a flow for a check, and returns it unless the check fails, which is null, or the problem to refuse
   * the request with.
   */
  attempt<T>(flow: Flow, check: () => Promise<T | null>): Promise<Attempted<T>>
  /** How many attempts the flows of a user and kind of the last hour have used up. */
  countAttempts(userId: string, kind: FlowKind): Promise<number>
  /**
   * The flow of which a request has the holder's token: the newest open one, or the newest; null if there is none. Never the
   * second step of a sign-in, whose token is for nothing else (MFA-06).
   */
  findHeld(holders: readonly string[]): Promise<Flow | null>
  isOpen(flow: Flow): boolean
  /** The refusal of a flow that was open a moment ago. */
  refusalNow(flow: Flow): Promise<Problem>
}

export function createPresenting(context: FlowsContext): Presenting {
  const { database, secrets, clock, limits, audit, settings } = context
  const lives = livesOf(settings)

  const find = (tokens: readonly FlowToken[]) =>
    database.query((client) => store.findFlows(client, [...new Set(tokens.map(({ flowId }) => flowId))]), {
      safeToRetry: true,
    })

  const isOpen = (flow: Flow) => refusalOf(flow, [flow.kind], clock.now()) === null

  async function presentLink(text: string, presented: Presented, kinds: readonly FlowKind[]): Promise<PresentedFlow> {
    const token = parseFlowToken('spl_', text)
    const [flow] = token === null ? [] : await find([token])
    const isGenuine = token !== null && flow?.linkHashes.some((hash) => token.hash.equals(hash)) === true
    if (flow === undefined || !isGenuine) throw flowInvalid('expired')
    const refusal = refusalOf(flow, kinds, clock.now())
    if (refusal !== null) throw flowInvalid(refusal)
    return { ...flow, isHeld: isHeldBy(flow, parseHolders(presented.holders)) }
  }

  async function presentCode(
    code: string,
    presented: Presented,
    kinds: readonly FlowKind[],
    requester: Requester,
  ): Promise<PresentedFlow> {
    const holders = parseHolders(presented.holders)
    const held = (await find(holders)).filter((flow) => isHeldBy(flow, holders) && lives[flow.kind].hasCode)
    const candidates = held.filter(({ kind }) => kinds.includes(kind))
    const openFlows = candidates.filter(isOpen)
    const [newest] = openFlows
    if (newest === undefined) {
      const [ended] = candidates
      throw flowInvalid((ended && refusalOf(ended, kinds, clock.now())) ?? 'expired')
    }
    const budgets = codeBudgets(openFlows.flatMap(({ email }) => email ?? []))
    const refusal: Refusal<keyof typeof flowEvents> = { event: 'flow_codes_limited', actor: stranger }
    const ids = openFlows.map(({ id }) => id)
    const tried: store.Try[] = []
    const matching = await limits.guard(budgets, { ...requester, refusal }, async () => {
      tried.push(...(await database.query((client) => store.takeTries(client, ids, clock.shiftMs))))
      const compared = openFlows.filter((flow) => tried.some(({ id }) => id === flow.id))
      return compared.find(({ id, codeMac }) => isCode(secrets, id, codeMac, code)) ?? null
    })
    if (matching === null) throw await refuseWrong(newest, tried, requester)
    const taken = tried.map(({ id }) => id)
    await database.query((client) => store.returnTries(client, taken))
    return { ...matching, isHeld: true }
  }

  async function refuseWrong(newest: Flow, tried: readonly store.Try[], { caller }: Requester): Promise<Problem> {
    const own = tried.find(({ id }) => id === newest.id) ?? tried[0]
    // It has ended since it was read.
    if (own === undefined) return refusalNow(newest)
    const { userId } = newest
    await database.query((client) =>
      audit.record(client, { event: 'flow_code_wrong', actor: stranger, caller, userId }),
    )
    return wrongAfter(own)
  }

  async function attempt<T>(flow: Flow, check: () => Promise<T | null>): Promise<Attempted<T>> {
    const giveBack = () => database.query((client) => store.returnTries(client, [flow.id]))
    const [own] = await database.query((client) => store.takeTries(client, [flow.id], clock.shiftMs))
    if (own === undefined) return { isRight: false, problem: await refusalNow(flow) }
    try {
      const result = await check()
      if (result === null) return { isRight: false, problem: wrongAfter(own) }
      await giveBack()
      return { isRight: true, result }
    } catch (error) {
      // Nothing was found wrong.
      await giveBack()
      throw error
    }
  }

  async function refusalNow({ id, kind }: Flow): Promise<Problem> {
    const [flow] = await database.query((client) => store.findFlows(client, [id]))
    return flowInvalid((flow && refusalOf(flow, [kind], clock.now())) ?? 'expired')
  }

  return {
    refusalNow,

    present(presented, kinds, requester) {
      const { token, code } = presented
      if (token !== undefined) return presentLink(token, presented, kinds)
      return presentCode((code ?? '').replaceAll(/\s/g, ''), presented, kinds, requester)
    },

    async requireHeld(text, kind) {
      const holders = parseHolders([text])
      const [flow] = await find(holders)
      if (flow === undefined || !isHeldBy(flow, holders)) throw flowInvalid('expired')
      const refusal = refusalOf(flow, [kind], clock.now())
      if (refusal !== null) throw flowInvalid(refusal)
      return flow
    },

    attempt,
    countAttempts: (userId, kind) =>
      database.query((client) => store.countAttempts(client, { userId, kind, seconds: 60 * 60 }, clock.shiftMs)),

    async requireConfirmed(flow, digits, requester) {
      const tried = await database.query((client) => store.takeTries(client, [flow.id], clock.shiftMs))
      const isRight = tried.length > 0 && isConfirmation(secrets, flow.id, digits.replaceAll(/\s/g, ''))
      if (!isRight) throw await refuseWrong(flow, tried, requester)
      await database.query((client) => store.returnTries(client, [flow.id]))
    },

    async findHeld(texts) {
      const holders = parseHolders(texts)
      const held = (await find(holders)).filter((flow) => isHeldBy(flow, holders) && flow.kind !== 'mfa')
      return held.find(isOpen) ?? held[0] ?? null
    },
    isOpen,
  }
}

export function flowInvalid(reason: FlowRefusal, attemptsLeft?: number): Problem {
  return new Problem('flow_invalid', {
    reason,
    ...(attemptsLeft === undefined ? {} : { members: { attempts_left: attemptsLeft } }),
  })
}

function wrongAfter({ attempts }: store.Try): Problem {
  const attemptsLeft = MAX_ATTEMPTS - attempts
  return flowInvalid(attemptsLeft === 0 ? 'too_many_attempts' : 'wrong_code', attemptsLeft)
}

/** A link that was opened elsewhere, and what the request has to show besides it. */
export function flowUnbound(needs: 'password' | 'code' | 'sign_in'): Problem {
  return new Problem('flow_unbound', { members: { needs: [needs] } })
}

function parseHolders(texts: readonly string[]): FlowToken[] {
  return texts.flatMap((text) => parseFlowToken('spf_', text) ?? [])
}

function isHeldBy(flow: Flow, holders: readonly FlowToken[]): boolean {
  const { holderHash } = flow
  return holderHash !== null && holders.some(({ flowId, hash }) => flowId === flow.id && hash.equals(holderHash))
}
