import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'

/** A token with which applications register themselves, without the token itself. */
export interface RegistrationToken {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
  /** Null for one that is valid until it is removed. */
  readonly expiresAt: Date | null
}

export async function insertToken(
  tx: Queries,
  { id, name, sha256, lifetimeSeconds }: { id: string; name: string; sha256: string; lifetimeSeconds: number | null },
  shiftMs: number,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO oauth_registration_token (id, name, sha256, created_at, expires_at)
    VALUES (${id}::uuid, ${name}, ${sha256}, ${now(shiftMs)},
      ${now(shiftMs)} + ${lifetimeSeconds}::float8 * interval '1 second')`
}

/** The id of the token with this hash; null if there is none in force. */
export async function findTokenId(client: Queries, sha256: string, shiftMs: number): Promise<string | null> {
  const [row] = await client.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM oauth_registration_token
    WHERE sha256 = ${sha256} AND (expires_at IS NULL OR expires_at > ${now(shiftMs)})`
  return row?.id ?? null
}

/** The oldest first. */
export async function findTokens(client: Queries): Promise<RegistrationToken[]> {
  return client.oAuthRegistrationToken.findMany({
    select: { id: true, name: true, createdAt: true, expiresAt: true },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  })
}

/** The name of the token that was deleted; null if there is none. */
export async function deleteToken(tx: Queries, id: string): Promise<string | null> {
  const [row] = await tx.$queryRaw<{ name: string }[]>`
    DELETE FROM oauth_registration_token WHERE id = ${id}::uuid RETURNING name`
  return row?.name ?? null
}
