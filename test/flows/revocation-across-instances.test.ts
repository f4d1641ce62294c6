// Several instances on one Postgres: what one revokes, the others refuse, despite failures between them.

import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { startApp, type TestApp } from '../support/app.js'
import { needsPostgres, openTestDatabase } from '../support/database.js'
import { follow, startFollower } from '../support/following.js'
import { startProxiedApp } from '../support/proxied-app.js'
import { until } from '../support/until.js'

const ended = { status: 401, body: { code: 'session_ended' } }

t.test('revocations across instances', { skip: needsPostgres }, async (t) => {
  const { url = '' } = await openTestDatabase()

  async function connect(t: { teardown(work: () => Promise<void>): void }): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    t.teardown(() => client.end())
    return client
  }

  async function logOut({ api }: TestApp, token: string): Promise<void> {
    const { status } = await api.call('/v1/auth/logout', { method: 'POST', token })
    if (status !== 204) throw new Error(`The logout was refused: ${status}`)
  }

  /** Waits until an instance refuses a token with session_ended. */
  const refuses = ({ api }: TestApp, token: string) =>
    until(async () => (await api.whoami(token)).body.code === 'session_ended')

  for (const prepared of [true, false]) {
    t.test(
      `REF-12: a logout on one instance is refused by the others, ${prepared ? 'after a notification' : 'by polling alone'}`,
      async (t) => {
        const one = await startFollower(t, { prepared, join: false })
        const two = await startFollower(t, { prepared })
        t.equal(one.database.signals !== null, prepared)
        const [ada, bob] = [await one.api.signUp(), await two.api.signUp()]
        for (const { api } of [one, two]) t.match(await api.whoami(ada.accessToken), { status: 200 })

        await logOut(one, ada.accessToken)
        t.match(await one.api.whoami(ada.accessToken), ended, 'immediately on the same instance')
        await refuses(two, ada.accessToken)
        await logOut(two, bob.accessToken)
        await refuses(one, bob.accessToken)
      },
    )
  }

  t.test('REF-12: the others are notified once a revocation is committed, and by nothing else', async (t) => {
    const one = await startFollower(t, { join: false })
    const client = await connect(t)
    const visible: number[] = []
    client.on('notification', () => {
      void client.query('SELECT FROM revocation').then(({ rowCount }) => visible.push(rowCount ?? 0))
    })
    await client.query('LISTEN sallyport_revocation')

    const { accessToken } = await one.api.signUp()
    t.match(await one.api.whoami(accessToken), { status: 200 })
    await t.rejects(
      one.app.revocations.transaction(async (_tx, revoke) => {
        await revoke({ kind: 'session', sid: randomUUID() })
        throw new Error('undone')
      }),
      { message: 'undone' },
    )
    await logOut(one, accessToken)
    await until(() => Promise.resolve(visible.length > 0))
    t.strictSame(visible, [1], 'a notified instance finds it')
  })

  t.test('REF-12: an entry that is committed after newer ones were read is not missed', async (t) => {
    const reader = await startApp(t)
    const [slow, quick] = [await reader.api.signUp(), await reader.api.signUp()]
    const { sessionId: slowSession, accessToken: slowToken } = slow
    const { sessionId: quickSession, accessToken: quickToken } = quick
    const [first, second, naive] = [await connect(t), await connect(t), await connect(t)]

    // The first begins, and writes; the second begins later and commits earlier.
    await first.query('BEGIN')
    await first.query(insert('now()'), [slowSession])
    await second.query(insert('clock_timestamp()'), [quickSession])
    const { rows: seen } = await naive.query<{ subject: string; newest: Date }>(
      'SELECT subject, max(created_at) OVER () AS newest FROM revocation',
    )
    t.match(seen, [{ subject: quickSession }])
    await reader.app.revocations.poll()
    t.match(await reader.api.whoami(quickToken), ended)
    t.match(await reader.api.whoami(slowToken), { status: 200 }, 'not committed yet')
    await first.query('COMMIT')

    const { rows: next } = await naive.query('SELECT subject FROM revocation WHERE created_at > $1', [seen[0]?.newest])
    t.strictSame(next, [], 'a reader that continues from its newest entry never sees it')
    await reader.app.revocations.poll()
    t.match(await reader.api.whoami(slowToken), ended)
  })

  t.test('REF-12: a poll reads the last 30 seconds, and older entries are found by a full read', async (t) => {
    const reader = await startApp(t)
    const [recent, old] = [await reader.api.signUp(), await reader.api.signUp()]
    const client = await connect(t)
    await client.query(insert("now() - interval '25 seconds'"), [recent.sessionId])
    await client.query(insert("now() - interval '35 seconds'"), [old.sessionId])
    await reader.app.revocations.poll()
    t.match(await reader.api.whoami(recent.accessToken), ended)
    t.match(await reader.api.whoami(old.accessToken), { status: 200 })
    await reader.app.revocations.load()
    t.match(await reader.api.whoami(old.accessToken), ended)
  })

  t.test('REF-12: an instance that was paused for longer than a poll covers misses nothing', async (t) => {
    const paused = await startApp(t)
    const other = await startApp(t, { join: true, clock: paused.clock })
    const { accessToken } = await other.api.signUp()
    await logOut(other, accessToken)
    paused.clock.advance({ seconds: 45 })
    await paused.app.revocations.poll()
    t.match(await paused.api.whoami(accessToken), ended)
  })

  t.test('OPS-03, REF-12: revocations during an outage of the database take effect once it is back', async (t) => {
    const lonely = await startProxiedApp(t)
    const other = await startApp(t, { join: true, clock: lonely.clock })
    follow(t, lonely)
    const [ada, bob] = [await lonely.api.signUp(), await other.api.signUp()]
    await logOut(lonely, bob.accessToken)
    await lonely.proxy.stop()
    t.match(await lonely.api.call('/readyz'), { status: 503, body: { code: 'database_unavailable' } })
    await logOut(other, ada.accessToken)
    t.match(await lonely.api.whoami(ada.accessToken), { status: 200 }, 'it only has the map')
    t.match(await lonely.api.whoami(bob.accessToken), ended, 'and the map has the entry')

    // By now a poll would not cover the entry.
    await other.database.query(
      (client) => client.$executeRaw`UPDATE revocation SET created_at = created_at - interval '1 minute'`,
    )
    await lonely.proxy.start()
    await refuses(lonely, ada.accessToken)
    t.match(await lonely.api.call('/readyz'), { status: 200 })
  })

  t.test('REF-12: revocations while notifications were cut off take effect', async (t) => {
    const one = await startProxiedApp(t)
    const other = await startFollower(t, { clock: one.clock })
    follow(t, one)
    const { accessToken } = await one.api.signUp()
    t.match(await other.api.whoami(accessToken), { status: 200 })
    one.proxy.cutAt('LISTEN')
    one.proxy.cut()
    await logOut(other, accessToken)
    await refuses(one, accessToken)
  })

  t.test('REF-12: an instance that starts later loads ten thousand revocations before it serves', async (t) => {
    const first = await startApp(t)
    const { accessToken, sessionId } = await first.api.signUp()
    const { accessToken: valid } = await first.api.signUp()
    const client = await connect(t)
    // Older than any poll covers.
    await client.query(`
      INSERT INTO revocation (id, kind, subject, created_at, expires_at)
      SELECT gen_random_uuid(), 'session', gen_random_uuid()::text, now() - interval '10 minutes', now() + interval '50 minutes'
      FROM generate_series(1, 9999)`)
    await client.query(insert("now() - interval '10 minutes'"), [sessionId])

    const late = await startApp(t, { join: true, clock: first.clock })
    t.match(await late.api.whoami(accessToken), ended)
    const { body } = await late.api.whoami(valid)
    const { rows } = await client.query<{ subject: string }>('SELECT subject FROM revocation')
    const verdicts = rows.map(({ subject }) => late.app.revocations.judge({ ...body, sid: subject }))
    t.equal(verdicts.length, 10_000)
    t.strictSame(new Set(verdicts), new Set(['session_ended']))
    t.equal(late.app.revocations.judge(body), 'valid')
  })
})

/** Writes the revocation of a session as an instance does, with a given time. */
function insert(createdAt: string): string {
  return `INSERT INTO revocation (id, kind, subject, created_at, expires_at)
    VALUES (gen_random_uuid(), 'session', $1, ${createdAt}, now() + interval '1 hour')`
}
