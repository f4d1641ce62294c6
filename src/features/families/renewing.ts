import type { Queries } from '../../platform/database/database.js'
import type { Caller } from '../../platform/http/caller.js'
import { Problem } from '../../platform/problem.js'
import { system } from '../audit/audit.js'
import type { Revoke } from '../revocation/revocation.js'
import { FIRST_PARTY_CLIENT } from '../tokens/tokens.js'
import type { FamiliesContext } from './context.js'
import { endFamilies } from './ending.js'
import { makeSessionTokens, type SessionTokens } from './family.js'
import { recordOutcome } from './outcome.js'
import { hashHandle, type RefreshToken } from './refresh-token.js'
import { judgeRenewal } from './rotation.js'
import * as store from './store.js'

/**
 * Mode `session`: a new access token for a genuine refresh cookie, without rotating it. Answers null where the cookie
 * does not belong to a first-party session of that mode; throws the problem that refuses any other.
 */
export async function renew(
  context: FamiliesContext,
  token: RefreshToken,
  caller: Caller,
  { isByService = false } = {},
): Promise<SessionTokens | null> {
  const { database, settings, clock } = context
  const renewal = {
    handleHash: hashHandle(token.handle),
    generation: token.generation,
    clientId: FIRST_PARTY_CLIENT,
    idleSeconds: settings.idleSeconds,
    graceSeconds: settings.graceSeconds,
    ip: caller.ip,
    userAgent: caller.userAgent,
    isByService,
    shiftMs: clock.shiftMs,
  }
  const touched = await database.query((client) => store.touchFamily(client, renewal), { safeToRetry: true })
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
  const { settings, clock } = context
  const reading = await store.readFamilyForUpdate(tx, { handleHash: hashHandle(token.handle) }, clock.shiftMs)
  if (reading === null) {
    context.countRefresh('ended')
    return new Problem('session_ended', { reason: 'expired' })
  }
  const { family, user, now } = reading
  const verdict = judgeRenewal(family, { generation: token.generation, clientId: FIRST_PARTY_CLIENT }, settings, now)
  const presented = { family, generation: token.generation, caller }
  switch (verdict.outcome) {
    case 'wrong_mode':
    case 'wrong_client':
      return null
    case 'ended':
      await recordOutcome(context, tx, 'ended', presented)
      return new Problem('session_ended', { reason: verdict.reason })
    case 'reuse':
      await recordOutcome(context, tx, 'reuse', presented)
      await endFamilies(context, tx, revoke, { ids: [family.id] }, 'reuse_detected', { actor: system, caller })
      return new Problem('refresh_token_reused')
    case 'renew':
      if (user === null) return new Problem('session_ended', { reason: 'deleted' })
      if (verdict.ahead) {
        await recordOutcome(context, tx, 'ahead', presented)
        await store.adoptGeneration(tx, family.id, token.generation)
      }
      return makeSessionTokens(context, { family, user, now }, token)
  }
}
