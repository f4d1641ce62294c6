import { Prisma } from '../../generated/prisma/client.js'
import type { Acr } from '../../wire/acr.js'
import type { EndReason } from '../../wire/end-reason.js'
import type { Queries } from '../../platform/database/database.js'
import { now } from '../../platform/database/times.js'
import { isNotBanned, type SigningIn, signInOf, tokenUserColumns } from '../accounts/accounts.js'
import type { Authentication } from './authentication.js'
import type { Attempt } from './refresh-token.js'
import type { Page } from './session-page.js'
import { type FamilyReading, type LifeLimits, readingOf, type Row } from './family.js'
import type { FamilyMode } from './rotation.js'

export const columns = Prisma.sql`
  f.id, f.user_id, f.generation, f.attempt_hash, f.attempt_keyed, f.rotated_at, f.mode::text AS mode, f.client_id, f.scope,
  f.audience, f.cnf_jkt, f.rp_sid, f.parent_id, f.grant_id, f.late_generation, f.identity_id, f.remember, f.device_name, f.user_agent, f.ip, f.amr, f.acr, f.authenticated_at, f.created_at, f.last_used_at, f.expires_at,
  f.ended_at, f.end_reason::text AS end_reason, ${tokenUserColumns}`

export const seconds = (count: number) => Prisma.sql`${count}::float8 * interval '1 second'`

/** Whether the family of this name has not ended, and is used often enough: `endOfLife` in SQL. */
const isUnended = (name: Prisma.Sql, { idleSeconds, shiftMs }: LifeLimits) => Prisma.sql`(
  ${name}.ended_at IS NULL AND ${name}.expires_at > ${now(shiftMs)}
  AND ${name}.last_used_at > ${now(shiftMs)} - interval '1 second' * CASE ${name}.mode
    WHEN 'cookie' THEN ${idleSeconds.cookie}::float8 WHEN 'json' THEN ${idleSeconds.json}::float8
    WHEN 'session' THEN ${idleSeconds.session}::float8 WHEN 'client' THEN ${idleSeconds.client}::float8 END)`

/** Whether the family `f` ends with its parent: only with `offline_access` does it go on (OpenID Connect Core, section 11). */
export const endsWithParent = Prisma.sql`(
  f.parent_id IS NOT NULL AND NOT 'offline_access' = ANY(string_to_array(f.scope, ' ')))`

/**
 * With these, one family of a client ends, and its user may still be signed in there: a client that signs the user in again has
 * two with the same `sid`, and may give one of them up, or exceed its limit.
 */
export const housekeepingReasons = ['limit', 'logout'] as const satisfies readonly EndReason[]

/** The same for the family `f` of the user `u`, whatever its parent is. */
const livesItself = (limits: LifeLimits) => Prisma.sql`(
  ${isUnended(Prisma.sql`f`, limits)} AND u.id = f.user_id AND ${isNotBanned(now(limits.shiftMs))})`

/**
 * Whether the family `f` of the user `u` is active: `endOf` in SQL, shared by all statements. That of the parent is asked
 * here too, because time may have ended it, or an instance that knows of no children.
 */
export const lives = (limits: LifeLimits) => Prisma.sql`(
  ${livesItself(limits)} AND (NOT ${endsWithParent} OR EXISTS (
    SELECT FROM refresh_token_family AS parent
    WHERE parent.id = f.parent_id AND ${isUnended(Prisma.sql`parent`, limits)})))`

/** The parent of the family `f`, as `Row` has it. */
const parentColumn = Prisma.sql`
  CASE WHEN ${endsWithParent} THEN coalesce((
    SELECT jsonb_build_object('mode', parent.mode, 'last_used_at', extract(epoch FROM parent.last_used_at) * 1000,
      'expires_at', extract(epoch FROM parent.expires_at) * 1000, 'ended_at', extract(epoch FROM parent.ended_at) * 1000,
      'end_reason', parent.end_reason)
    FROM refresh_token_family AS parent WHERE parent.id = f.parent_id), '"gone"'::jsonb) END AS parent`

export interface Advance {
  handleHash: Uint8Array
  /** The expected generation. The statement changes nothing if the stored one differs. */
  from: number
  to: number
  modes: readonly FamilyMode[]
  clientId: string
  /** The thumbprint of the key that was proven. */
  jkt: string | null
  attempt: Attempt
  ip: string | null
  userAgent: string | null
}

/**
 * The ordinary refresh, for any number of families in one statement: rotates each active family whose generation is the
 * expected one, and reads the data of the new tokens. Null for any other family, and for a row that another transaction
 * has locked: the statement never waits for a row lock, so two instances cannot deadlock; `readFamilyForUpdate` and
 * `judge` then decide. A family that is listed twice is rotated once.
 */
export async function advanceFamilies(
  client: Queries,
  advances: readonly Advance[],
  {
    secretId,
    mayHaveParents,
    ...settings
  }: LifeLimits & {
    secretId: number
    /** False for first-party clients: their statement is the most frequent one, and plans no search for parents. */
    mayHaveParents: boolean
  },
): Promise<(FamilyReading | null)[]> {
  const { shiftMs } = settings
  const living = mayHaveParents ? lives(settings) : Prisma.sql`f.parent_id IS NULL AND ${livesItself(settings)}`
  // One array per column, so that the statement's text, and therefore its plan, is the same for any number of families.
  const each = <T>(column: (advance: Advance) => T) => advances.map(column)
  const rows = await client.$queryRaw<(Row & { place: number })[]>`
    WITH presented AS (
      SELECT * FROM unnest(
        ${each(({ handleHash }) => Buffer.from(handleHash).toString('hex'))}::text[],
        ${each(({ from }) => from)}::int[], ${each(({ to }) => to)}::int[],
        ${each(({ modes }) => modes.join(' '))}::text[], ${each(({ clientId }) => clientId)}::text[],
        ${each(({ jkt }) => jkt)}::text[], ${each(({ attempt }) => attempt.hash.toString('hex'))}::text[],
        ${each(({ attempt }) => attempt.keyed)}::boolean[],
        ${each(({ ip }) => ip)}::text[], ${each(({ userAgent }) => userAgent)}::text[]
      ) WITH ORDINALITY AS p(handle_hash, from_generation, to_generation, modes, client_id, jkt,
        attempt_hash, attempt_keyed, ip, user_agent, place)
    ), held AS (
      SELECT f.id, p.*
      FROM presented AS p
        JOIN refresh_token_family AS f ON f.handle_hash = decode(p.handle_hash, 'hex')
        JOIN "user" AS u ON u.id = f.user_id
      WHERE f.generation = p.from_generation AND f.mode::text = ANY(string_to_array(p.modes, ' '))
        AND f.client_id = p.client_id AND (f.cnf_jkt IS NULL OR f.cnf_jkt = p.jkt) AND ${living}
      ORDER BY f.id FOR UPDATE OF f SKIP LOCKED
    )
    UPDATE refresh_token_family AS f
    SET generation = p.to_generation, secret_id = ${secretId}, attempt_hash = decode(p.attempt_hash, 'hex'),
        attempt_keyed = p.attempt_keyed, rotated_at = ${now(shiftMs)}, last_used_at = ${now(shiftMs)},
        ip = p.ip, user_agent = p.user_agent
    FROM held AS p, "user" AS u
    WHERE f.id = p.id AND f.generation = p.from_generation AND u.id = f.user_id
    RETURNING ${columns}, ${now(shiftMs)} AS now, p.place::int AS place`
  const readings = new Map(rows.map((row) => [row.place, readingOf(row)]))
  return advances.map((_, index) => readings.get(index + 1) ?? null)
}

export interface Renewal extends LifeLimits {
  handleHash: Uint8Array
  generation: number
  clientId: string
  graceSeconds: number
  ip: string | null
  userAgent: string | null
  /** Whether the address and the user agent are those of a service instead of the browser. */
  isByService: boolean
}

/** The ordinary renewal of mode `session`, in one statement: records the use and reads the data of the access token. */
export async function touchFamily(client: Queries, renewal: Renewal): Promise<FamilyReading | null> {
  const { shiftMs, generation } = renewal
  const rows = await client.$queryRaw<Row[]>`
    UPDATE refresh_token_family AS f
    SET last_used_at = ${now(shiftMs)}, ip = CASE WHEN ${renewal.isByService}::boolean THEN f.ip ELSE ${renewal.ip}::text END,
      user_agent = CASE WHEN ${renewal.isByService}::boolean THEN f.user_agent ELSE ${renewal.userAgent}::text END
    FROM "user" AS u
    WHERE f.handle_hash = ${renewal.handleHash} AND f.mode = 'session' AND f.client_id = ${renewal.clientId}
      AND (f.generation = ${generation} OR (f.generation = ${generation + 1} AND ${renewal.graceSeconds}::int > 0
        AND f.rotated_at >= ${now(shiftMs)} - ${seconds(renewal.graceSeconds)}))
      AND ${lives(renewal)}
    RETURNING ${columns}, ${now(shiftMs)} AS now`
  return toReading(rows)
}

/** One family, by its id or by the handle in its refresh tokens. */
export type FamilyKey = { id: string } | { handleHash: Uint8Array }

/** Reads a family and locks its row until the transaction ends. */
export async function readFamilyForUpdate(tx: Queries, key: FamilyKey, shiftMs: number): Promise<FamilyReading | null> {
  return toReading(await tx.$queryRaw<Row[]>`${selection(key, shiftMs)} FOR UPDATE OF f`)
}

/** Reads a family without a lock. */
export async function readFamily(client: Queries, key: FamilyKey, shiftMs: number): Promise<FamilyReading | null> {
  return toReading(await client.$queryRaw<Row[]>`${selection(key, shiftMs)}`)
}

const selection = (key: FamilyKey, shiftMs: number) => Prisma.sql`
  SELECT ${columns}, ${parentColumn}, ${now(shiftMs)} AS now
  FROM refresh_token_family AS f LEFT JOIN "user" AS u ON u.id = f.user_id
  WHERE ${'id' in key ? Prisma.sql`f.id = ${key.id}::uuid` : Prisma.sql`f.handle_hash = ${key.handleHash}`}`

/** Reads the families of handles, given as the hexadecimal text of their hashes, without locks. */
export async function readFamiliesByHandle(
  client: Queries,
  handleHashes: readonly string[],
  shiftMs: number,
): Promise<Map<string, FamilyReading>> {
  const rows = await client.$queryRaw<(Row & { handle: string })[]>`
    SELECT ${columns}, ${parentColumn}, ${now(shiftMs)} AS now, h.handle
    FROM unnest(${[...handleHashes]}::text[]) AS h(handle)
      JOIN refresh_token_family AS f ON f.handle_hash = decode(h.handle, 'hex')
      LEFT JOIN "user" AS u ON u.id = f.user_id`
  return new Map(rows.map((row) => [row.handle, readingOf(row)]))
}

/** A page of a user's first-party families, the most recently used first. Ended ones stay listed until their absolute end. */
export async function findFamiliesOfUser(client: Queries, userId: string, page: Page): Promise<FamilyReading[]> {
  const { ended, after, size, shiftMs } = page
  const { lastUsedAt = null, id = null } = after ?? {}
  const rows = await client.$queryRaw<Row[]>`
    SELECT ${columns}, ${now(shiftMs)} AS now
    FROM refresh_token_family AS f JOIN "user" AS u ON u.id = f.user_id
    WHERE f.user_id = ${userId}::uuid AND f.expires_at > ${now(shiftMs)}
      AND f.mode <> 'client' AND ${lives(page)} = ${!ended}::boolean
      AND (${id}::uuid IS NULL OR (f.last_used_at, f.id) < (${lastUsedAt}::timestamptz, ${id}::uuid))
    ORDER BY f.last_used_at DESC, f.id DESC LIMIT ${size}::int`
  return rows.map(readingOf)
}

export interface NewFamily extends LifeLimits {
  id: string
  user: SigningIn
  handleHash: Uint8Array
  secretId: number
  mode: FamilyMode
  clientId: string
  scope: string
  remember: boolean
  deviceName: string | null
  userAgent: string | null
  ip: string | null
  amr: string[]
  acr: Acr
  authenticatedAt: Date
  identityId: string | null
  maxSeconds: number
  /** The number of the user's other active families without a parent to keep: the most recently used. */
  keepNewest: number
  /** Whether to insert even if that number is exceeded, in which case the caller ends the others. */
  mayEvict: boolean
  /** Additional common table expressions; `opened` has a row if the family was inserted. */
  together(opened: Prisma.Sql): Prisma.Sql[]
}

export interface Opened {
  reading: FamilyReading
  /** The active families beyond that number, the least recently used. */
  evicted: string[]
}

/**
 * Inserts a family and reads the data of its first tokens. Null if the user's row has changed since it was read. A
 * concurrent sign-in changes the user's row too, so the count of sessions is exact.
 */
export async function insertFamily(client: Queries, family: NewFamily): Promise<Opened | null> {
  const { user, shiftMs, keepNewest, mayEvict } = family
  const provided = Prisma.sql`(${mayEvict} OR NOT EXISTS (SELECT FROM evicted))`
  const [row] = await client.$queryRaw<(Row & { evicted: string[] })[]>`
    WITH evicted AS (
      SELECT f.id FROM refresh_token_family AS f, "user" AS u
      WHERE f.user_id = ${user.id}::uuid AND f.parent_id IS NULL AND ${lives(family)}
      ORDER BY f.last_used_at DESC, f.id DESC OFFSET ${keepNewest}::int
    ), signed_in AS (${signInOf(user, { now: now(shiftMs), provided })}
    ), f AS (
      INSERT INTO refresh_token_family (id, user_id, handle_hash, secret_id, generation, mode, client_id, scope, remember,
        device_name, user_agent, ip, amr, acr, identity_id, authenticated_at, created_at, last_used_at, expires_at)
      SELECT ${family.id}::uuid, signed_in.id, ${family.handleHash}, ${family.secretId}, 0, ${family.mode}::mode, ${family.clientId},
        ${family.scope}, ${family.remember}, ${family.deviceName}, ${family.userAgent}, ${family.ip}, ${family.amr}::text[], ${family.acr},
        ${family.identityId}::uuid, least(${family.authenticatedAt}::timestamptz, ${now(shiftMs)}), ${now(shiftMs)}, ${now(shiftMs)},
        ${now(shiftMs)} + ${seconds(family.maxSeconds)}
      FROM signed_in RETURNING *
    ), ${Prisma.join(family.together(Prisma.sql`f`))}
    SELECT ${columns}, ${now(shiftMs)} AS now, ARRAY(SELECT id::text FROM evicted) AS evicted
    FROM f JOIN signed_in AS u ON u.id = f.user_id`
  return row === undefined ? null : { reading: readingOf(row), evicted: row.evicted }
}

/** Sets the generation to one that the database has lost, without rotating. */
export async function adoptGeneration(tx: Queries, id: string, generation: number): Promise<void> {
  await tx.refreshTokenFamily.update({
    where: { id, generation: { lt: generation } },
    data: { generation, attemptHash: null, attemptKeyed: false, rotatedAt: null },
    select: { id: true },
  })
}

/** Writes that the successor of a token was given out again late. */
export async function noteLateReplay(tx: Queries, id: string, generation: number): Promise<void> {
  await tx.refreshTokenFamily.update({ where: { id }, data: { lateGeneration: generation }, select: { id: true } })
}

/** Writes what the user has shown since the sign-in. No index has these columns, so the row's update is heap-only. */
export async function elevateFamily(
  tx: Queries,
  id: string,
  { amr, acr, authenticatedAt }: Authentication,
): Promise<void> {
  await tx.refreshTokenFamily.update({ where: { id }, data: { amr, acr, authenticatedAt }, select: { id: true } })
}

export async function renameFamily(client: Queries, id: string, deviceName: string): Promise<void> {
  await client.refreshTokenFamily.update({ where: { id }, data: { deviceName }, select: { id: true } })
}

function toReading([row]: Row[]): FamilyReading | null {
  return row === undefined ? null : readingOf(row)
}
