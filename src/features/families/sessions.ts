import type { UserClaims } from '../../wire/claims.js'
import type { AnyEndReason } from '../../wire/end-reason.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { isUuid } from '../../platform/uuid.js'
import type { TokenUser } from '../accounts/accounts.js'
import { CONCURRENT_BATCHES, createBatching, MAX_BATCH_SIZE, type BatchedWork } from './batching.js'
import type { FamiliesContext } from './context.js'
import { endFamilies, type EndedBy } from './ending.js'
import { type Family, type FamilyReading, idleOrAbsoluteEnd } from './family.js'
import { formatCursor, parseCursor } from './session-page.js'
import { hashHandle, type RefreshToken } from './refresh-token.js'
import { endOf } from './rotation.js'
import * as store from './store.js'

/** A family as presented to its user: one device, one entry of the list. */
export interface Session {
  family: Family
  ended: { at: Date; reason: AnyEndReason } | null
}

/** The page size. */
const PAGE_SIZE = 100

export interface SessionPage {
  sessions: Session[]
  /** The cursor of the next page; null on the last. */
  nextCursor: string | null
}

/**
 * A page of the user's sessions, the most recently used first: the active ones, or those that ended before their
 * absolute expiry. Throws `validation_failed` for an invalid cursor.
 */
export async function listSessions(
  context: FamiliesContext,
  userId: string,
  { ended, cursor = null }: { ended: boolean; cursor?: string | null },
): Promise<SessionPage> {
  const { database, clock, settings } = context
  const after = cursor === null ? null : parseCursor(cursor)
  // One extra row shows whether there is another page.
  const limits = { idleSeconds: settings.idleSeconds, shiftMs: clock.shiftMs }
  const page = { ended, after, size: PAGE_SIZE + 1, ...limits }
  const readings = await database.query((client) => store.findFamiliesOfUser(client, userId, page))
  const sessions = readings
    .slice(0, PAGE_SIZE)
    .map(({ family, now }) => ({ family, ended: endingOf(context, family, now) }))
  const last = readings.length > PAGE_SIZE ? sessions.at(-1) : undefined
  return { sessions, nextCursor: last === undefined ? null : formatCursor(last.family) }
}

/** An active session of the user. Throws `not_found` for a session of another user or one that has ended. */
export async function findSession(context: FamiliesContext, userId: string, sessionId: string): Promise<Session> {
  return { family: await requireLiveSession(context, userId, sessionId), ended: null }
}

/** Renames a session's device. Throws `not_found` for a session of another user or one that has ended. */
export async function renameSession(
  context: FamiliesContext,
  userId: string,
  sessionId: string,
  deviceName: string,
): Promise<Session> {
  const family = await requireLiveSession(context, userId, sessionId)
  await context.database.query((client) => store.renameFamily(client, family.id, deviceName))
  return { family: { ...family, deviceName }, ended: null }
}

/** Ends one session of the user. Throws `not_found` for a session of another user or one that has ended. */
export async function endSession(
  context: FamiliesContext,
  userId: string,
  sessionId: string,
  caller: Caller,
): Promise<void> {
  const family = await requireLiveSession(context, userId, sessionId)
  const by: EndedBy = { actor: { kind: 'user', id: userId }, caller }
  await context.revocations.statement((client, revoking) =>
    endFamilies(context, client, revoking, { ids: [family.id] }, 'revoked_by_user', by),
  )
}

/**
 * Ends every session of the user except the caller's, clients' included: those alone stay that would end with it, because
 * they belong to the same browser.
 */
export async function endOtherSessions(
  context: FamiliesContext,
  { sub, sid }: UserClaims,
  caller: Caller,
): Promise<void> {
  const by: EndedBy = { actor: { kind: 'user', id: sub }, caller }
  await context.revocations.statement((client, revoking) =>
    endFamilies(context, client, revoking, { userId: sub, exceptId: sid, sparesChildren: true }, 'revoked_by_user', by),
  )
}

/** Ends every session of the user, and the trust in their devices. */
export async function endAllSessions(context: FamiliesContext, userId: string, caller: Caller): Promise<void> {
  const by: EndedBy = { actor: { kind: 'user', id: userId }, caller }
  await context.revocations.transaction(async (tx, revoke) => {
    await context.accounts.endTrust(tx, userId)
    await endFamilies(context, tx, revoke, { userId, exceptId: null }, 'logout_all', by)
  })
}

/** What the database has of the user of a live session. */
export type LiveUser = Readonly<Pick<TokenUser, 'roles' | 'factors' | 'hasPassword'>>

/**
 * Checks verified claims against the database. Throws `session_ended`, or `token_stale` if the user's claims have changed
 * since the token was issued and that is not accepted.
 */
export async function requireLive(
  context: FamiliesContext,
  claims: UserClaims,
  { acceptsStale = false } = {},
): Promise<LiveUser> {
  const { database, clock, settings } = context
  const read = () =>
    database.query((client) => store.readFamily(client, { id: claims.sid }, clock.shiftMs), { safeToRetry: true })
  const reading = await read()
  if (reading === null) throw new Problem('session_ended', { reason: 'expired' })
  const reason = endOf(reading.family, settings, reading.now)
  if (reason !== null) throw new Problem('session_ended', { reason })
  if (reading.user === null) throw new Problem('session_ended', { reason: 'deleted' })
  if (claims.epoch < reading.user.epoch && !acceptsStale) throw new Problem('token_stale')
  return reading.user
}

/** Why a session ended; null while it is active, or after its row was purged. */
export async function findEndReason(context: FamiliesContext, sessionId: string): Promise<AnyEndReason | null> {
  const { database, clock } = context
  const find = (client: Queries) => store.readFamily(client, { id: sessionId }, clock.shiftMs)
  const reading = await database.query(find, { safeToRetry: true })
  return reading && (endingOf(context, reading.family, reading.now)?.reason ?? null)
}

/** An active session, identified by its current refresh token. */
export interface LiveSession {
  sessionId: string
  userId: string
  clientId: string
  /** When it expires if it is not used. */
  refreshExpiresAt: Date
}

/** Finds a session by its current refresh token, without using the token. Null for a used token or an ended session. */
export async function inspect(
  { database, clock, settings }: FamiliesContext,
  { handle, generation }: RefreshToken,
): Promise<LiveSession | null> {
  const find = (client: Queries) => store.readFamily(client, { handleHash: hashHandle(handle) }, clock.shiftMs)
  const reading = await database.query(find, { safeToRetry: true })
  if (!reading?.user) return null
  const { family, user, now } = reading
  if (generation < family.generation || endOf(family, settings, now) !== null) return null
  const refreshExpiresAt = idleOrAbsoluteEnd(family, settings.idleSeconds[family.mode])
  return { sessionId: family.id, userId: user.id, clientId: family.clientId, refreshExpiresAt }
}

/** A family as it is found by any of its refresh tokens. */
export interface IdentifiedFamily extends Session {
  /** Null if the user was deleted. */
  user: TokenUser | null
}

/** Identifies families by genuine refresh tokens of any generation; those that are asked for together share a statement. */
export function createIdentification(context: FamiliesContext) {
  const { database, clock } = context
  const reads = createBatching<BatchedWork & { client: Queries }, FamilyReading | null>({
    async doAll(batch) {
      const [first] = batch
      if (first === undefined) return []
      const handles = batch.map(({ subject }) => subject)
      const found = await store.readFamiliesByHandle(first.client, handles, clock.shiftMs)
      return handles.map((handle) => found.get(handle) ?? null)
    },
    concurrency: CONCURRENT_BATCHES,
    maxBatchSize: MAX_BATCH_SIZE,
  })

  return async function identify({ handle }: RefreshToken): Promise<IdentifiedFamily | null> {
    const subject = hashHandle(handle).toString('hex')
    let isAwaited = true
    const read = (client: Queries) => reads.add({ subject, client, isAwaited: () => isAwaited })
    try {
      const reading = await database.query(read, { safeToRetry: true })
      if (reading === null) return null
      const { family, user, now } = reading
      return { family, user, ended: endingOf(context, family, now) }
    } finally {
      isAwaited = false
    }
  }
}

async function requireLiveSession(context: FamiliesContext, userId: string, sessionId: string): Promise<Family> {
  const { database, clock } = context
  if (!isUuid(sessionId)) throw new Problem('not_found')
  const reading = await database.query((client) => store.readFamily(client, { id: sessionId }, clock.shiftMs))
  const isTheirs = reading?.family.userId === userId && reading.family.mode !== 'client'
  if (!isTheirs || endingOf(context, reading.family, reading.now) !== null) throw new Problem('not_found')
  return reading.family
}

/** Why a session ended: as recorded, or by expiry. */
function endingOf({ settings }: FamiliesContext, family: Family, now: Date): Session['ended'] {
  if (family.ended !== null) return family.ended
  const reason = endOf(family, settings, now)
  if (reason === null) return null
  const idleEndMs = family.lastUsedAt.getTime() + settings.idleSeconds[family.mode] * 1000
  // A parent may have been idle for longer.
  return { at: reason === 'idle' ? new Date(Math.min(idleEndMs, now.getTime())) : now, reason }
}
