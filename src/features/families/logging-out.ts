import type { Caller } from '../../platform/http/caller.js'
import type { Actor } from '../audit/audit.js'
import { FIRST_PARTY_CLIENT } from '../tokens/tokens.js'
import type { FamiliesContext } from './context.js'
import { endFamilies } from './ending.js'
import { hashHandle, type RefreshToken } from './refresh-token.js'

/** What shows which session is to end: a genuine refresh token of any generation, or the claims of an access token. */
export interface ShownCredentials {
  refreshTokens: RefreshToken[]
  sessionIds: string[]
  /** The client whose sessions alone may end: a first-party one by default; null for any. */
  clientId?: string | null
}

/**
 * Ends the families of all genuine credentials shown; by default it is their users who do. Harmless to repeat, and
 * without any. Those of another client than the one that shows them do nothing.
 */
export async function logout(
  context: FamiliesContext,
  { refreshTokens, sessionIds: ids, clientId = FIRST_PARTY_CLIENT }: ShownCredentials,
  caller: Caller,
  actor: Actor | 'subject' = 'subject',
): Promise<void> {
  if (refreshTokens.length === 0 && ids.length === 0) return
  const handleHashes = refreshTokens.map(({ handle }) => hashHandle(handle))
  const which = { handleHashes, ids, ...(clientId !== null && { clientId }) }
  await context.revocations.statement(
    (client, revoking) => endFamilies(context, client, revoking, which, 'logout', { actor, caller }),
    { safeToRetry: true },
  )
}
