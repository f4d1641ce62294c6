import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { system } from '../audit/audit.js'
import type { Revoke } from '../revocation/revocation.js'
import { type Attempt, createAttempt, hashHandle, type RefreshToken, successorOf } from './refresh-token.js'
import type { FamiliesContext } from './context.js'
import { endFamilies } from './ending.js'
import {
  carriedModes,
  type Carrier,
  type FamilyReading,
  FIRST_PARTY_CLIENT,
  makeSessionTokens,
  type SessionTokens,
} from './family.js'
import { createBatching, type BatchedWork, type Batching } from './batching.js'
import { recordOutcome } from './outcome.js'
import { judge } from './rotation.js'
import * as store from './store.js'

export interface RefreshRequest {
  /** A token that we issued. */
  token: RefreshToken
  carrier: Carrier
  /** The client that presents it; a first-party one by default. */
  clientId?: string
  /** The `Idempotency-Key`, if the client sent one. */
  attemptKey: string | null
  caller: Caller
}

/** A refresh on its way into the statement that many share. */
interface Presentation extends BatchedWork {
  client: Queries
  advance: store.Advance
}

/** More at once would make smaller batches of the same work: one is with the database while the next comes together. */
const CONCURRENT_BATCHES = 2
/** What a database answers within a few milliseconds. */
const MAX_BATCH_SIZE = 100

/** Presents genuine refresh tokens: rotates them, answers a repetition again, or throws the problem that refuses one. */
export function createRefreshing(context: FamiliesContext): (request: RefreshRequest) => Promise<SessionTokens> {
  const batching = createBatching<Presentation, FamilyReading | null>({
    doAll: (batch) => rotateBatch(context, batch),
    concurrency: CONCURRENT_BATCHES,
    maxBatchSize: MAX_BATCH_SIZE,
  })
  return (request) => refresh(context, batching, request)
}

async function refresh(
  context: FamiliesContext,
  batching: Batching<Presentation, FamilyReading | null>,
  request: RefreshRequest,
): Promise<SessionTokens> {
  const attempt = createAttempt(request.token.handle, request.attemptKey)
  const rotated = await rotateBatched(context, batching, toAdvance(request, attempt))
  if (rotated?.user) {
    context.countRefresh('rotate')
    return makeSessionTokens(context, { ...rotated, user: rotated.user }, successorOf(request.token))
  }

  const judged = await context.revocations.transaction(
    (tx, revoke) => judgeAndAct(context, tx, revoke, request, attempt),
    { safeToRetry: true },
  )
  // Thrown only now: a throw inside the transaction would undo what it reports.
  if ('refused' in judged) throw judged.refused
  return judged.tokens
}

async function rotateBatched(
  { database }: FamiliesContext,
  batching: Batching<Presentation, FamilyReading | null>,
  advance: store.Advance,
): Promise<FamilyReading | null> {
  const subject = Buffer.from(advance.handleHash).toString('base64')
  let isAwaited = true
  const present = (client: Queries) => batching.add({ subject, client, advance, isAwaited: () => isAwaited })
  try {
    // A commit whose answer is lost is met again as the same attempt, because the attempt is named before the first try.
    return await database.query(present, { safeToRetry: true })
  } finally {
    isAwaited = false
  }
}

function rotateBatch(context: FamiliesContext, batch: readonly Presentation[]) {
  const [first] = batch
  if (first === undefined) return Promise.resolve([])
  return advanceFamilies(
    context,
    first.client,
    batch.map(({ advance }) => advance),
  )
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
  const { token, attemptKey } = request
  const reading = await store.readFamilyForUpdate(tx, { handleHash: hashHandle(token.handle) }, context.clock.shiftMs)
  if (reading?.family.id !== sessionId) return null
  const advance = toAdvance(request, createAttempt(token.handle, attemptKey))
  const [rotated] = await advanceFamilies(context, tx, [advance])
  return rotated?.user ? makeSessionTokens(context, { ...rotated, user: rotated.user }, successorOf(token)) : null
}

function advanceFamilies(
  { secrets, clock, settings }: FamiliesContext,
  client: Queries,
  advances: readonly store.Advance[],
) {
  return store.advanceFamilies(client, advances, {
    secretId: secrets.current.id,
    idleSeconds: settings.idleSeconds,
    shiftMs: clock.shiftMs,
  })
}

function toAdvance(
  { token, carrier, clientId = FIRST_PARTY_CLIENT, caller }: RefreshRequest,
  attempt: Attempt,
  from = token.generation,
): store.Advance {
  return {
    handleHash: hashHandle(token.handle),
    from,
    to: token.generation + 1,
    modes: carriedModes[carrier],
    clientId,
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
  request: RefreshRequest,
  attempt: Attempt,
): Promise<{ tokens: SessionTokens } | { refused: Problem }> {
  const { token, carrier, clientId = FIRST_PARTY_CLIENT, caller } = request
  const reading = await store.readFamilyForUpdate(tx, { handleHash: hashHandle(token.handle) }, context.clock.shiftMs)
  if (reading === null) {
    context.countRefresh('ended')
    return refuse('session_ended', 'expired')
  }
  const { family, user, now } = reading
  const presented = { generation: token.generation, modes: carriedModes[carrier], clientId, attempt }
  const verdict = judge(family, presented, context.settings, now)
  const outcome = verdict.outcome === 'rotate' && verdict.ahead ? 'ahead' : verdict.outcome
  await recordOutcome(context, tx, outcome, { family, generation: token.generation, caller })
  switch (verdict.outcome) {
    case 'wrong_mode':
    case 'wrong_client':
      return refuse('refresh_token_invalid')
    case 'ended':
      return refuse('session_ended', verdict.reason)
    case 'superseded':
      return { refused: new Problem('refresh_superseded', { retryAfterSeconds: 1 }) }
    case 'reuse':
      // One of the two who used the token is a thief, and there is no telling which.
      await endFamilies(context, tx, revoke, { ids: [family.id] }, 'reuse_detected', { actor: system, caller })
      return refuse('refresh_token_reused')
    case 'replay':
      if (user === null) return refuse('session_ended', 'deleted')
      return { tokens: makeSessionTokens(context, { family, user, now }, successorOf(token)) }
    case 'rotate': {
      const [advanced] = await advanceFamilies(context, tx, [toAdvance(request, attempt, family.generation)])
      if (!advanced?.user) return refuse('session_ended', 'deleted')
      return { tokens: makeSessionTokens(context, { ...advanced, user: advanced.user }, successorOf(token)) }
    }
  }
}

function refuse(code: 'session_ended' | 'refresh_token_invalid' | 'refresh_token_reused', reason?: string) {
  return { refused: new Problem(code, reason === undefined ? {} : { reason }) }
}
