import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'
import { now, nowMs } from '../../platform/database/times.js'
import { resourceAlgorithms, type Client, type Resource } from './client.js'
import { readSecrets, writeSecrets } from './credentials.js'
import { readMetadata } from './metadata.js'

type Row = Prisma.OAuthClientGetPayload<object>

/**
 * The epoch after a change that makes earlier tokens stale: the database's time in milliseconds, or one more than before
 * if that is more, as for users.
 */
const raised = (shiftMs: number) => Prisma.sql`greatest(epoch + 1, ${nowMs(shiftMs)})`

export type NewClient = Pick<Client, 'id' | 'clientId' | 'name' | 'metadata' | 'secrets' | 'firstParty' | 'createdBy'>

/** Stores a client; false if its id is taken. The epoch is later than that of a removed client with the same id. */
export async function insertClient(tx: Queries, client: NewClient, shiftMs: number): Promise<boolean> {
  const { id, clientId, name, metadata, secrets, firstParty, createdBy } = client
  const inserted = await tx.$executeRaw`
    INSERT INTO oauth_client
      (id, client_id, name, metadata, secret_hashes, first_party, epoch, created_by, created_at)
    VALUES (${id}::uuid, ${clientId}, ${name}, ${JSON.stringify(metadata)}::jsonb, ${writeSecrets(secrets)}::jsonb,
      ${firstParty}::boolean, ${nowMs(shiftMs)}, ${createdBy}, ${now(shiftMs)})
    ON CONFLICT (client_id) DO NOTHING`
  return inserted === 1
}

export async function findClient(client: Queries, clientId: string): Promise<Client | null> {
  const row = await client.oAuthClient.findUnique({ where: { clientId } })
  return row && toClient(row)
}

/** Notes what the metadata document of a client says, and for how long that counts as current. */
export async function saveDocument(
  tx: Queries,
  { id, name, metadata, freshSeconds }: Pick<Client, 'id' | 'name' | 'metadata'> & { freshSeconds: number },
  shiftMs: number,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE oauth_client SET name = ${name}, metadata = ${JSON.stringify(metadata)}::jsonb,
      document_expires_at = ${now(shiftMs)} + ${freshSeconds}::float8 * interval '1 second'
    WHERE id = ${id}::uuid`
}

/** The client's id; null if no client has a secret with this hash. */
export async function findClientIdBySecret(client: Queries, sha256: string): Promise<string | null> {
  const rows = await client.$queryRaw<{ client_id: string }[]>`
    SELECT client_id FROM oauth_client WHERE secret_hashes @> ${JSON.stringify([{ sha256 }])}::jsonb`
  return rows[0]?.client_id ?? null
}

/** The oldest first. */
export async function findClients(client: Queries): Promise<Client[]> {
  const rows = await client.oAuthClient.findMany({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] })
  return rows.map(toClient)
}

/** The client, which no other transaction changes until this one ends. */
export async function lockClient(tx: Queries, clientId: string): Promise<Client | null> {
  await tx.$queryRaw`SELECT FROM oauth_client WHERE client_id = ${clientId} FOR UPDATE`
  return findClient(tx, clientId)
}

export async function replaceSecrets(tx: Queries, id: string, secrets: Client['secrets']): Promise<void> {
  await tx.$executeRaw`UPDATE oauth_client SET secret_hashes = ${writeSecrets(secrets)}::jsonb WHERE id = ${id}::uuid`
}

export async function setDisabled(tx: Queries, id: string, disabled: boolean, shiftMs: number): Promise<void> {
  await tx.$executeRaw`
    UPDATE oauth_client SET disabled_at = CASE WHEN ${disabled}::boolean THEN ${now(shiftMs)} END
    WHERE id = ${id}::uuid`
}

/** Makes the client's access tokens stale; returns the new epoch. */
export async function raiseEpoch(tx: Queries, id: string, shiftMs: number): Promise<number> {
  const rows = await tx.$queryRaw<{ epoch: bigint }[]>`
    UPDATE oauth_client SET epoch = ${raised(shiftMs)} WHERE id = ${id}::uuid RETURNING epoch`
  return Number(rows[0]?.epoch)
}

export async function deleteClient(tx: Queries, id: string): Promise<void> {
  await tx.oAuthClient.delete({ where: { id } })
}

/** Notes that a user signs in to a client, if it is the first; false if there is no such client. */
export async function markUsed(tx: Queries, clientId: string, shiftMs: number): Promise<boolean> {
  const marked = await tx.$executeRaw`
    UPDATE oauth_client SET used_at = coalesce(used_at, ${now(shiftMs)}) WHERE client_id = ${clientId}`
  return marked === 1
}

/**
 * Deletes a batch of clients that registered themselves so long ago and were never used, and returns them. A concurrent
 * first use either comes before, and keeps its client, or finds it gone.
 */
export async function deleteUnusedClients(
  tx: Queries,
  { createdBy, unusedSeconds, batchSize }: { createdBy: string; unusedSeconds: number; batchSize: number },
  shiftMs: number,
): Promise<{ clientId: string; name: string; epoch: number }[]> {
  const rows = await tx.$queryRaw<{ client_id: string; name: string; epoch: bigint }[]>`
    DELETE FROM oauth_client WHERE used_at IS NULL AND id IN (
      SELECT id FROM oauth_client
      WHERE created_by = ${createdBy} AND used_at IS NULL
        AND created_at <= ${now(shiftMs)} - ${unusedSeconds}::float8 * interval '1 second'
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)
    RETURNING client_id, name, ${raised(shiftMs)} AS epoch`
  return rows.map(({ client_id: clientId, name, epoch }) => ({ clientId, name, epoch: Number(epoch) }))
}

/** Stores a resource; false if there is one with this identifier. */
export async function insertResource(tx: Queries, resource: Resource, shiftMs: number): Promise<boolean> {
  const { identifier, name, scopes, accessTtlSeconds, alg } = resource
  const inserted = await tx.$executeRaw`
    INSERT INTO oauth_resource (identifier, name, scopes, access_ttl, alg, created_at)
    VALUES (${identifier}, ${name}, ${[...scopes]}::text[], ${accessTtlSeconds}::int, ${alg}, ${now(shiftMs)})
    ON CONFLICT (identifier) DO NOTHING`
  return inserted === 1
}

/** The oldest first. */
export async function findResources(client: Queries): Promise<Resource[]> {
  const rows = await client.oAuthResource.findMany({ orderBy: [{ createdAt: 'asc' }, { identifier: 'asc' }] })
  return rows.map(({ identifier, name, scopes, accessTtl, alg }) => ({
    identifier,
    name,
    scopes,
    accessTtlSeconds: accessTtl,
    alg: resourceAlgorithms.find((known) => known === alg) ?? null,
  }))
}

/** False if there is none. */
export async function deleteResource(tx: Queries, identifier: string): Promise<boolean> {
  return (await tx.oAuthResource.deleteMany({ where: { identifier } })).count === 1
}

/** The ids of the clients whose tokens are for this resource where they name none. */
export async function findClientsWithDefault(tx: Queries, identifier: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ client_id: string }[]>`
    SELECT client_id FROM oauth_client WHERE metadata ->> 'default_resource' = ${identifier} ORDER BY client_id`
  return rows.map(({ client_id }) => client_id)
}

function toClient({ metadata, secretHashes, epoch, ...row }: Row): Client {
  return { ...row, metadata: readMetadata(metadata), secrets: readSecrets(secretHashes), epoch: Number(epoch) }
}
