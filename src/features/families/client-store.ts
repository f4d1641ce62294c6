import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'
import { heldUserOf, type HoldingUser } from '../accounts/accounts.js'
import type { Authentication } from './authentication.js'
import { type LifeLimits, readingOf, type Row } from './family.js'
import { columns, housekeepingReasons, lives, type Opened, seconds } from './store.js'

export interface NewClientFamily extends LifeLimits, Authentication {
  id: string
  user: HoldingUser
  handleHash: Uint8Array
  secretId: number
  clientId: string
  scope: string
  audience: readonly string[]
  jkt: string | null
  rpSid: string | null
  parentId: string | null
  grantId: string | null
  userAgent: string | null
  ip: string | null
  maxSeconds: number
  /** How many other active families of the user are kept, of this client and of those without a parent. */
  keep: { ofClient: number; withoutParent: number }
  /** Additional common table expressions; `opened` has a row if the family was inserted. */
  together(opened: Prisma.Sql): Prisma.Sql[]
}

/**
 * Inserts the family of an OAuth client. Null if the user is banned or gone, or their credentials have changed, or if the
 * parent has ended. The user's row is locked before the parent's, as everywhere. The parent counts its children, so that a
 * statement that waits for its row to end it notices the new one; and it was used.
 */
export async function insertClientFamily(client: Queries, family: NewClientFamily): Promise<Opened | null> {
  const { shiftMs, parentId, clientId, keep } = family
  const endsWithIt = !family.scope.split(' ').includes('offline_access')
  const parts = family.together(Prisma.sql`f`).map((part) => Prisma.sql`, ${part}`)
  const [row] = await client.$queryRaw<(Row & { evicted: string[] })[]>`
    WITH u AS (${heldUserOf(family.user, now(shiftMs))}
    ), parent AS (
      UPDATE refresh_token_family AS f SET children = f.children + 1, last_used_at = ${now(shiftMs)}
      FROM u WHERE f.id = ${parentId}::uuid AND f.mode <> 'client' AND ${lives(family)}
      RETURNING f.id, f.expires_at
    ), evicted AS (
      (SELECT f.id FROM u JOIN refresh_token_family AS f ON f.user_id = u.id
        WHERE f.client_id = ${clientId} AND f.mode = 'client' AND ${lives(family)}
        ORDER BY f.last_used_at DESC, f.id DESC OFFSET ${keep.ofClient}::int)
      UNION
      (SELECT f.id FROM u JOIN refresh_token_family AS f ON f.user_id = u.id
        WHERE ${parentId}::uuid IS NULL AND f.parent_id IS NULL AND ${lives(family)}
        ORDER BY f.last_used_at DESC, f.id DESC OFFSET ${keep.withoutParent}::int)
    ), f AS (
      INSERT INTO refresh_token_family (id, user_id, handle_hash, secret_id, generation, mode, client_id, scope, audience,
        cnf_jkt, rp_sid, parent_id, grant_id, remember, user_agent, ip, amr, acr, authenticated_at, created_at,
        last_used_at, expires_at)
      SELECT ${family.id}::uuid, u.id, ${family.handleHash}, ${family.secretId}, 0, 'client'::mode, ${clientId}, ${family.scope},
        ${family.audience}::text[], ${family.jkt}, ${family.rpSid}, ${parentId}::uuid, ${family.grantId}, true,
        ${family.userAgent}, ${family.ip}, ${family.amr}::text[], ${family.acr},
        least(${family.authenticatedAt}::timestamptz, ${now(shiftMs)}), ${now(shiftMs)}, ${now(shiftMs)},
        least(${now(shiftMs)} + ${seconds(family.maxSeconds)}, CASE WHEN ${endsWithIt}::boolean THEN parent.expires_at END)
      FROM u LEFT JOIN parent ON true WHERE ${parentId}::uuid IS NULL OR parent.id IS NOT NULL
      RETURNING *
    )${parts.length === 0 ? Prisma.empty : Prisma.join(parts, '')}
    SELECT ${columns}, ${now(shiftMs)} AS now, ARRAY(SELECT id::text FROM evicted) AS evicted
    FROM f JOIN u ON u.id = f.user_id`
  return row === undefined ? null : { reading: readingOf(row), evicted: row.evicted }
}

export interface AppRow {
  client_id: string
  scopes: string[]
  first_used_at: Date
  last_used_at: Date
}

/** The clients of a user's active families, the most recently used first. */
export async function findAppsOfUser(
  client: Queries,
  userId: string,
  { limit, ...limits }: LifeLimits & { limit: number },
): Promise<AppRow[]> {
  return client.$queryRaw<AppRow[]>`
    WITH living AS (
      SELECT f.client_id, f.scope, f.created_at, f.last_used_at
      FROM "user" AS u JOIN refresh_token_family AS f ON f.user_id = u.id
      WHERE u.id = ${userId}::uuid AND f.mode = 'client' AND ${lives(limits)}
    )
    SELECT client_id, min(created_at) AS first_used_at, max(last_used_at) AS last_used_at,
      ARRAY(SELECT DISTINCT granted FROM living AS l, unnest(string_to_array(l.scope, ' ')) AS s(granted)
        WHERE l.client_id = living.client_id ORDER BY 1) AS scopes
    FROM living GROUP BY client_id ORDER BY max(last_used_at) DESC, client_id LIMIT ${limit}::int`
}

/** The session of a client in a browser's session: what its ID tokens call `sid`. */
export interface RpSession {
  clientId: string
  rpSid: string
}

/**
 * Those in a browser's session of which the client was told that they are over, by the rule of `endFamilies`, or that have no
 * family left.
 */
export async function findEndedRpSessions(client: Queries, parentId: string): Promise<RpSession[]> {
  return client.$queryRaw<RpSession[]>`
    SELECT client_id AS "clientId", rp_sid AS "rpSid" FROM refresh_token_family
    WHERE parent_id = ${parentId}::uuid AND rp_sid IS NOT NULL GROUP BY client_id, rp_sid
    HAVING bool_and(ended_at IS NOT NULL)
      OR bool_or(ended_at IS NOT NULL AND end_reason <> ALL(${[...housekeepingReasons]}::end_reason[]))`
}

/** Families of a client that have not ended, a batch at a time. */
export async function findFamiliesOfClient(client: Queries, clientId: string, limit: number): Promise<string[]> {
  const rows = await client.$queryRaw<{ id: string }[]>`
    SELECT id FROM refresh_token_family
    WHERE client_id = ${clientId} AND mode = 'client' AND ended_at IS NULL LIMIT ${limit}::int`
  return rows.map(({ id }) => id)
}
