import type { AuthorizationCode, DeviceCode } from 'oidc-provider'
import { callerOf } from '../../../platform/http/caller.js'
import { system } from '../../audit/audit.js'
import type { ClientTokens } from '../../families/families.js'
import * as store from '../store.js'
import { ownMetadataOf } from './client.js'
import { resourcesOf } from './codes.js'
import { requireState, type ProviderContext } from './context.js'
import { FIRST_PARTY_GRANT } from './grants.js'
import { authenticationOf } from './session.js'

/**
 * Opens the family that a code was issued for, in a transaction that holds the user's row and the code's: a second
 * redemption of the code either finds the family and ends it, or was noted first, and then the family ends as it is
 * opened. The first redemption gets its tokens in both cases (RFC 6749, section 4.1.2: one succeeds, and what it was given
 * is revoked). Throws `invalid_grant` where the user or the browser's session is no longer what it was. A device is signed
 * in for itself: the browser in which its user approved it may be another person's.
 */
export async function openFamily(
  context: ProviderContext,
  code: AuthorizationCode | DeviceCode,
): Promise<ClientTokens> {
  const { accounts, audit, clients, clock, families, library, revocations } = context
  const state = requireState(context)
  const { familyId } = state
  const { accountId: userId, clientId, grantId } = code
  if (familyId === null || userId === undefined || clientId === undefined || state.code === null) {
    throw new Error('A family is opened without its code.')
  }
  const { key, trustEpoch } = state.code
  const parentId = code.kind === 'DeviceCode' ? null : (code.sessionUid ?? null)
  const caller = callerOf(state.request)
  const { client } = library.default.ctx?.oidc ?? {}
  const isUsed = client !== undefined && ownMetadataOf(client).is_used

  const opened = await revocations.transaction(async (tx, revoke) => {
    const user = await accounts.lock(tx, userId)
    if (user === null) return null
    // A client that was never used may be removed at this moment.
    if (!isUsed && !(await clients.markUsed(tx, clientId))) return null
    const isReused = await store.isReused(tx, key)
    const tokens = await families.openForClient(tx, revoke, {
      id: familyId,
      userId,
      trustEpoch,
      clientId,
      scope: code.scope ?? '',
      audience: resourcesOf(code),
      jkt: null,
      rpSid: code.sid ?? null,
      parentId,
      grantId: grantId === FIRST_PARTY_GRANT ? null : (grantId ?? null),
      authentication: authenticationOf(code),
      caller,
      together: (opened) => {
        const actor = { kind: 'user' as const, id: userId }
        const about = { actor, caller, userId, sessionId: familyId, detail: { client_id: clientId } }
        return [audit.insertionOf({ event: 'oauth_signed_in', ...about }, { at: clock.now(), from: opened })]
      },
    })
    if (tokens !== null && isReused) {
      await families.endOne(tx, revoke, familyId, { reason: 'reuse_detected', by: { actor: system, caller } })
    }
    return tokens
  })
  if (opened === null) throw new library.errors.InvalidGrant({ detail: 'the code is no longer good' })
  return opened
}
