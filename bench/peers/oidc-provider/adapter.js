// The adapter that users of oidc-provider write themselves: its models in a table. As in the example adapters of its
// repository, `consume` marks a token unconditionally. With `consumeOnce` it fails if the token was already consumed,
// so that of two concurrent requests only one is served.

import { errors } from 'oidc-provider'
import pg from 'pg'

export async function createAdapter(connectionString, { consumeOnce }) {
  const pool = new pg.Pool({ connectionString })
  await pool.query(`
    CREATE TABLE IF NOT EXISTS oidc (
      model text, id text, payload jsonb NOT NULL, uid text, grant_id text,
      expires_at timestamptz, consumed_at timestamptz, PRIMARY KEY (model, id)
    )`)
  await pool.query('CREATE INDEX IF NOT EXISTS oidc_uid ON oidc (uid)')
  await pool.query('CREATE INDEX IF NOT EXISTS oidc_grant_id ON oidc (grant_id)')

  async function findBy(model, column, value) {
    const { rows } = await pool.query(
      `SELECT payload, consumed_at FROM oidc
       WHERE model = $1 AND ${column} = $2 AND (expires_at IS NULL OR expires_at > now())`,
      [model, value],
    )
    const [row] = rows
    return row && { ...row.payload, ...(row.consumed_at && { consumed: true }) }
  }

  return (model) => ({
    async upsert(id, payload, expiresIn) {
      await pool.query(
        `INSERT INTO oidc (model, id, payload, uid, grant_id, expires_at)
         VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')
         ON CONFLICT (model, id) DO UPDATE
         SET payload = excluded.payload, uid = excluded.uid, grant_id = excluded.grant_id, expires_at = excluded.expires_at`,
        [model, id, payload, payload.uid, payload.grantId, expiresIn],
      )
    },
    find: (id) => findBy(model, 'id', id),
    findByUid: (uid) => findBy(model, 'uid', uid),
    // For the device flow, which is not used here.
    findByUserCode: () => Promise.resolve(undefined),
    async consume(id) {
      const { rowCount } = await pool.query(
        `UPDATE oidc SET consumed_at = now() WHERE model = $1 AND id = $2 ${consumeOnce ? 'AND consumed_at IS NULL' : ''}`,
        [model, id],
      )
      if (consumeOnce && rowCount === 0) throw new errors.InvalidGrant('already used')
    },
    async destroy(id) {
      await pool.query('DELETE FROM oidc WHERE model = $1 AND id = $2', [model, id])
    },
    async revokeByGrantId(grantId) {
      await pool.query('DELETE FROM oidc WHERE model = $1 AND grant_id = $2', [model, grantId])
    },
  })
}
