import { Prisma } from '../../generated/prisma/client.js'
import type { Queries } from '../../platform/database/database.js'

/** What a secret is: see the model. */
export type Stage = 'ticket' | 'state' | 'code' | 'token'

export type StoredAttempt = Omit<Prisma.IdentityAttemptGetPayload<object>, 'stage' | 'expiresAt'>

export interface NewAttempt extends StoredAttempt {
  stage: Stage
  lifetimeSeconds: number
}

/** What names an attempt that is used. */
export interface AttemptKey {
  secretHash: Uint8Array
  stage: Stage
  provider?: string
  /** SHA-256 of the values of the cookie that the browser shows, of which one has to be the attempt's. */
  browserHashes?: readonly Uint8Array[]
}

/** The database's time; the shift is 0 except in tests. */
const now = (shiftMs: number) =>
  Prisma.sql`date_trunc('milliseconds', now() + ${shiftMs}::float8 * interval '1 millisecond')`

const columns = Prisma.sql`
  secret_hash AS "secretHash", provider, sealed, secret_id AS "secretId", return_to AS "returnTo", mode::text AS mode,
  remember, device_name AS "deviceName", code_challenge AS "codeChallenge", link_user_id AS "linkUserId",
  link_session_id AS "linkSessionId", browser_hash AS "browserHash"`

/** False where the secret is stored already. */
export async function insertAttempt(client: Queries, attempt: NewAttempt, shiftMs: number): Promise<boolean> {
  const { secretHash, stage, provider, sealed, secretId, returnTo, mode, remember, deviceName } = attempt
  const { codeChallenge, linkUserId, linkSessionId, browserHash, lifetimeSeconds } = attempt
  const inserted = await client.$executeRaw`
    INSERT INTO identity_attempt (secret_hash, stage, provider, sealed, secret_id, return_to, mode, remember, device_name,
      code_challenge, link_user_id, link_session_id, browser_hash, expires_at)
    VALUES (${secretHash}::bytea, ${stage}, ${provider}, ${sealed}::bytea, ${secretId}::smallint, ${returnTo},
      ${mode}::text::mode, ${remember}::boolean, ${deviceName}, ${codeChallenge}, ${linkUserId}::uuid,
      ${linkSessionId}::uuid, ${browserHash}::bytea,
      ${now(shiftMs)} + ${lifetimeSeconds}::float8 * interval '1 second')
    ON CONFLICT DO NOTHING`
  return inserted === 1
}

/**
 * Uses an attempt, which is deleted; null where there is none that has not expired. Of any number of concurrent calls, one
 * gets it. One that is shown at another provider or in another browser stays as it is.
 */
export async function takeAttempt(client: Queries, key: AttemptKey, shiftMs: number): Promise<StoredAttempt | null> {
  const { secretHash, stage, provider, browserHashes } = key
  const isOfProvider = provider === undefined ? Prisma.empty : Prisma.sql`AND provider = ${provider}`
  const isOfBrowser =
    browserHashes === undefined ? Prisma.empty : Prisma.sql`AND browser_hash = ANY (${browserHashes}::bytea[])`
  const [row] = await client.$queryRaw<StoredAttempt[]>`
    DELETE FROM identity_attempt
    WHERE secret_hash = ${secretHash}::bytea AND stage = ${stage} AND expires_at > ${now(shiftMs)}
      ${isOfProvider} ${isOfBrowser}
    RETURNING ${columns}`
  return row ?? null
}

/** Deletes a batch of attempts that have expired, and returns their number. */
export async function deleteExpired(client: Queries, batchSize: number, shiftMs: number): Promise<number> {
  return client.$executeRaw`
    DELETE FROM identity_attempt WHERE secret_hash IN (
      SELECT secret_hash FROM identity_attempt WHERE expires_at < ${now(shiftMs)}
      LIMIT ${batchSize}::int FOR UPDATE SKIP LOCKED)`
}
