import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import pg from 'pg'
import type { Database } from '../../../src/platform/database/database.js'
import { openPostgres, type PostgresOptions } from '../../../src/platform/database/postgres.js'
import { uuidv7 } from '../../../src/platform/uuid.js'
import { needsPostgres, openTestDatabase } from '../../support/database.js'
import { until } from '../../support/until.js'
import { startTcpProxy } from '../../support/tcp-proxy.js'

type Tap = Pick<typeof t, 'teardown'>

const unavailable = { name: 'Problem', code: 'database_unavailable', options: { retryAfterSeconds: 1 } }
const answers = (database: Database) => database.query((client) => client.$queryRaw<{ x: number }[]>`SELECT 1 AS x`)

/** A second connection to the test's database, through a proxy, with limits short enough for a test. */
async function openThroughProxy(t: Tap, options: Partial<PostgresOptions> = {}) {
  const { url = '' } = await openTestDatabase()
  const proxy = await startTcpProxy(url)
  let warn: () => void = () => undefined
  const warned = new Promise<void>((resolve) => (warn = resolve))
  const database = await openPostgres({
    url: proxy.url,
    prepared: true,
    log: { warn },
    ...options,
    limits: { deadlineMs: 400, poolWaitMs: 400, silenceMs: 500, ...options.limits },
  })
  t.teardown(async () => {
    await database.close()
    await proxy.stop()
  })
  return { database, proxy, warned }
}

const timed = async (work: Promise<unknown>) => {
  const start = performance.now()
  await work
  return performance.now() - start
}

t.test('Postgres', { skip: needsPostgres }, async (t) => {
  const { url = '' } = await openTestDatabase()
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  t.teardown(() => admin.end())

  t.test('OPS-03: with a paused server queries fail within the deadline, and recover automatically', async (t) => {
    const { database, proxy } = await openThroughProxy(t)
    await answers(database)
    proxy.freeze()
    const tookMs = await timed(
      Promise.all([
        t.rejects(answers(database), unavailable),
        t.rejects(
          database.transaction((tx) => tx.auditEvent.count()),
          unavailable,
        ),
      ]),
    )
    t.ok(tookMs < 1_000, `${tookMs} ms`)
    proxy.thaw()
    t.strictSame(await answers(database), [{ x: 1 }])
  })

  t.test('OPS-03: connections that a network failure has broken silently are replaced', async (t) => {
    const { database, proxy, warned } = await openThroughProxy(t, { poolSize: 1 })
    await answers(database)
    proxy.freeze()
    await t.rejects(
      database.transaction((tx) => tx.auditEvent.count()),
      unavailable,
    )
    // The old connection stays silent permanently.
    proxy.passNewConnections()
    await warned
    t.strictSame(await answers(database), [{ x: 1 }])
  })

  t.test('OPS-03: each of many silent connections is closed, whenever its query began', async (t) => {
    const warnings: unknown[] = []
    const limits = { deadlineMs: 2_000, poolWaitMs: 2_000, silenceMs: 2_500 }
    const many = { poolSize: 20, limits, log: { warn: (warning: unknown) => warnings.push(warning) } }
    const { database, proxy } = await openThroughProxy(t, many)
    const each = (work: (index: number) => Promise<unknown>) =>
      Promise.all(Array.from({ length: many.poolSize }, (_, index) => work(index)))
    await each(() => database.query((client) => client.$queryRaw`SELECT 1 FROM pg_sleep(0.2)`))
    proxy.freeze()
    await each(async (index) => {
      await pause(7 * index)
      // Node's timers know the beginning of a turn in whole milliseconds, so they may end before this clock does.
      occupyTurn(5)
      await t.rejects(
        database.transaction((tx) => tx.auditEvent.count()),
        unavailable,
      )
    })
    await t.resolves(until(() => Promise.resolve(warnings.length === many.poolSize), 10_000))
  })

  t.test('OPS-03: with a stopped server queries fail immediately, and recover automatically', async (t) => {
    const { database, proxy } = await openThroughProxy(t)
    await answers(database)
    await proxy.stop()
    await t.rejects(answers(database), unavailable)
    await t.rejects(
      database.transaction((tx) => tx.auditEvent.count()),
      unavailable,
    )
    await proxy.start()
    t.strictSame(await answers(database), [{ x: 1 }])
  })

  t.test('a connection that breaks while idle is logged, without other effects', async (t) => {
    const { database, proxy, warned } = await openThroughProxy(t)
    await answers(database)
    proxy.cut()
    await warned
    t.strictSame(await answers(database), [{ x: 1 }])
  })

  t.test('OPS-05: idempotent work survives its connection; other work is not repeated', async (t) => {
    const { database, proxy } = await openThroughProxy(t)
    const run = async (attempt: { safeToRetry: boolean }) => {
      let runs = 0
      const work = database.transaction(async (tx) => {
        runs++
        await tx.$queryRaw`SELECT 1`
        if (runs === 1) proxy.cut()
        await tx.$queryRaw`SELECT 2`
      }, attempt)
      return work.then(
        () => runs,
        (error: unknown) => ({ runs, error }),
      )
    }
    t.equal(await run({ safeToRetry: true }), 2)
    t.match(await run({ safeToRetry: false }), { runs: 1, error: unavailable })
  })

  t.test('OPS-10: the wait for an exhausted pool is limited', async (t) => {
    const { database } = await openThroughProxy(t, { poolSize: 1, limits: { poolWaitMs: 1_000, deadlineMs: 10_000 } })
    await database.transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1`
      await t.rejects(answers(database), unavailable)
    })
    t.strictSame(await answers(database), [{ x: 1 }])
  })

  t.test('a connection that breaks during its setup fails only the query', async (t) => {
    const { database, proxy } = await openThroughProxy(t)
    proxy.cutAt('SET TIME ZONE')
    await t.rejects(answers(database), unavailable)
    t.strictSame(await answers(database), [{ x: 1 }])
  })

  t.test('work that has failed at the deadline is not committed afterwards', async (t) => {
    const { database } = await openThroughProxy(t, { limits: { deadlineMs: 1_000 } })
    const id = uuidv7()
    let finished: () => void = () => undefined
    const end = new Promise<void>((resolve) => (finished = resolve))
    await t.rejects(
      database.transaction(async (tx) => {
        await tx.auditEvent.create({ data: { id, at: new Date(), event: 'late' } })
        await new Promise((resolve) => setTimeout(resolve, 1_200))
        finished()
      }),
      unavailable,
    )
    await end
    const { database: other } = await openThroughProxy(t)
    t.equal(await other.query((client) => client.auditEvent.count({ where: { id } })), 0)
  })

  t.test('the server cancels statements that take too long, and the session uses UTC', async (t) => {
    const limits = { statementMs: 4_000, lockMs: 3_000, idleInTransactionMs: 9_000 }
    const elsewhere = new URL(url)
    elsewhere.searchParams.set('options', '-c TimeZone=America/New_York -c DateStyle=SQL')
    const settings = async (prepared: boolean) => {
      const database = await openPostgres({ url: elsewhere.href, prepared, limits, log: { warn: () => undefined } })
      const [row] = await database.transaction(
        (tx) => tx.$queryRaw<object[]>`
          SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
                 current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('TimeZone') AS zone,
                 current_setting('DateStyle') AS style`,
      )
      await database.close()
      return row
    }
    const expected = { statement: '4s', lock: '3s', idle: '9s', zone: 'UTC', style: 'ISO, MDY' }
    t.strictSame(await settings(true), expected)
    t.strictSame(await settings(false), expected, 'behind a pooler each transaction sets its own limits')
  })

  t.test('a statement that waits too long for a lock fails as unavailable', async (t) => {
    const { database } = await openThroughProxy(t, { limits: { lockMs: 20, deadlineMs: 2_000, silenceMs: 2_500 } })
    await admin.query('BEGIN; LOCK TABLE audit_event')
    t.teardown(() => admin.query('ROLLBACK'))
    const error: unknown = await database.query((client) => client.auditEvent.count()).catch((e: unknown) => e)
    t.match(error, { ...unavailable, cause: { meta: { driverAdapterError: { cause: { originalCode: '55P03' } } } } })
  })

  t.test('only frequent statements are prepared on the server, and none behind a pooler', async (t) => {
    const kept = async (prepared: boolean) => {
      const { database } = await openThroughProxy(t, { poolSize: 1, prepared, limits: { deadlineMs: 2_000 } })
      for (let i = 0; i < 8; i++) {
        await database.query((client) => client.$queryRaw`SELECT ${i}::int AS again`)
        await database.query((client) => client.auditEvent.createMany({ data: manyEvents(i + 1) }))
      }
      return database.query(
        (client) =>
          client.$queryRaw<{ statement: string }[]>`SELECT statement FROM pg_prepared_statements WHERE name <> ''`,
      )
    }
    t.strictSame(await kept(true), [{ statement: 'SELECT $1::int AS again' }])
    t.strictSame(await kept(false), [])
  })

  t.test('closing is immediate, also while the server is paused', async (t) => {
    const { database, proxy } = await openThroughProxy(t)
    await answers(database)
    proxy.freeze()
    const tookMs = await timed(database.close())
    t.ok(tookMs < 2_000, `${tookMs} ms`)
  })
})

function occupyTurn(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

function manyEvents(count: number) {
  return Array.from({ length: count }, () => ({ id: uuidv7(), at: new Date(), event: 'many' }))
}
