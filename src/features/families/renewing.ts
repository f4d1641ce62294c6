import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import type { Revoke } from '../revocation/revocation.js'
import type { FamiliesContext } from './context.js'
import { endReusedFamily } from './ending.js'
import { hashHandle, type RefreshToken } from './refresh-token.js'
import { judgeRenewal } from './rotation.js'
import { makeSessionTokens, type SessionTokens } from './session-tokens.js'
import * as store from './store.js'

/**
 * Mode `session`: a new access token for a genuine refresh cookie, without rotating it. Answers null where the cookie
 * does not belong to a session of that mode; throws the problem that refuses any other.
 */
export async function renew(
  context: FamiliesContext,
  token: RefreshToken,
  caller: Caller,
): Promise<SessionTokens | null> {
  const { database, limits, clock } = context
  const renewal = {
    handleHash: hashHandle(token.handle),
    generation: token.generation,
    idleSeconds: limits.idleSeconds.session,
    graceSeconds: limits.graceSeconds,
    ip: caller.ip,
    userAgent: caller.userAgent,
    shiftMs: clock.shiftMs,
  }
  const touched = await database.query((client) => store.touchFamily(client, renewal), { repeatable: true })
  if (touched?.user) return makeSessionTokens(context, { ...touched, user: touched.user }, token)

  const judged = await context.revocations.transaction((tx, revoke) => judgeAndAct(context, tx, revoke, token, caller))
  if (judged instanceof Problem) throw judged
  return judged
}

async function judgeAndAct(
  context: FamiliesContext,
  tx: Queries,
  revoke: Revoke,
  token: RefreshToken,
  caller: Caller,
): Promise<SessionTokens | Problem | null> {
  const { audit, limits, clock } = context
  const reading = await store.readFamilyForUpdate(tx, hashHandle(token.handle), clock.shiftMs)
  if (reading === null) return new Problem('session_ended', { reason: 'expired' })
  const { family, user, now } = reading
  const verdict = judgeRenewal(family, token.generation, limits, now)
  const { userId, id: sessionId } = family
  switch (verdict.outcome) {
    case 'wrong_mode':
      return null
    case 'ended':
      return new Problem('session_ended', { reason: verdict.reason })
    case 'reuse':
      context.countRefresh('reuse')
      await endReusedFamily(context, tx, revoke, family, caller)
      await audit.record(tx, { event: 'refresh_reused', caller, userId, sessionId })
      return new Problem('refresh_token_reused')
    case 'renew':
      if (user === null) return new Problem('session_ended', { reason: 'deleted' })
      if (token.generation > family.generation) {
        await store.adoptGeneration(tx, family.id, token.generation)
        await audit.record(tx, { event: 'refresh_ahead', caller, userId, sessionId })
      }
      return makeSessionTokens(context, { family, user, now }, token)
  }
}
