import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'

/** What names an artifact: its kind, and the SHA-256 of its id. */
export interface ArtifactKey {
  kind: string
  idHash: Uint8Array
}

export interface NewArtifact extends ArtifactKey {
  uid: string | null
  userCode: string | null
  grantId: string | null
  payload: Record<string, unknown>
  lifetimeSeconds: number
}

/** An artifact that has not expired. */
export interface Artifact {
  payload: Record<string, unknown>
  consumedAt: Date | null
  /** The family that a code opens. */
  familyId: string | null
}

type Row = { payload: Record<string, unknown>; consumed_at: Date | null; family_id: string | null }

const columns = Prisma.sql`payload, consumed_at, family_id`

/** Stores an artifact. One that is consumed stays so. */
export async function saveArtifact(client: Queries, artifact: NewArtifact, shiftMs: number): Promise<void> {
  const { kind, idHash, uid, userCode, grantId, payload, lifetimeSeconds } = artifact
  const expiresAt = Prisma.sql`${now(shiftMs)} + ${lifetimeSeconds}::float8 * interval '1 second'`
  await client.$executeRaw`
    INSERT INTO oauth_artifact (kind, id_hash, uid, user_code, grant_id, payload, expires_at)
    VALUES (${kind}, ${idHash}::bytea, ${uid}, ${userCode}, ${grantId}, ${JSON.stringify(payload)}::jsonb, ${expiresAt})
    ON CONFLICT (kind, id_hash) DO UPDATE SET uid = excluded.uid, user_code = excluded.user_code,
      grant_id = excluded.grant_id, payload = excluded.payload, expires_at = excluded.expires_at`
}

/** Stores an artifact that nothing may have stored before; false if there is one. */
export async function insertArtifact(client: Queries, artifact: NewArtifact, shiftMs: number): Promise<boolean> {
  const { kind, idHash, payload, lifetimeSeconds } = artifact
  const inserted = await client.$executeRaw`
    INSERT INTO oauth_artifact (kind, id_hash, payload, expires_at)
    VALUES (${kind}, ${idHash}::bytea, ${JSON.stringify(payload)}::jsonb,
      ${now(shiftMs)} + ${lifetimeSeconds}::float8 * interval '1 second')
    ON CONFLICT DO NOTHING`
  return inserted === 1
}

export async function findArtifact(client: Queries, key: ArtifactKey, shiftMs: number): Promise<Artifact | null> {
  const rows = await client.$queryRaw<Row[]>`
    SELECT ${columns} FROM oauth_artifact
    WHERE kind = ${key.kind} AND id_hash = ${key.idHash}::bytea AND expires_at > ${now(shiftMs)}`
  return toArtifact(rows)
}

/** By the second name of a session, or the code that a user types; the newest, where there are several. */
export async function findArtifactBy(
  client: Queries,
  kind: string,
  by: { uid: string } | { userCode: string },
  shiftMs: number,
): Promise<Artifact | null> {
  const isNamed = 'uid' in by ? Prisma.sql`uid = ${by.uid}` : Prisma.sql`user_code = ${by.userCode}`
  const rows = await client.$queryRaw<Row[]>`
    SELECT ${columns} FROM oauth_artifact WHERE kind = ${kind} AND ${isNamed} AND expires_at > ${now(shiftMs)}
    ORDER BY expires_at DESC LIMIT 1`
  return toArtifact(rows)
}

/**
 * Consumes an artifact, for the family that it opens where it is a code; false if it was consumed before or has expired.
 * Of any number of concurrent calls, one returns true.
 */
export async function consumeArtifact(
  client: Queries,
  { kind, idHash }: ArtifactKey,
  { familyId, shiftMs }: { familyId: string | null; shiftMs: number },
): Promise<boolean> {
  const consumed = await client.$executeRaw`
    UPDATE oauth_artifact SET consumed_at = ${now(shiftMs)}, family_id = ${familyId}::uuid
    WHERE kind = ${kind} AND id_hash = ${idHash}::bytea AND consumed_at IS NULL AND expires_at > ${now(shiftMs)}`
  return consumed === 1
}

/**
 * Notes that a consumed artifact was presented again, and returns the family that it opens, which may be about to open:
 * `isReused` waits for this transaction or is waited for.
 */
export async function noteReuse(
  tx: Queries,
  { kind, idHash }: ArtifactKey,
  shiftMs: number,
): Promise<{ familyId: string | null } | null> {
  const [row] = await tx.$queryRaw<{ family_id: string | null }[]>`
    UPDATE oauth_artifact SET reused_at = ${now(shiftMs)}
    WHERE kind = ${kind} AND id_hash = ${idHash}::bytea AND consumed_at IS NOT NULL
    RETURNING family_id`
  return row === undefined ? null : { familyId: row.family_id }
}

/** Whether a consumed artifact was presented again; locks it until the transaction ends. */
export async function isReused(tx: Queries, { kind, idHash }: ArtifactKey): Promise<boolean> {
  const [row] = await tx.$queryRaw<{ reused: boolean }[]>`
    SELECT reused_at IS NOT NULL AS reused FROM oauth_artifact WHERE kind = ${kind} AND id_hash = ${idHash}::bytea FOR UPDATE`
  return row?.reused ?? true
}

export async function deleteArtifact(client: Queries, { kind, idHash }: ArtifactKey): Promise<void> {
  await client.$executeRaw`DELETE FROM oauth_artifact WHERE kind = ${kind} AND id_hash = ${idHash}::bytea`
}

export interface StoredGrant {
  id: string
  userId: string
  clientId: string
  scope: string
  resources: Record<string, string>
}

/** What a user has granted to a client; null where the user has to be asked again. */
export async function findGrant(
  client: Queries,
  { userId, clientId }: { userId: string; clientId: string },
  shiftMs: number,
): Promise<StoredGrant | null> {
  const [row] = await client.$queryRaw<StoredGrant[]>`
    SELECT id::text, user_id::text AS "userId", client_id AS "clientId", scope, resources FROM oauth_grant
    WHERE user_id = ${userId}::uuid AND client_id = ${clientId} AND expires_at > ${now(shiftMs)}`
  return row ?? null
}

/** Stores what a user grants to a client, in place of what they granted before, and returns its id. */
export async function saveGrant(
  client: Queries,
  { id, userId, clientId, scope, resources }: StoredGrant,
  { lifetimeSeconds, shiftMs }: { lifetimeSeconds: number; shiftMs: number },
): Promise<string> {
  const [row] = await client.$queryRaw<{ id: string }[]>`
    INSERT INTO oauth_grant (id, user_id, client_id, scope, resources, created_at, expires_at)
    VALUES (${id}::uuid, ${userId}::uuid, ${clientId}, ${scope}, ${JSON.stringify(resources)}::jsonb, ${now(shiftMs)},
      ${now(shiftMs)} + ${lifetimeSeconds}::float8 * interval '1 second')
    ON CONFLICT (user_id, client_id) DO UPDATE SET scope = excluded.scope, resources = excluded.resources,
      expires_at = excluded.expires_at
    RETURNING id::text`
  return row?.id ?? id
}

export async function deleteGrant(
  tx: Queries,
  { userId, clientId }: { userId: string; clientId: string },
): Promise<void> {
  await tx.$executeRaw`DELETE FROM oauth_grant WHERE user_id = ${userId}::uuid AND client_id = ${clientId}`
}

/** Deletes a batch of expired artifacts, and returns their number. */
export async function deleteExpiredArtifacts(client: Queries, batchSize: number, shiftMs: number): Promise<number> {
  return client.$executeRaw`
    DELETE FROM oauth_artifact WHERE (kind, id_hash) IN (
      SELECT kind, id_hash FROM oauth_artifact WHERE expires_at <= ${now(shiftMs)}
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}

/** Deletes a batch of expired grants, and returns their number. */
export async function deleteExpiredGrants(client: Queries, batchSize: number, shiftMs: number): Promise<number> {
  return client.$executeRaw`
    DELETE FROM oauth_grant WHERE id IN (
      SELECT id FROM oauth_grant WHERE expires_at <= ${now(shiftMs)} LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}

function toArtifact([row]: Row[]): Artifact | null {
  return row === undefined ? null : { payload: row.payload, consumedAt: row.consumed_at, familyId: row.family_id }
}
