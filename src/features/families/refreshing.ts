import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { system } from '../audit/audit.js'
import type { Revoke } from '../revocation/revocation.js'
import { FIRST_PARTY_CLIENT } from '../tokens/tokens.js'
import { type Attempt, createAttempt, hashHandle, type RefreshToken, successorOf } from './refresh-token.js'
import type { FamiliesContext } from './context.js'
import { endFamilies } from './ending.js'
import {
  carriedModes,
  type Carrier,
  type ClientTokens,
  type FamilyReading,
  type LivingReading,
  makeClientTokens,
  makeSessionTokens,
  type SessionTokens,
} from './family.js'
import { CONCURRENT_BATCHES, createBatching, MAX_BATCH_SIZE, type BatchedWork, type Batching } from './batching.js'
import { recordOutcome } from './outcome.js'
import { judge, type FamilyMode, type LostAnswer } from './rotation.js'
import * as store from './store.js'

export interface RefreshRequest {
  /** A token that we issued. */
  token: RefreshToken
  carrier: Carrier
  /** The `Idempotency-Key`, if the client sent one. */
  attemptKey: string | null
  caller: Caller
}

/** A refresh at the token endpoint (RFC 6749, section 6), by a client that has authenticated if it can. */
export interface ClientRefreshRequest extends Omit<RefreshRequest, 'carrier'> {
  clientId: string
  /** The thumbprint of the key that the request has proven to hold (RFC 9449); null without a proof. */
  jkt: string | null
  lostAnswer: LostAnswer
}

/** A token with all that it is judged by. */
interface Presentation extends Omit<ClientRefreshRequest, 'attemptKey'> {
  modes: readonly FamilyMode[]
  attempt: Attempt
}

/** A family that was rotated, or whose answer is given again. */
interface Refreshed {
  reading: LivingReading
  successor: RefreshToken
}

/** A refresh on its way into the statement that many share. */
interface Advancing extends BatchedWork {
  client: Queries
  advance: store.Advance
}

/** One attempt of a client to refresh. Each step is done once, however often it is asked for. */
export interface ClientRefresh {
  /**
   * The ordinary refresh by itself. Null where the token is not the current one of a living family of the client, and of the key
   * that was proven: nothing has changed then.
   */
  advance(): Promise<ClientTokens | null>
  /** The whole refresh: what is not ordinary is judged, and answered again or refused. Throws as `refresh` does. */
  complete(): Promise<ClientTokens>
}

export interface Refreshing {
  refresh(request: RefreshRequest): Promise<SessionTokens>
  beginClientRefresh(request: ClientRefreshRequest): ClientRefresh
}

/** Presents genuine refresh tokens: rotates them, answers a repetition again, or throws the problem that refuses one. */
export function createRefreshing(context: FamiliesContext): Refreshing {
  const batchingOf = (mayHaveParents: boolean) =>
    createBatching<Advancing, FamilyReading | null>({
      doAll: (batch) => rotateBatch(context, batch, mayHaveParents),
      concurrency: CONCURRENT_BATCHES,
      maxBatchSize: MAX_BATCH_SIZE,
    })
  const [ofFirstParty, ofClients] = [batchingOf(false), batchingOf(true)]
  return {
    async refresh(request) {
      const presentation = toPresentation(request)
      const { reading, successor } =
        (await rotate(context, ofFirstParty, presentation)) ?? (await judgeOthers(context, presentation))
      return makeSessionTokens(context, reading, successor)
    },

    beginClientRefresh({ attemptKey, ...request }) {
      const attempt = createAttempt(request.token.handle, attemptKey)
      const presentation = { ...request, modes: carriedModes.client, attempt }
      const toTokens = ({ reading, successor }: Refreshed) =>
        makeClientTokens(context, reading, { refreshToken: successor, jkt: request.jkt })
      const advance = once(async () => {
        const refreshed = await rotate(context, ofClients, presentation)
        return refreshed && toTokens(refreshed)
      })
      const complete = once(async () => (await advance()) ?? toTokens(await judgeOthers(context, presentation)))
      return { advance, complete }
    },
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined
  return () => (begun ??= work())
}

/** The ordinary refresh, in a statement that many share; null for any other. */
async function rotate(
  context: FamiliesContext,
  batching: Batching<Advancing, FamilyReading | null>,
  presentation: Presentation,
): Promise<Refreshed | null> {
  const rotated = await rotateBatched(context, batching, toAdvance(presentation))
  if (!rotated?.user) return null
  context.countRefresh('rotate')
  return { reading: { ...rotated, user: rotated.user }, successor: successorOf(presentation.token) }
}

/** Every other refresh: answers a repetition again, or throws the problem that refuses it. */
async function judgeOthers(context: FamiliesContext, presentation: Presentation): Promise<Refreshed> {
  const judged = await context.revocations.transaction((tx, revoke) => judgeAndAct(context, tx, revoke, presentation), {
    safeToRetry: true,
  })
  // Thrown only now: a throw inside the transaction would undo what it reports.
  if ('refused' in judged) throw judged.refused
  return judged
}

/** Of a first-party client, which has no key to prove, and whose lost answers heal for the grace period without attempt keys. */
function toPresentation({ carrier, attemptKey, ...request }: RefreshRequest): Presentation {
  const attempt = createAttempt(request.token.handle, attemptKey)
  const modes = carriedModes[carrier]
  return { ...request, modes, attempt, clientId: FIRST_PARTY_CLIENT, jkt: null, lostAnswer: 'grace' }
}

async function rotateBatched(
  { database }: FamiliesContext,
  batching: Batching<Advancing, FamilyReading | null>,
  advance: store.Advance,
): Promise<FamilyReading | null> {
  const subject = Buffer.from(advance.handleHash).toString('base64')
  let isAwaited = true
  const add = (client: Queries) => batching.add({ subject, client, advance, isAwaited: () => isAwaited })
  try {
    // A commit whose answer is lost is met again as the same attempt, because the attempt is named before the first try.
    return await database.query(add, { safeToRetry: true })
  } finally {
    isAwaited = false
  }
}

function rotateBatch(context: FamiliesContext, batch: readonly Advancing[], mayHaveParents: boolean) {
  const [first] = batch
  if (first === undefined) return Promise.resolve([])
  const advances = batch.map(({ advance }) => advance)
  return advanceFamilies(context, first.client, advances, { mayHaveParents })
}

/**
 * Rotates a session in the caller's transaction, where a change of the user calls for new tokens. Null where the token
 * at hand is not the session's current one, or travels in another way: it stays as it is, and is judged when it is
 * presented. An answer that is lost is given again to a refresh of the same attempt.
 */
export async function rotateCurrent(
  context: FamiliesContext,
  tx: Queries,
  sessionId: string,
  request: RefreshRequest,
): Promise<SessionTokens | null> {
  const { token } = request
  const reading = await store.readFamilyForUpdate(tx, { handleHash: hashHandle(token.handle) }, context.clock.shiftMs)
  if (reading?.family.id !== sessionId) return null
  const [rotated] = await advanceFamilies(context, tx, [toAdvance(toPresentation(request))])
  return rotated?.user ? makeSessionTokens(context, { ...rotated, user: rotated.user }, successorOf(token)) : null
}

function advanceFamilies(
  { secrets, clock, settings }: FamiliesContext,
  client: Queries,
  advances: readonly store.Advance[],
  { mayHaveParents = true } = {},
) {
  return store.advanceFamilies(client, advances, {
    mayHaveParents,
    secretId: secrets.current.id,
    idleSeconds: settings.idleSeconds,
    shiftMs: clock.shiftMs,
  })
}

function toAdvance(
  { token, modes, clientId, jkt, attempt, caller }: Presentation,
  from = token.generation,
): store.Advance {
  return {
    handleHash: hashHandle(token.handle),
    from,
    to: token.generation + 1,
    modes,
    clientId,
    jkt,
    attempt,
    ip: caller.ip,
    userAgent: caller.userAgent,
  }
}

/** Every outcome but the ordinary one: the family's row is held while it is judged and while the verdict is written. */
async function judgeAndAct(
  context: FamiliesContext,
  tx: Queries,
  revoke: Revoke,
  presentation: Presentation,
): Promise<Refreshed | { refused: Problem }> {
  const { token, caller } = presentation
  const { generation } = token
  const reading = await store.readFamilyForUpdate(tx, { handleHash: hashHandle(token.handle) }, context.clock.shiftMs)
  if (reading === null) {
    context.countRefresh('ended')
    return refuse('session_ended', 'expired')
  }
  const { family, user, now } = reading
  const verdict = judge(family, { ...presentation, generation }, context.settings, now)
  const outcome = verdict.outcome === 'rotate' && verdict.ahead ? 'ahead' : verdict.outcome
  await recordOutcome(context, tx, outcome, { family, generation, caller })
  const successor = successorOf(token)
  switch (verdict.outcome) {
    case 'wrong_mode':
    case 'wrong_client':
    case 'wrong_key':
      return refuse('refresh_token_invalid')
    case 'ended':
      return refuse('session_ended', verdict.reason)
    case 'superseded':
      return { refused: new Problem('refresh_superseded', { retryAfterSeconds: 1 }) }
    case 'reuse':
      // One of the two who used the token is a thief, and there is no telling which.
      await endFamilies(context, tx, revoke, { ids: [family.id] }, 'reuse_detected', { actor: system, caller })
      return refuse('refresh_token_reused')
    case 'late_replay':
      await store.noteLateReplay(tx, family.id, generation)
      return user ? { reading: { family, user, now }, successor } : refuse('session_ended', 'deleted')
    case 'replay':
      return user ? { reading: { family, user, now }, successor } : refuse('session_ended', 'deleted')
    case 'rotate': {
      const [advanced] = await advanceFamilies(context, tx, [toAdvance(presentation, family.generation)])
      if (!advanced?.user) return refuse('session_ended', 'deleted')
      return { reading: { ...advanced, user: advanced.user }, successor }
    }
  }
}

function refuse(code: 'session_ended' | 'refresh_token_invalid' | 'refresh_token_reused', reason?: string) {
  return { refused: new Problem(code, reason === undefined ? {} : { reason }) }
}
