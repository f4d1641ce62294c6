import { Prisma } from '../../generated/prisma/client.js'
import type { Acr } from '../../wire/acr.js'
import type { Mode } from '../../wire/mode.js'
import type { Queries } from '../../platform/database/database.js'
import { tryLockForTransaction } from '../../platform/database/locks.js'
import { isNotBanned, type SigningIn, signInOf, tokenUserColumns } from '../accounts/accounts.js'
import type { Authentication } from './authentication.js'
import type { Attempt } from './refresh-token.js'
import type { Page } from './session-page.js'
import { type Ending, type EndingFamilies, type FamilyReading, type LifeLimits, readingOf, type Row } from './family.js'

const columns = Prisma.sql`
  f.id, f.user_id, f.generation, f.attempt_hash, f.attempt_keyed, f.rotated_at, f.mode::text AS mode, f.client_id, f.scope,
  f.remember, f.device_name, f.user_agent, f.ip, f.amr, f.acr, f.authenticated_at, f.created_at, f.last_used_at, f.expires_at,
  f.ended_at, f.end_reason::text AS end_reason, ${tokenUserColumns}`

/**
 * The database's time, which every decision about a family uses; the shift is 0 except in tests. It is truncated to
 * milliseconds, like the columns and JavaScript's dates, so that SQL and the code that reads its result never disagree.
 */
const now = (shiftMs: number) =>
  Prisma.sql`date_trunc('milliseconds', now() + ${shiftMs}::float8 * interval '1 millisecond')`

const seconds = (count: number) => Prisma.sql`${count}::float8 * interval '1 second'`

/** Whether the family `f` of the user `u` is active: `endOf` in SQL, shared by all statements. */
const lives = ({ idleSeconds, shiftMs }: LifeLimits) => Prisma.sql`(
  f.ended_at IS NULL AND f.expires_at > ${now(shiftMs)}
  AND f.last_used_at > ${now(shiftMs)} - interval '1 second' * CASE f.mode WHEN 'cookie' THEN ${idleSeconds.cookie}::float8
    WHEN 'json' THEN ${idleSeconds.json}::float8 WHEN 'session' THEN ${idleSeconds.session}::float8 END
  AND u.id = f.user_id AND ${isNotBanned(now(shiftMs))})`

export interface Advance {
  handleHash: Uint8Array
  /** The expected generation. The statement changes nothing if the stored one differs. */
  from: number
  to: number
  modes: readonly Mode[]
  clientId: string
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
  { secretId, ...settings }: LifeLimits & { secretId: number },
): Promise<(FamilyReading | null)[]> {
  const { shiftMs } = settings
  // One array per column, so that the statement's text, and therefore its plan, is the same for any number of families.
  const each = <T>(column: (advance: Advance) => T) => advances.map(column)
  const rows = await client.$queryRaw<(Row & { place: number })[]>`
    WITH presented AS (
      SELECT * FROM unnest(
        ${each(({ handleHash }) => Buffer.from(handleHash).toString('hex'))}::text[],
        ${each(({ from }) => from)}::int[], ${each(({ to }) => to)}::int[],
        ${each(({ modes }) => modes.join(' '))}::text[], ${each(({ clientId }) => clientId)}::text[],
        ${each(({ attempt }) => attempt.hash.toString('hex'))}::text[],
        ${each(({ attempt }) => attempt.keyed)}::boolean[],
        ${each(({ ip }) => ip)}::text[], ${each(({ userAgent }) => userAgent)}::text[]
      ) WITH ORDINALITY AS p(handle_hash, from_generation, to_generation, modes, client_id, attempt_hash,
        attempt_keyed, ip, user_agent, place)
    ), held AS (
      SELECT f.id, p.*
      FROM presented AS p
        JOIN refresh_token_family AS f ON f.handle_hash = decode(p.handle_hash, 'hex')
        JOIN "user" AS u ON u.id = f.user_id
      WHERE f.generation = p.from_generation AND f.mode::text = ANY(string_to_array(p.modes, ' '))
        AND f.client_id = p.client_id AND ${lives(settings)}
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
  SELECT ${columns}, ${now(shiftMs)} AS now
  FROM refresh_token_family AS f LEFT JOIN "user" AS u ON u.id = f.user_id
  WHERE ${'id' in key ? Prisma.sql`f.id = ${key.id}::uuid` : Prisma.sql`f.handle_hash = ${key.handleHash}`}`

/** A page of a user's families, the most recently used first. Ended ones stay listed until their absolute end. */
export async function findFamiliesOfUser(client: Queries, userId: string, page: Page): Promise<FamilyReading[]> {
  const { ended, after, size, shiftMs } = page
  const { lastUsedAt = null, id = null } = after ?? {}
  const rows = await client.$queryRaw<Row[]>`
    SELECT ${columns}, ${now(shiftMs)} AS now
    FROM refresh_token_family AS f JOIN "user" AS u ON u.id = f.user_id
    WHERE f.user_id = ${userId}::uuid AND f.expires_at > ${now(shiftMs)}
      AND ${lives(page)} = ${!ended}::boolean
      AND (${id}::uuid IS NULL OR (f.last_used_at, f.id) < (${lastUsedAt}::timestamptz, ${id}::uuid))
    ORDER BY f.last_used_at DESC, f.id DESC LIMIT ${size}::int`
  return rows.map(readingOf)
}

export interface NewFamily extends LifeLimits {
  id: string
  user: SigningIn
  handleHash: Uint8Array
  secretId: number
  mode: Mode
  clientId: string
  scope: string
  remember: boolean
  deviceName: string | null
  userAgent: string | null
  ip: string | null
  amr: string[]
  acr: Acr
  authenticatedAt: Date
  maxSeconds: number
  /** The number of the user's other active families to keep: the most recently used. */
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
      WHERE f.user_id = ${user.id}::uuid AND ${lives(family)}
      ORDER BY f.last_used_at DESC, f.id DESC OFFSET ${keepNewest}::int
    ), signed_in AS (${signInOf(user, { now: now(shiftMs), provided })}
    ), f AS (
      INSERT INTO refresh_token_family (id, user_id, handle_hash, secret_id, generation, mode, client_id, scope, remember,
        device_name, user_agent, ip, amr, acr, authenticated_at, created_at, last_used_at, expires_at)
      SELECT ${family.id}::uuid, signed_in.id, ${family.handleHash}, ${family.secretId}, 0, ${family.mode}::mode, ${family.clientId},
        ${family.scope}, ${family.remember}, ${family.deviceName}, ${family.userAgent}, ${family.ip}, ${family.amr}::text[], ${family.acr},
        least(${family.authenticatedAt}::timestamptz, ${now(shiftMs)}), ${now(shiftMs)}, ${now(shiftMs)},
        ${now(shiftMs)} + ${seconds(family.maxSeconds)}
      FROM signed_in RETURNING *
    ), ${Prisma.join(family.together(Prisma.sql`f`))}
    SELECT ${columns}, ${now(shiftMs)} AS now, ARRAY(SELECT id::text FROM evicted) AS evicted
    FROM f JOIN signed_in AS u ON u.id = f.user_id`
  return row === undefined ? null : { reading: readingOf(row), evicted: row.evicted }
}

/** Ends families that have not ended yet and returns their ids. */
export async function endFamilies(client: Queries, which: EndingFamilies, ending: Ending): Promise<string[]> {
  const { reason, by, ip, userAgent, shiftMs } = ending
  const rows = await client.$queryRaw<{ id: string }[]>`
    WITH held AS (
      SELECT f.id FROM refresh_token_family AS f WHERE ${isAmong(which)} AND f.ended_at IS NULL ORDER BY f.id FOR UPDATE
    ), ended AS (
      UPDATE refresh_token_family AS f
      SET ended_at = ${now(shiftMs)}, end_reason = ${reason}::end_reason,
        ended_by = ${by === 'subject' ? Prisma.sql`f.user_id` : Prisma.sql`${by}::uuid`}, ended_ip = ${ip},
        ended_user_agent = ${userAgent}
      FROM held WHERE f.id = held.id AND f.ended_at IS NULL
      RETURNING f.id, f.user_id
    ), ${Prisma.join(ending.together(Prisma.sql`ended`))}
    SELECT id FROM ended`
  return rows.map(({ id }) => id)
}

function isAmong(which: EndingFamilies): Prisma.Sql {
  if ('userId' in which) {
    const { userId, exceptId } = which
    return Prisma.sql`f.user_id = ${userId}::uuid AND (${exceptId}::uuid IS NULL OR f.id <> ${exceptId}::uuid)`
  }
  const { handleHashes = [], ids = [] } = which
  const handles = handleHashes.map((hash) => Buffer.from(hash).toString('hex'))
  return Prisma.sql`(
    f.handle_hash = ANY(ARRAY(SELECT decode(h, 'hex') FROM unnest(${handles}::text[]) AS h)) OR f.id = ANY(${ids}::uuid[]))`
}

/** Sets the generation to one that the database has lost, without rotating. */
export async function adoptGeneration(tx: Queries, id: string, generation: number): Promise<void> {
  await tx.refreshTokenFamily.update({
    where: { id, generation: { lt: generation } },
    data: { generation, attemptHash: null, attemptKeyed: false, rotatedAt: null },
    select: { id: true },
  })
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

/** Removes all personal data: the rows only serve to refuse the families' tokens from now on. */
export async function forgetUser(tx: Queries, userId: string): Promise<void> {
  await tx.refreshTokenFamily.updateMany({
    where: { userId },
    data: {
      userId: null,
      ip: null,
      userAgent: null,
      deviceName: null,
      endedBy: null,
      endedIp: null,
      endedUserAgent: null,
    },
  })
}

/** The number of the advisory lock for purging. */
const PURGE_LOCK = 7_370_002

/** Deletes a batch of families past their absolute expiry; returns 0 if there are none or another instance is purging. */
export async function deleteExpiredFamilies(tx: Queries, batchSize: number, shiftMs: number): Promise<number> {
  if (!(await tryLockForTransaction(tx, PURGE_LOCK))) return 0
  return tx.$executeRaw`
    DELETE FROM refresh_token_family WHERE id IN (
      SELECT id FROM refresh_token_family WHERE expires_at <= ${now(shiftMs)}
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}

/** The number of active families whose current token is tagged with each secret, by the secret's id. */
export async function countLiveFamiliesBySecret(client: Queries, settings: LifeLimits): Promise<Map<number, number>> {
  const rows = await client.$queryRaw<{ secret_id: number; families: number }[]>`
    SELECT f.secret_id, count(*)::int AS families FROM refresh_token_family AS f, "user" AS u
    WHERE ${lives(settings)} GROUP BY f.secret_id`
  return new Map(rows.map(({ secret_id, families }) => [secret_id, families]))
}

function toReading([row]: Row[]): FamilyReading | null {
  return row === undefined ? null : readingOf(row)
}
