import type { EndReason } from '../../wire/end-reason.js'
import type { Queries } from '../../platform/database/database.js'
import type { Revoke } from '../revocation/revocation.js'
import * as store from './client-store.js'
import type { FamiliesContext } from './context.js'
import { endFamilies, type EndedBy } from './ending.js'

/** An application that acts for a user: an OAuth client with active families. */
export interface App {
  clientId: string
  /** What its families were granted, together, in alphabetical order. */
  scopes: string[]
  /** When the oldest of its active families was opened. */
  firstUsedAt: Date
  lastUsedAt: Date
}

/** More clients than any user has. */
const MAX_LISTED = 200

/** The applications of a user, the most recently used first. */
export async function listApps({ database, clock, settings }: FamiliesContext, userId: string): Promise<App[]> {
  const limits = { idleSeconds: settings.idleSeconds, shiftMs: clock.shiftMs, limit: MAX_LISTED }
  const rows = await database.query((client) => store.findAppsOfUser(client, userId, limits), { safeToRetry: true })
  return rows.map((row) => ({
    clientId: row.client_id,
    scopes: row.scopes,
    firstUsedAt: row.first_used_at,
    lastUsedAt: row.last_used_at,
  }))
}

/** The sessions of clients within a browser's session that are over: a client must not meet their `sid` again. */
export function findEndedRpSessions({ database }: FamiliesContext, parentId: string): Promise<store.RpSession[]> {
  return database.query((client) => store.findEndedRpSessions(client, parentId), { safeToRetry: true })
}

const END_BATCH = 500

/** Ends all families of a client, in batches that lock no row for long. */
export async function endClient(
  context: FamiliesContext,
  clientId: string,
  { reason, by }: { reason: EndReason; by: EndedBy },
): Promise<void> {
  const endBatch = (tx: Queries, revoke: Revoke) =>
    store
      .findFamiliesOfClient(tx, clientId, END_BATCH)
      .then((ids) => (ids.length === 0 ? [] : endFamilies(context, tx, revoke, { ids }, reason, by)))
  while ((await context.revocations.transaction(endBatch)).length > 0);
}
