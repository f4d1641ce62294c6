import pg from 'pg'
import t from 'tap'
import { readMigrations } from '../../src/platform/database/migrations.js'
import { SECRET_KEY } from '../support/app.js'
import { createEmptyDatabase, needsPostgres } from '../support/database.js'
import { startProcess } from '../support/process.js'

const INSTANCES = 8

t.test(
  'KEY-07: eight concurrent first starts produce one schema and one key set (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const url = await createEmptyDatabase(t)
    const settings = { DATABASE_URL: url, SECRET_KEY }
    const instances = await Promise.all(Array.from({ length: INSTANCES }, () => startProcess(t, settings)))

    const client = new pg.Client({ connectionString: url })
    await client.connect()
    t.teardown(() => client.end())
    const applied = await client.query(
      'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY migration_name',
    )
    t.strictSame(
      applied.rows,
      readMigrations().map(({ name }) => ({ name })),
    )
    const keys = await client.query('SELECT state::text FROM signing_key ORDER BY state')
    t.strictSame(keys.rows, [{ state: 'active' }, { state: 'next' }])

    const keySets = await Promise.all(instances.map(async ({ api }) => (await api.call('/.well-known/jwks.json')).body))
    for (const keySet of keySets) t.strictSame(keySet, keySets[0])

    const [first] = instances
    const user = await first?.api.signUp()
    for (const { api } of instances) t.match(await api.whoami(user?.accessToken), { status: 200 })
    t.strictSame(
      await Promise.all(instances.map((instance) => instance.stop())),
      instances.map(() => 0),
    )
  },
)
