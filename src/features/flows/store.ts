import { Prisma } from '../../generated/prisma/client.js'
import type { Mode } from '../../wire/mode.js'
import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'
import type { Flow } from './flow.js'
import { MAX_ATTEMPTS } from './judging.js'
import type { FlowKind } from './kinds.js'

/** The number of valid links of one flow: several of its mails may arrive. */
const LINKS_KEPT = 3

const columns = Prisma.sql`
  id, kind, holder_hash AS "holderHash", link_hashes AS "linkHashes", code_mac AS "codeMac", attempts, user_id AS "userId",
  email, mode::text AS mode, remember, device_name AS "deviceName", locale, payload, secret_id AS "secretId",
  requested_ip AS "requestedIp", requested_agent AS "requestedAgent", created_at AS "createdAt", sent_at AS "sentAt",
  expires_at AS "expiresAt", ended_at AS "endedAt", outcome`

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

/** Another lifetime for a flow if its address already has this many open ones of its kind. */
export type CrowdedFlow = NewFlow & { crowded: { from: number; lifeSeconds: number } }

/** Adds a flow. Returns its creation time, and the number of other open flows of its kind and address. */
export async function insertFlow(
  tx: Queries,
  flow: CrowdedFlow,
  shiftMs: number,
): Promise<{ createdAt: Date; openBefore: number }> {
  const { kind, email, lifeSeconds, crowded } = flow
  const life = Prisma.sql`CASE WHEN others.open >= ${crowded.from}::int
    THEN ${seconds(crowded.lifeSeconds)} ELSE ${seconds(lifeSeconds)} END`
  const [row] = await tx.$queryRaw<{ createdAt: Date; openBefore: number }[]>`
    WITH others AS (
      SELECT count(*)::int AS open FROM flow WHERE kind = ${kind} AND email = ${email}::text AND ${isOpen(shiftMs)}
    ), added AS (${insertion(flow, life, shiftMs)} FROM others RETURNING created_at)
    SELECT added.created_at AS "createdAt", others.open AS "openBefore" FROM added, others`
  if (row === undefined) throw new Error('A flow was not added.')
  return row
}

/** Adds a flow without a limit on their number, and returns its creation time. */
export async function addFlow(tx: Queries, flow: NewFlow, shiftMs: number): Promise<Date> {
  const [row] = await tx.$queryRaw<{ createdAt: Date }[]>`
    ${insertion(flow, seconds(flow.lifeSeconds), shiftMs)} RETURNING created_at AS "createdAt"`
  if (row === undefined) throw new Error('A flow was not added.')
  return row.createdAt
}

/** The same as a part of a statement of another feature, named `flow_begun`: done only if `from` has a row. */
export function flowInsertion(flow: NewFlow, { from, shiftMs }: { from: Prisma.Sql; shiftMs: number }): Prisma.Sql {
  return Prisma.sql`flow_begun AS (
    ${insertion(flow, seconds(flow.lifeSeconds), shiftMs)} WHERE EXISTS (SELECT FROM ${from})
  )`
}

function insertion(flow: NewFlow, life: Prisma.Sql, shiftMs: number): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO flow (id, kind, holder_hash, user_id, email, mode, remember, device_name, locale, payload, secret_id,
      requested_ip, requested_agent, created_at, expires_at)
    SELECT ${flow.id}::uuid, ${flow.kind}, ${flow.holderHash}::bytea, ${flow.userId}::uuid, ${flow.email}::text,
      ${flow.mode}::mode, ${flow.remember}::boolean, ${flow.deviceName}::text, ${flow.locale}::text,
      ${flow.payload}::bytea, ${flow.secretId}::smallint, ${flow.requestedIp}::text, ${flow.requestedAgent}::text,
      ${now(shiftMs)}, ${now(shiftMs)} + ${life}`
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

/** A try that was taken. */
export interface Try {
  id: string
  attempts: number
}

/**
 * Uses one attempt of each open flow before a code is compared, so that concurrent requests cannot compare more codes than
 * there are attempts. A flow without further attempts ends. Commits by itself.
 */
export async function takeTries(client: Queries, ids: readonly string[], shiftMs: number): Promise<Try[]> {
  const isLast = Prisma.sql`flow.attempts + 1 >= ${MAX_ATTEMPTS}::int`
  return client.$queryRaw<Try[]>`
    WITH held AS (
      SELECT id FROM flow WHERE id = ANY(${ids}::uuid[]) AND ${isOpen(shiftMs)} ORDER BY id FOR UPDATE
    )
    UPDATE flow SET attempts = flow.attempts + 1, ended_at = CASE WHEN ${isLast} THEN ${now(shiftMs)} END,
      outcome = CASE WHEN ${isLast} THEN 'too_many_attempts' END
    FROM held WHERE flow.id = held.id AND ${isOpen(shiftMs)} RETURNING flow.id, flow.attempts`
}

/** Returns the attempts that a right code has used; a flow that had none left is open again. */
export async function returnTries(client: Queries, ids: readonly string[]): Promise<void> {
  await client.$executeRaw`
    WITH held AS (
      SELECT id FROM flow
      WHERE id = ANY(${ids}::uuid[]) AND attempts > 0 AND (ended_at IS NULL OR outcome = 'too_many_attempts')
      ORDER BY id FOR UPDATE
    )
    UPDATE flow SET attempts = flow.attempts - 1, ended_at = NULL, outcome = NULL FROM held WHERE flow.id = held.id`
}

/** How many attempts were used in the flows of a user and kind that began within so many seconds. */
export async function countAttempts(
  client: Queries,
  { userId, kind, seconds: age }: { userId: string; kind: FlowKind; seconds: number },
  shiftMs: number,
): Promise<number> {
  const [row] = await client.$queryRaw<{ attempts: number }[]>`
    SELECT coalesce(sum(attempts), 0)::int AS attempts FROM flow
    WHERE user_id = ${userId}::uuid AND kind = ${kind} AND created_at > ${now(shiftMs)} - ${seconds(age)}`
  return row?.attempts ?? 0
}

/**
 * Ends an open flow together with its effect, and supersedes the others of the kind and address, if any are named; false
 * if it was not open any more. The rows are held in the order of their ids: two flows of one address may end at once.
 */
export async function finishFlow(
  tx: Queries,
  { id, others }: { id: string; others: { kind: FlowKind; email: string } | null },
  shiftMs: number,
): Promise<boolean> {
  const [ended] = await tx.$queryRaw<{ id: string }[]>`
    WITH held AS (
      SELECT id FROM flow
      WHERE (id = ${id}::uuid OR (kind = ${others?.kind ?? null}::text AND email = ${others?.email ?? null}::text))
        AND ended_at IS NULL
      ORDER BY id FOR UPDATE
    ), done AS (
      UPDATE flow SET ended_at = ${now(shiftMs)}, outcome = 'done'
      WHERE id = ${id}::uuid AND id IN (SELECT id FROM held) AND ${isOpen(shiftMs)} RETURNING id
    ), superseded AS (
      UPDATE flow SET ended_at = ${now(shiftMs)}, outcome = 'superseded'
      WHERE id IN (SELECT id FROM held) AND id <> ${id}::uuid AND ended_at IS NULL AND EXISTS (SELECT FROM done)
    )
    SELECT id FROM done`
  return ended !== undefined
}

/** Whether the end of a flow has come with its mail sent, and has not taken effect. */
const isDue = (shiftMs: number) =>
  Prisma.sql`ended_at IS NULL AND sent_at IS NOT NULL AND expires_at <= ${now(shiftMs)}`

export async function findDueFlows(client: Queries, kind: FlowKind, shiftMs: number): Promise<Flow[]> {
  return client.$queryRaw<Flow[]>`SELECT ${columns} FROM flow WHERE kind = ${kind} AND ${isDue(shiftMs)} ORDER BY id`
}

export async function finishDueFlow(tx: Queries, id: string, shiftMs: number): Promise<boolean> {
  const ended = await tx.$executeRaw`
    UPDATE flow SET ended_at = ${now(shiftMs)}, outcome = 'done' WHERE id = ${id}::uuid AND ${isDue(shiftMs)}`
  return ended === 1
}

/** Ends an open flow without its effect; false if it was not open any more. */
export async function cancelFlow(tx: Queries, id: string, shiftMs: number): Promise<boolean> {
  const ended = await tx.$executeRaw`
    UPDATE flow SET ended_at = ${now(shiftMs)}, outcome = 'cancelled' WHERE id = ${id}::uuid AND ${isOpen(shiftMs)}`
  return ended === 1
}

/** Which flows end together. */
export type Superseded =
  | { kind: FlowKind; email: string; holderHashes?: readonly Uint8Array[] }
  | { userId: string | null; kinds: readonly FlowKind[]; since?: Flow }

/** Ends all open flows of an address and kind, or of a user: a newer flow, or what became of one, takes their place. */
export async function supersedeFlows(tx: Queries, which: Superseded, shiftMs: number): Promise<void> {
  await tx.$executeRaw`
    UPDATE flow SET ended_at = ${now(shiftMs)}, outcome = 'superseded'
    WHERE ${conditionOf(which)} AND ended_at IS NULL`
}

function conditionOf(which: Superseded): Prisma.Sql {
  if ('userId' in which) {
    const { userId, kinds, since } = which
    return Prisma.sql`user_id = ${userId}::uuid AND kind = ANY(${kinds}::text[])
      AND (${since?.id ?? null}::uuid IS NULL
        OR (id <> ${since?.id ?? null}::uuid AND created_at >= ${since?.createdAt ?? null}::timestamptz))`
  }
  const ofAddress = Prisma.sql`kind = ${which.kind} AND email = ${which.email}`
  const { holderHashes } = which
  if (holderHashes === undefined) return ofAddress
  const hashes = holderHashes.map((hash) => Buffer.from(hash).toString('hex'))
  return Prisma.sql`${ofAddress} AND encode(holder_hash, 'hex') = ANY(${hashes}::text[])`
}

/** Stores the hashes of the link and the code of a mail before it is sent. The last three links stay valid. */
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

/**
 * Starts the lifetime of a flow when its mail was accepted, or turned out to have no recipient. Only whole minutes since
 * the request are added: the seconds that a mail server takes would reveal whether there was a recipient.
 */
export async function beginLife(
  tx: Queries,
  id: string,
  { seconds: life, maxSeconds }: { seconds: number; maxSeconds: number },
  shiftMs: number,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE flow SET sent_at = ${now(shiftMs)},
      expires_at = created_at + least(${seconds(maxSeconds)}, ${seconds(life)}
        + floor(extract(epoch FROM ${now(shiftMs)} - created_at) / 60) * interval '1 minute')
    WHERE id = ${id}::uuid AND ended_at IS NULL`
}

/** Flows whose mail was not sent yet have no user id, so they are found by the address. */
export async function deleteFlowsOf(tx: Queries, { id, email }: { id: string; email: string }): Promise<void> {
  await tx.flow.deleteMany({ where: { OR: [{ userId: id }, { email, userId: null }] } })
}

/** Deletes a batch of flows that ended or expired more than a day ago, and returns their number. */
export async function deleteEnded(client: Queries, batchSize: number, shiftMs: number): Promise<number> {
  return client.$executeRaw`
    DELETE FROM flow WHERE id IN (
      SELECT id FROM flow WHERE least(expires_at, ended_at) < ${now(shiftMs)} - ${seconds(24 * 60 * 60)}
        AND NOT (kind = 'factors_reset' AND ${isDue(shiftMs)})
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}
