import type { Queries } from '../../platform/database/database.js'
import type { Authentication } from './authentication.js'
import type { FamiliesContext } from './context.js'
import { makeAccessGrant, type AccessGrant } from './family.js'
import { endOf } from './rotation.js'
import * as store from './store.js'

/**
 * Records on a living session that its user has authenticated again, in the caller's transaction, and makes an access token
 * that says so. The refresh token stays as it is, and later refreshes keep what is written here. `authenticate` is given
 * what the session has so far, and returns null to leave it. Null for that, and for a session that has ended.
 */
export async function elevate(
  context: FamiliesContext,
  tx: Queries,
  sessionId: string,
  authenticate: (before: { amr: readonly string[]; acr: string }) => Authentication | null,
): Promise<AccessGrant | null> {
  const { clock, settings } = context
  const reading = await store.readFamilyForUpdate(tx, { id: sessionId }, clock.shiftMs)
  if (!reading?.user || endOf(reading.family, settings, reading.now) !== null) return null
  const { family, user, now } = reading
  const shown = authenticate(family)
  if (shown === null) return null
  // Later than the time of the token, it would make the token look as if it came from the future.
  const authenticatedAt = shown.authenticatedAt > now ? now : shown.authenticatedAt
  const authentication = { ...shown, authenticatedAt }
  await store.elevateFamily(tx, family.id, authentication)
  return makeAccessGrant(context, { family: { ...family, ...authentication }, user, now })
}

/** Whether a session of the user lives. Its row is locked, so that it cannot end before the caller's transaction does. */
export async function holdLive(
  { clock, settings }: FamiliesContext,
  tx: Queries,
  { userId, sessionId }: { userId: string; sessionId: string },
): Promise<boolean> {
  const reading = await store.readFamilyForUpdate(tx, { id: sessionId }, clock.shiftMs)
  if (reading === null || reading.user?.id !== userId) return false
  return endOf(reading.family, settings, reading.now) === null
}
