import { Prisma } from '../../generated/prisma/client.js'
import type { Mode } from '../../wire/mode.js'
import type { Queries } from '../../platform/database/database.js'
import type { Flow } from './flow.js'
import { MAX_ATTEMPTS, type FlowOutcome } from './judging.js'
import type { FlowKind } from './kinds.js'

/** How many links of one flow stay good: those of the last mails, of which several may arrive. */
const LINKS_KEPT = 3

const columns = Prisma.sql`
  id, kind, holder_hash AS "holderHash", link_hashes AS "linkHashes", code_mac AS "codeMac", attempts, user_id AS "userId",
  email, mode::text AS mode, remember, device_name AS "deviceName", locale, payload, secret_id AS "secretId",
  requested_ip AS "requestedIp", requested_agent AS "requestedAgent", created_at AS "createdAt", sent_at AS "sentAt",
  expires_at AS "expiresAt", ended_at AS "endedAt", outcome`

/** The database's time; the shift is 0 but in tests. */
const now = (shiftMs: number) =>
  Prisma.sql`date_trunc('milliseconds', now() + ${shiftMs}::float8 * interval '1 millisecond')`

const seconds = (count: number) => Prisma.sql`${count}::float8 * interval '1 second'`

const isOpen = (shiftMs: number) =>
  Prisma.sql`ended_at IS NULL AND expires_at > ${now(shiftMs)} AND attempts < ${MAX_ATTEMPTS}::int`

export interface NewFlow {
  id: string
  kind: FlowKind
  holderHash: Uint8Array | null
  userId: string | null
  email: string | null
  mode: Mode
  remember: boolean
  deviceName: string | null
  locale: string | null
  payload: Uint8Array | null
  secretId: number | null
  requestedIp: string | null
  requestedAgent: string | null
  lifeSeconds: number
}

/** Adds a flow; answers how many others of its kind and address are open. */
export async function insertFlow(tx: Queries, flow: NewFlow, shiftMs: number): Promise<{ openBefore: number }> {
  const [row] = await tx.$queryRaw<{ open: number }[]>`
    WITH added AS (${insertion(flow, shiftMs)})
    SELECT count(*)::int AS open FROM flow WHERE kind = ${flow.kind} AND email = ${flow.email} AND ${isOpen(shiftMs)}`
  return { openBefore: row?.open ?? 0 }
}

/** The same as a part of a statement of another feature, named `flow_begun`: done only if `from` has a row. */
export function flowInsertion(flow: NewFlow, { from, shiftMs }: { from: Prisma.Sql; shiftMs: number }): Prisma.Sql {
  return Prisma.sql`flow_begun AS (${insertion(flow, shiftMs)} WHERE EXISTS (SELECT FROM ${from}))`
}

function insertion(flow: NewFlow, shiftMs: number): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO flow (id, kind, holder_hash, user_id, email, mode, remember, device_name, locale, payload, secret_id,
      requested_ip, requested_agent, created_at, expires_at)
    SELECT ${flow.id}::uuid, ${flow.kind}, ${flow.holderHash}::bytea, ${flow.userId}::uuid, ${flow.email}::text,
      ${flow.mode}::mode, ${flow.remember}::boolean, ${flow.deviceName}::text, ${flow.locale}::text,
      ${flow.payload}::bytea, ${flow.secretId}::smallint, ${flow.requestedIp}::text, ${flow.requestedAgent}::text,
      ${now(shiftMs)}, ${now(shiftMs)} + ${seconds(flow.lifeSeconds)}`
}

export async function findFlows(client: Queries, ids: readonly string[]): Promise<Flow[]> {
  return client.$queryRaw<Flow[]>`SELECT ${columns} FROM flow WHERE id = ANY(${ids}::uuid[]) ORDER BY id DESC`
}

/** The open flows of a kind that a user has, the newest first. */
export async function findOpenFlowsOf(
  client: Queries,
  { userId, kind }: { userId: string; kind: FlowKind },
  shiftMs: number,
): Promise<Flow[]> {
  return client.$queryRaw<Flow[]>`
    SELECT ${columns} FROM flow
    WHERE user_id = ${userId}::uuid AND kind = ${kind} AND ${isOpen(shiftMs)} ORDER BY id DESC`
}

/** Counts a wrong code for each flow that is open; one that has no try left ends. Commits by itself. */
export async function countWrongCode(client: Queries, ids: readonly string[], shiftMs: number): Promise<void> {
  await client.$executeRaw`
    UPDATE flow SET attempts = attempts + 1,
      ended_at = CASE WHEN attempts + 1 >= ${MAX_ATTEMPTS}::int THEN ${now(shiftMs)} END,
      outcome = CASE WHEN attempts + 1 >= ${MAX_ATTEMPTS}::int THEN 'too_many_attempts' END
    WHERE id = ANY(${ids}::uuid[]) AND ${isOpen(shiftMs)}`
}

/** Ends an open flow; false if it was not open any more. */
export async function endFlow(tx: Queries, id: string, outcome: FlowOutcome, shiftMs: number): Promise<boolean> {
  const ended = await tx.$executeRaw`
    UPDATE flow SET ended_at = ${now(shiftMs)}, outcome = ${outcome} WHERE id = ${id}::uuid AND ${isOpen(shiftMs)}`
  return ended === 1
}

/** Which flows end together. */
export type Superseded =
  | { kind: FlowKind; email: string; holderHashes?: readonly Uint8Array[] }
  | { userId: string; kinds: readonly FlowKind[] }

/** Ends all open flows of an address and kind, or of a user: a newer flow, or what became of one, takes their place. */
export async function supersedeFlows(tx: Queries, which: Superseded, shiftMs: number): Promise<void> {
  await tx.$executeRaw`
    UPDATE flow SET ended_at = ${now(shiftMs)}, outcome = 'superseded'
    WHERE ${conditionOf(which)} AND ended_at IS NULL`
}

function conditionOf(which: Superseded): Prisma.Sql {
  if ('userId' in which) return Prisma.sql`user_id = ${which.userId}::uuid AND kind = ANY(${which.kinds}::text[])`
  const ofAddress = Prisma.sql`kind = ${which.kind} AND email = ${which.email}`
  const { holderHashes } = which
  if (holderHashes === undefined) return ofAddress
  const hashes = holderHashes.map((hash) => Buffer.from(hash).toString('hex'))
  return Prisma.sql`${ofAddress} AND encode(holder_hash, 'hex') = ANY(${hashes}::text[])`
}

/** Writes down what a mail is about to carry. The links of the mails before stay good, up to three. */
export async function prepareFlow(
  tx: Queries,
  id: string,
  { userId, linkHash, codeMac }: { userId: string | null; linkHash: Uint8Array; codeMac: Uint8Array | null },
): Promise<void> {
  await tx.$executeRaw`
    UPDATE flow SET user_id = coalesce(user_id, ${userId}::uuid), code_mac = ${codeMac}::bytea,
      link_hashes = (array_append(link_hashes, ${linkHash}::bytea))[
        greatest(cardinality(link_hashes) + 2 - ${LINKS_KEPT}::int, 1) : cardinality(link_hashes) + 1]
    WHERE id = ${id}::uuid`
}

/** Begins the life of a flow whose mail was accepted, or never had a recipient: the same for both. */
export async function beginLife(
  tx: Queries,
  id: string,
  { seconds: life, maxSeconds }: { seconds: number; maxSeconds: number },
  shiftMs: number,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE flow SET sent_at = ${now(shiftMs)},
      expires_at = least(created_at + ${seconds(maxSeconds)}, ${now(shiftMs)} + ${seconds(life)})
    WHERE id = ${id}::uuid AND ended_at IS NULL`
}

export async function deleteFlowsOf(tx: Queries, userId: string): Promise<void> {
  await tx.flow.deleteMany({ where: { userId } })
}

/** Deletes flows that ended, or expired, more than a day ago, a batch at a time; answers how many. */
export async function deleteEnded(client: Queries, batchSize: number, shiftMs: number): Promise<number> {
  return client.$executeRaw`
    DELETE FROM flow WHERE id IN (
      SELECT id FROM flow WHERE least(expires_at, ended_at) < ${now(shiftMs)} - ${seconds(24 * 60 * 60)}
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}
