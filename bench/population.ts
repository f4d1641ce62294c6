// Any number of users and families, inserted by the database itself, with refresh tokens that can be computed at any
// time.

import { createHash } from 'node:crypto'
import argon2 from 'argon2'
import { formatRefreshToken } from '../src/features/families/refresh-token.js'
import { parseSecretKey, SecretKeys } from '../src/platform/crypto/secret-keys.js'
import { withClient } from './postgres-client.js'

export const PASSWORD = 'copper lantern drifts over seven hills'

// Inserted in the order of their ids, as users and families are in production.
const idOf = (n: string) => `('00000000-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`

/** The id of a family, in SQL. */
export const familyId = idOf

export const emailOf = (n: number) => `user-${n}@example.com`

/** Adds users with these numbers, up to `count`, who share one password. */
export async function addUsers(url: string, count: number, { from = 1 } = {}): Promise<void> {
  const hash = await argon2.hash(PASSWORD, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  await withClient(url, async (client) => {
    await client.query(
      `INSERT INTO "user" (id, email, password_hash, epoch, created_at)
       SELECT ${idOf('n')}, 'user-' || n || '@example.com', $3, 1, now() FROM generate_series($1::int, $2::int) AS n`,
      [from, count, hash],
    )
  })
}

/** Adds users, each with one family of mode `json`. */
export async function addFamilies(url: string, count: number, secretKey: string): Promise<void> {
  await addUsers(url, count)
  await withClient(url, async (client) => {
    await client.query(
      `INSERT INTO refresh_token_family (id, user_id, handle_hash, secret_id, generation, attempt_hash, attempt_keyed,
         rotated_at, mode, remember, user_agent, ip, amr, authenticated_at, created_at, last_used_at, expires_at)
       SELECT ${idOf('n')}, ${idOf('n')}, sha256(sha256(convert_to('family ' || n, 'UTF8'))), $2, 0, NULL, false,
         NULL, 'json', true, NULL, '127.0.0.1', '{pwd}', now(), now(), now(), now() + interval '90 days'
       FROM generate_series(1, $1::int) AS n`,
      [count, secretsOf(secretKey).current.id],
    )
    await client.query('VACUUM (ANALYZE) refresh_token_family, "user"')
    // Writes out what the insertion has left in memory, so that it does not slow down the refreshes.
    await client.query('CHECKPOINT')
  })
}

/** Gives families to an OAuth client, from this number on, as its users' sign-ins with `openid` would have opened them. */
export async function giveToClient(url: string, clientId: string, from: number): Promise<void> {
  await withClient(url, (client) =>
    client.query(
      `UPDATE refresh_token_family SET mode = 'client', client_id = $1, scope = 'openid offline_access',
         rp_sid = 'rp-' || id WHERE id >= ${idOf('$2::int')}`,
      [clientId, from],
    ),
  )
}

/** The first refresh token of a family. */
export function firstRefreshToken(secrets: SecretKeys, n: number): string {
  return formatRefreshToken(secrets, { handle: createHash('sha256').update(`family ${n}`).digest(), generation: 0 })
}

export function secretsOf(secretKey: string): SecretKeys {
  const key = parseSecretKey(secretKey)
  if (key === null) throw new Error('This is not a secret key.')
  return new SecretKeys(key)
}
