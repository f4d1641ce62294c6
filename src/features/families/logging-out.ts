import type { Caller } from '../../platform/http/caller.js'
import type { Actor } from '../audit/audit.js'
import type { FamiliesContext } from './context.js'
import { endFamily } from './ending.js'
import { hashHandle, type RefreshToken } from './refresh-token.js'
import * as store from './store.js'

/** What shows which session is to end: a genuine refresh token of any generation, or the claims of an access token. */
export interface ShownCredentials {
  refreshTokens: RefreshToken[]
  sessionIds: string[]
}

/**
 * Ends the families of all genuine credentials shown; by default it is their users who do. Harmless to repeat, and
 * without any.
 */
export async function logout(
  context: FamiliesContext,
  { refreshTokens, sessionIds }: ShownCredentials,
  caller: Caller,
  actor?: Actor,
): Promise<void> {
  if (refreshTokens.length === 0 && sessionIds.length === 0) return
  const { shiftMs } = context.clock
  await context.revocations.transaction(
    async (tx, revoke) => {
      const readings = [
        ...(await Promise.all(
          refreshTokens.map(({ handle }) => store.readFamilyForUpdate(tx, hashHandle(handle), shiftMs)),
        )),
        ...(await Promise.all(sessionIds.map((id) => store.readFamily(tx, id, shiftMs)))),
      ]
      for (const reading of readings) {
        if (reading === null) continue
        const { family } = reading
        const by = { actor: actor ?? { kind: 'user' as const, id: family.userId }, caller }
        await endFamily(context, tx, revoke, family, 'logout', by)
      }
    },
    { repeatable: true },
  )
}
