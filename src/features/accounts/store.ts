import { randomBytes } from 'node:crypto'
import { Prisma } from '../../generated/prisma/client.js'
import type { User as PresentedUser } from '../../wire/token-reply.js'
import type { Queries } from '../../platform/database/database.js'
import { now, nowMs } from '../../platform/database/times.js'

/** The kinds of second factors, as the column `factors` lists those that a user has. */
export type FactorKind = 'passkey' | 'totp'

/** The user data in tokens and replies. */
export interface TokenUser {
  id: string
  email: string
  name: string | null
  emailVerifiedAt: Date | null
  roles: string[]
  epoch: number
  bannedAt: Date | null
  bannedUntil: Date | null
  passwordSetAt: Date
  createdAt: Date
  factors: FactorKind[]
  /** Rises with each change of a credential. Devices that were trusted before are not trusted any more. */
  trustEpoch: number
  hasPassword: boolean
}

export function isBanned(user: Pick<TokenUser, 'bannedAt' | 'bannedUntil'>, now: Date): boolean {
  return user.bannedAt !== null && (user.bannedUntil === null || user.bannedUntil > now)
}

/** A user in responses: the member `user` of the token reply, and the response of /v1/me. */
export function presentUser(user: TokenUser): PresentedUser {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    email_verified: user.emailVerifiedAt !== null,
    roles: user.roles,
    created_at: user.createdAt.toISOString(),
  }
}

/** The user columns that a statement of another feature has joined, as selected by `tokenUserColumns`. */
export interface TokenUserRow {
  user_id: string | null
  email: string | null
  name: string | null
  email_verified_at: Date | null
  roles: string[] | null
  epoch: bigint | null
  banned_at: Date | null
  banned_until: Date | null
  password_set_at: Date | null
  user_created_at: Date | null
  factors: FactorKind[] | null
  trust_epoch: number | null
  has_password: boolean | null
}

/** Reads the columns of a joined user; null if the user was deleted. */
export function tokenUserOf(row: TokenUserRow): TokenUser | null {
  const { user_id: id, email, password_set_at: passwordSetAt, user_created_at: createdAt } = row
  if (id === null || email === null || passwordSetAt === null || createdAt === null) return null
  return {
    id,
    email,
    name: row.name,
    emailVerifiedAt: row.email_verified_at,
    roles: row.roles ?? [],
    epoch: Number(row.epoch),
    bannedAt: row.banned_at,
    bannedUntil: row.banned_until,
    passwordSetAt,
    createdAt,
    factors: row.factors ?? [],
    trustEpoch: row.trust_epoch ?? 0,
    hasPassword: row.has_password ?? false,
  }
}

/** A user with all columns. */
export interface User extends TokenUser {
  /** PHC string; null for a user without a password. */
  passwordHash: string | null
  lastLoginAt: Date | null
  /** The language of mails (BCP 47); null where the user has chosen none. */
  locale: string | null
}

/** As WebAuthn recommends for user handles (Level 3, section 5.4.3): at most 64 bytes, and nothing about the user. */
const WEBAUTHN_ID_BYTES = 32

type Row = Omit<Prisma.UserGetPayload<object>, 'webauthnId' | 'factors'> & { factors: string[] }

// The two queries of every login are raw SQL: generating them with Prisma takes twice as much of the main thread.
const columns = Prisma.sql`
  id, email, name, password_hash AS "passwordHash", roles, epoch, email_verified_at AS "emailVerifiedAt",
  banned_at AS "bannedAt", banned_until AS "bannedUntil", password_set_at AS "passwordSetAt",
  last_login_at AS "lastLoginAt", created_at AS "createdAt", locale, factors, trust_epoch AS "trustEpoch"`

/** The user columns of tokens and replies, for statements that join the user as `u`; read by `tokenUserOf`. */
export const tokenUserColumns = Prisma.sql`
  u.email, u.name, u.email_verified_at, u.roles, u.epoch, u.banned_at, u.banned_until, u.password_set_at,
  u.created_at AS user_created_at, u.factors, u.trust_epoch, u.password_hash IS NOT NULL AS has_password`

/** The id that passkeys know the user `u` by, for statements that join it. */
export const webauthnIdColumn = Prisma.sql`u.webauthn_id AS "webauthnId"`

/** Whether the user `u` is not banned at a time, as an SQL condition: `isBanned` in SQL. */
export const isNotBanned = (now: Prisma.Sql) => Prisma.sql`(u.banned_at IS NULL OR u.banned_until <= ${now})`

export async function findUserByEmail(client: Queries, email: string): Promise<User | null> {
  const [row] = await client.$queryRaw<Row[]>`SELECT ${columns} FROM "user" WHERE email = ${email}`
  return toUser(row ?? null)
}

export async function findUserById(client: Queries, id: string): Promise<User | null> {
  return toUser(await client.user.findUnique({ where: { id } }))
}

/**
 * Locks the user's row until the transaction ends, and reads it. Everything that opens a session, changes a password,
 * bans or deletes does this first, so that it sees the changes of the others. Refreshes do not wait for it.
 */
export async function lockUser(tx: Queries, id: string): Promise<User | null> {
  const [row] = await tx.$queryRaw<Row[]>`SELECT ${columns} FROM "user" WHERE id = ${id}::uuid FOR NO KEY UPDATE`
  return toUser(row ?? null)
}

/** A user as they were read before a sign-in: it succeeds only while they are the same. */
export type SigningIn = Pick<User, 'id' | 'passwordHash' | 'lastLoginAt' | 'factors'>

/**
 * Notes a sign-in on the user's row, as a part of a statement that opens a session: `UPDATE … RETURNING u.*`. It finds the
 * row only if the user is still as they were read: the same password and second factors, no sign-in since, and no ban by
 * now. Every sign-in changes the row, so two statements at once cannot both find it.
 */
export function signInOf(
  { id, passwordHash, lastLoginAt, factors }: SigningIn,
  { now, provided }: { now: Prisma.Sql; provided: Prisma.Sql },
): Prisma.Sql {
  return Prisma.sql`
    UPDATE "user" AS u SET last_login_at = greatest(${now}, u.last_login_at + interval '1 millisecond')
    WHERE u.id = ${id}::uuid AND u.password_hash IS NOT DISTINCT FROM ${passwordHash}
      AND u.last_login_at IS NOT DISTINCT FROM ${lastLoginAt}::timestamptz AND u.factors = ${factors}::text[] AND ${isNotBanned(now)} AND ${provided}
    RETURNING u.*`
}

/** A user for whom a client's session is opened: by the trust epoch, if it is known, as they were when they authorized it. */
export interface HoldingUser {
  id: string
  trustEpoch: number | null
}

/**
 * Locks a user's row, as a part of a statement that opens a session in which nothing is verified again: `SELECT u.*`. It finds
 * none if the user is banned or gone by now, or if a credential has changed since that epoch. A password change, a ban and a
 * deletion lock the same row first.
 */
export function heldUserOf({ id, trustEpoch }: HoldingUser, now: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT u.* FROM "user" AS u
    WHERE u.id = ${id}::uuid AND ${isNotBanned(now)} AND (${trustEpoch}::int IS NULL OR u.trust_epoch = ${trustEpoch}::int)
    FOR NO KEY UPDATE OF u`
}

export interface NewUser {
  id: string
  email: string
  name: string | null
  passwordHash: string | null
  roles: string[]
  emailVerifiedAt: Date | null
  createdAt: Date
}

/** Throws a unique violation if the address is taken. */
export async function insertUser(tx: Queries, user: NewUser): Promise<void> {
  const { createdAt } = user
  await tx.user.create({ data: { ...user, passwordSetAt: createdAt, epoch: BigInt(createdAt.getTime()) } })
}

/** What users say about themselves. */
export interface Profile {
  name?: string | null | undefined
  locale?: string | null | undefined
}

export async function changeProfile(client: Queries, id: string, { name, locale }: Profile): Promise<User | null> {
  const data = { ...(name === undefined ? {} : { name }), ...(locale === undefined ? {} : { locale }) }
  const [user] = await client.user.updateManyAndReturn({ where: { id }, data })
  return toUser(user ?? null)
}

/** Throws a unique violation for an address that is taken. */
export async function setEmail(tx: Queries, id: string, email: string, emailVerifiedAt: Date | null): Promise<void> {
  await tx.user.update({ where: { id }, data: { email, emailVerifiedAt } })
}

/** The first time counts. */
export async function verifyEmail(tx: Queries, id: string, emailVerifiedAt: Date): Promise<void> {
  await tx.user.updateMany({ where: { id, emailVerifiedAt: null }, data: { emailVerifiedAt } })
}

export async function setPassword(
  tx: Queries,
  id: string,
  passwordHash: string | null,
  passwordSetAt: Date,
): Promise<void> {
  await tx.user.update({ where: { id }, data: { passwordHash, passwordSetAt, trustEpoch: { increment: 1 } } })
}

/** Changes which kinds of second factors a user has, in the order in which they are compared. */
export async function setFactors(tx: Queries, id: string, factors: readonly FactorKind[]): Promise<void> {
  const data = { factors: [...new Set(factors)].sort(), trustEpoch: { increment: 1 } }
  await tx.user.update({ where: { id }, data })
}

export async function endTrust(tx: Queries, id: string): Promise<void> {
  await tx.user.updateMany({ where: { id }, data: { trustEpoch: { increment: 1 } } })
}

export async function findWebauthnId(client: Queries, id: string): Promise<Uint8Array | null> {
  const user = await client.user.findUnique({ where: { id }, select: { webauthnId: true } })
  return user?.webauthnId ?? null
}

/** The random id that a user's passkeys have, made when the first one is registered. */
export async function requireWebauthnId(client: Queries, id: string): Promise<Uint8Array | null> {
  const [row] = await client.$queryRaw<{ webauthnId: Uint8Array }[]>`
    UPDATE "user" SET webauthn_id = coalesce(webauthn_id, ${randomBytes(WEBAUTHN_ID_BYTES)}::bytea)
    WHERE id = ${id}::uuid RETURNING webauthn_id AS "webauthnId"`
  return row?.webauthnId ?? null
}

/** Another hash of the same password. */
export async function replaceHash(tx: Queries, id: string, passwordHash: string): Promise<void> {
  await tx.user.update({ where: { id }, data: { passwordHash } })
}

export async function setRoles(tx: Queries, id: string, roles: string[]): Promise<void> {
  await tx.user.update({ where: { id }, data: { roles } })
}

export async function banUser(tx: Queries, id: string, until: Date | null, shiftMs: number): Promise<void> {
  await tx.$executeRaw`
    UPDATE "user" SET banned_at = ${now(shiftMs)}, banned_until = ${until}::timestamptz
    WHERE id = ${id}::uuid`
}

export async function unbanUser(tx: Queries, id: string): Promise<void> {
  await tx.user.update({ where: { id }, data: { bannedAt: null, bannedUntil: null } })
}

/**
 * Raises the user's epoch to the database's time in milliseconds, or by one if that is more: it increases even after
 * the database lost an acknowledged change.
 */
export async function raiseEpoch(tx: Queries, id: string, shiftMs: number): Promise<number> {
  const rows = await tx.$queryRaw<{ epoch: bigint }[]>`
    UPDATE "user" SET epoch = greatest(epoch + 1, ${nowMs(shiftMs)})
    WHERE id = ${id}::uuid RETURNING epoch`
  return Number(rows[0]?.epoch)
}

export async function deleteUser(tx: Queries, id: string): Promise<void> {
  await tx.user.delete({ where: { id } })
}

function isFactorKind(kind: string): kind is FactorKind {
  return kind === 'passkey' || kind === 'totp'
}

function toUser(row: Row | null): User | null {
  if (row === null) return null
  const { epoch, factors, passwordHash } = row
  return { ...row, epoch: Number(epoch), factors: factors.filter(isFactorKind), hasPassword: passwordHash !== null }
}
