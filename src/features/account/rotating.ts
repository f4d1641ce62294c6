import type { Queries } from '../../platform/database/database.js'
import type { Families, SessionTokens } from '../families/families.js'
import type { Self } from './self.js'

/**
 * Rotates the session whose user changes a credential, so that a copy of its refresh token is useless from then on. Null
 * where the request shows no refresh token of it: the client refreshes by itself then.
 */
export async function rotateShown(
  families: Pick<Families, 'rotate'>,
  tx: Queries,
  { sessionId, shown }: Pick<Self, 'sessionId' | 'shown'>,
): Promise<SessionTokens | null> {
  for (const request of shown) {
    const tokens = await families.rotate(tx, sessionId, request)
    if (tokens !== null) return tokens
  }
  return null
}
