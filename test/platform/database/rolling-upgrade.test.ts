// During a rolling upgrade, instances of the previous version continue with their statements on the newer tables.

import { randomBytes, randomUUID } from 'node:crypto'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import t from 'tap'
import { applyMigrations, readMigrations, type MigrationSession } from '../../../src/platform/database/migrations.js'
import { createEmptyDatabase, needsPostgres } from '../../support/database.js'

/** The migrations of the first version; later ones were written so that its instances can run on them. */
const FIRST_VERSION = 2

/** The statements of the first version, abridged. Each keeps its name, and the plan that a connection made for it. */
const olderStatements = {
  openFamily: `
    WITH f AS (
      INSERT INTO refresh_token_family (id, user_id, handle_hash, secret_id, generation, mode, remember, amr,
        authenticated_at, created_at, last_used_at, expires_at)
      VALUES ($1::uuid, $2::uuid, $3, 1, 0, 'json'::mode, true, '{pwd}', now(), now(), now(), now() + interval '1 day')
      RETURNING *
    )
    SELECT f.id, f.generation, f.end_reason::text AS end_reason, u.email FROM f JOIN "user" AS u ON u.id = f.user_id`,
  refresh: `
    UPDATE refresh_token_family AS f SET generation = f.generation + 1, rotated_at = now(), last_used_at = now()
    FROM "user" AS u WHERE f.handle_hash = $1 AND u.id = f.user_id RETURNING f.id, f.generation, u.email`,
  revoke: `
    INSERT INTO revocation (id, kind, subject, epoch, created_at, expires_at)
    VALUES ($1::uuid, 'user'::revocation_kind, $2, 1, now(), now() + interval '1 hour')`,
  revocations: `SELECT kind::text AS kind, subject, epoch, expires_at FROM revocation WHERE expires_at > now()`,
  record: `
    INSERT INTO audit_event (id, at, event, user_id, session_id, ip, user_agent, request_id, detail)
    VALUES ($1::uuid, now(), 'login_succeeded', $2::uuid, NULL, NULL, NULL, NULL, NULL)`,
}

type Assertions = Pick<typeof t, 'match' | 'ok' | 'strictSame'>

interface Connection extends MigrationSession {
  send(name: keyof typeof olderStatements, values: unknown[]): Promise<{ rows: unknown[] }>
}

async function upgrade(t: Assertions, connection: Connection): Promise<void> {
  const inTransaction = async <T>(work: (session: MigrationSession) => Promise<T>) => {
    await connection.run('BEGIN')
    const result = await work(connection)
    await connection.run('COMMIT')
    return result
  }
  const migrate = (migrations = readMigrations()) => applyMigrations({ transaction: inTransaction }, migrations)
  const userId = randomUUID()
  const workAsOlderVersion = async () => {
    const handle = randomBytes(32)
    const opened = await connection.send('openFamily', [randomUUID(), userId, handle])
    t.match(opened.rows, [{ generation: 0, email: 'ada@example.com' }])
    t.match((await connection.send('refresh', [handle])).rows, [{ generation: 1 }])
    await connection.send('record', [randomUUID(), userId])
  }

  await migrate(readMigrations().slice(0, FIRST_VERSION))
  await connection.query(`INSERT INTO "user" (id, email, epoch, created_at) VALUES ($1, 'ada@example.com', 1, now())`, [
    userId,
  ])
  await workAsOlderVersion()
  t.ok((await migrate()).length >= 3)
  await workAsOlderVersion()

  // A kind that an older instance does not know would stop it from reading all others.
  await connection.query(
    `INSERT INTO client_revocation (id, client_id, epoch, created_at, expires_at)
     VALUES ($1::uuid, 'billing', 1, now(), now() + interval '1 hour')`,
    [randomUUID()],
  )
  await connection.send('revoke', [randomUUID(), userId])
  t.match((await connection.send('revocations', [])).rows, [{ kind: 'user', subject: userId }])
  t.strictSame((await connection.send('revocations', [])).rows.length, 1)

  const families = await connection.query('SELECT client_id, scope FROM refresh_token_family', [])
  t.strictSame(families.rows, Array(2).fill({ client_id: 'sallyport', scope: '' }))
  const events = await connection.query('SELECT actor_kind, actor_id FROM audit_event', [])
  t.strictSame(events.rows, Array(2).fill({ actor_kind: null, actor_id: null }))
}

t.test('OPS-07: an instance of the previous version continues after the migrations, embedded', async (t) => {
  const engine = await PGlite.create()
  t.teardown(() => engine.close())
  await upgrade(t, {
    run: (sql) => engine.exec(sql),
    query: (sql, values) => engine.query(sql, values),
    send: (name, values) => engine.query(olderStatements[name], values),
  })
})

t.test(
  'OPS-07: an instance of the previous version continues after the migrations, on Postgres',
  { skip: needsPostgres },
  async (t) => {
    const client = new pg.Client({ connectionString: await createEmptyDatabase(t) })
    await client.connect()
    t.teardown(() => client.end())
    await upgrade(t, {
      run: (sql) => client.query(sql),
      query: (sql, values) => client.query<object>(sql, values),
      send: (name, values) => client.query<object>({ name, text: olderStatements[name], values }),
    })
  },
)
