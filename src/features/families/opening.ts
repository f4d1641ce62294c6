import type { Mode } from '../../wire/mode.js'
import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { uuidv7 } from '../../platform/uuid.js'
import type { Revoke } from '../revocation/revocation.js'
import type { FamiliesContext } from './context.js'
import { deviceNameOf } from './device-name.js'
import { endFamily } from './ending.js'
import { createRefreshToken, hashHandle, type RefreshToken } from './refresh-token.js'
import { makeSessionTokens, type SessionTokens } from './session-tokens.js'
import * as store from './store.js'

export interface OpenRequest {
  userId: string
  mode: Mode
  /** Whether the cookies outlive the browser. */
  remember: boolean
  /** What the client calls the device; null lets the user agent name it. */
  deviceName: string | null
  /** Authentication methods (RFC 8176) that the user has just passed. */
  amr: string[]
  /** Genuine refresh cookies that came along: the browser will forget them, so their families end. */
  replaces: RefreshToken[]
  caller: Caller
}

/**
 * Starts a family. Only for a transaction that holds the user's row and has checked that what was verified still
 * holds: whoever changes the password, bans or deletes takes that row first.
 */
export async function open(
  context: FamiliesContext,
  tx: Queries,
  revoke: Revoke,
  request: OpenRequest,
): Promise<SessionTokens> {
  const { secrets, limits, clock } = context
  await endReplaced(context, tx, revoke, request)
  await endBeyondLimit(context, tx, revoke, request)

  const token = createRefreshToken()
  const reading = await store.insertFamily(tx, {
    id: uuidv7(),
    userId: request.userId,
    handleHash: hashHandle(token.handle),
    secretId: secrets.current.id,
    mode: request.mode,
    remember: request.remember,
    deviceName: request.deviceName ?? deviceNameOf(request.caller.userAgent),
    userAgent: request.caller.userAgent,
    ip: request.caller.ip,
    amr: request.amr,
    maxSeconds: limits.maxSeconds[request.mode],
    shiftMs: clock.shiftMs,
  })
  if (!reading?.holder) throw new Error('A family was opened for a user who does not exist.')
  return makeSessionTokens(context, { ...reading, holder: reading.holder }, token)
}

async function endReplaced(
  context: FamiliesContext,
  tx: Queries,
  revoke: Revoke,
  { replaces, caller }: OpenRequest,
): Promise<void> {
  for (const { handle } of replaces) {
    const reading = await store.readFamilyForUpdate(tx, hashHandle(handle), context.clock.shiftMs)
    if (reading === null) continue
    const by = { userId: reading.family.userId, caller }
    await endFamily(context, tx, revoke, reading.family, 'logout', by)
  }
}

/** Makes room for one more: the least recently used live families end. */
async function endBeyondLimit(
  context: FamiliesContext,
  tx: Queries,
  revoke: Revoke,
  { userId, caller }: OpenRequest,
): Promise<void> {
  const { limits, clock } = context
  const { maxSessionsPerUser, idleSeconds } = limits
  const beyond = await store.findFamiliesBeyond(tx, userId, maxSessionsPerUser - 1, idleSeconds, clock.shiftMs)
  for (const family of beyond) {
    await endFamily(context, tx, revoke, family, 'limit', { userId: null, caller })
  }
}
