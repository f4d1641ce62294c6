import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import { DurableFiles } from '../../../src/platform/database/durable-files.js'
import { MAX_WAITING, openEmbedded } from '../../../src/platform/database/embedded.js'
import { violatedConstraint } from '../../../src/platform/database/faults.js'

const dataDir = fs.mkdtempSync(join(tmpdir(), 'sallyport-'))
t.teardown(() => fs.rmSync(dataDir, { recursive: true, force: true }))
const open = () => openEmbedded({ dataDir, log: { info: () => undefined } })

// The embedded database uses the time zone in which it is created as its own.
process.env.TZ = 'Asia/Tokyo'

t.test('an interrupted first start is repeated', async (t) => {
  fs.mkdirSync(join(dataDir, 'pglite.unfinished'))
  fs.writeFileSync(join(dataDir, 'pglite.unfinished', 'PG_VERSION'), '17')
  const database = await open()
  await database.migrate()
  t.strictSame(fs.readdirSync(dataDir), ['pglite'])
  const [row] = await database.query(
    (client) => client.$queryRaw<object[]>`
      SELECT current_setting('TimeZone') AS zone, current_setting('fsync') AS fsync`,
  )
  t.strictSame(row, { zone: 'UTC', fsync: 'on' })
  await database.close()
})

t.test('OPS-09: every acknowledged write survives kill -9', async (t) => {
  const program = new URL('write-until-killed.ts', import.meta.url).pathname
  const acknowledged: string[] = []
  for (const writes of [1, 60, 250]) {
    const child = spawn(process.execPath, ['--import=tsx', program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    let count = 0
    for await (const id of createInterface({ input: child.stdout })) {
      acknowledged.push(id)
      if (++count === writes) child.kill('SIGKILL')
    }
    await ended
    t.ok(count >= writes)
  }
  const database = await open()
  const kept = await database.query((client) => client.auditEvent.findMany({ select: { id: true } }))
  const ids = new Set(kept.map(({ id }) => id))
  t.strictSame(
    acknowledged.filter((id) => !ids.has(id)),
    [],
  )
  await database.close()
})

t.test('writes reach the disk before they are acknowledged', async (t) => {
  const syncs = t.capture(fs, 'fsyncSync', fs.fsyncSync)
  t.teardown(syncBuiltinESMExports)
  syncBuiltinESMExports()
  const engine = new PGlite({ fs: new DurableFiles(join(dataDir, 'pglite')), startParams: DurableFiles.startParams })
  await engine.waitReady
  await engine.exec('CREATE TABLE synced (x int)')
  syncs()
  for (let x = 0; x < 10; x++) await engine.query('INSERT INTO synced VALUES ($1)', [x])
  const { length } = syncs()
  t.ok(length >= 10, `${length} times for 10 transactions`)
  await engine.close()
})

t.test('the log is recycled, so that the folder does not grow with every write', async (t) => {
  const database = await open()
  const segments = () => fs.readdirSync(join(dataDir, 'pglite', 'pg_wal')).length
  const write = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await database.query(
        (client) => client.$executeRaw`SELECT pg_logical_emit_message(true, '', repeat('x', 5000000))`,
      )
      await database.maintain()
    }
  }
  // Nine segments of 16 MiB.
  await write(28)
  t.ok(segments() <= 6, `${segments()} segments`)
  await database.close()
})

t.test('a transaction that was not committed fails', async (t) => {
  const database = await openEmbedded({ dataDir: null, deadlineMs: 60_000, log: { info: () => undefined } })
  t.teardown(() => database.close())
  const tableOf = async (name: string) => {
    const rows = await database.query(
      (client) => client.$queryRaw<{ found: string | null }[]>`SELECT to_regclass(${name})::text AS found`,
    )
    return rows[0]?.found
  }

  t.test('because the COMMIT was refused', async (t) => {
    const failed = await database
      .transaction(async (tx) => {
        await tx.$executeRaw`CREATE TABLE late (x int UNIQUE DEFERRABLE INITIALLY DEFERRED)`
        await tx.$executeRaw`INSERT INTO late VALUES (1), (1)`
      })
      .then(
        () => 'it was committed',
        (error: unknown) => violatedConstraint(error),
      )
    t.equal(failed, 'late_x_key')
    t.equal(await tableOf('late'), null)
  })

  t.test('because a statement failed, even if the error was caught', async (t) => {
    await t.rejects(
      database.transaction(async (tx) => {
        await tx.$executeRaw`CREATE TABLE undone (x int)`
        await tx.$queryRaw`SELECT nonsense`.catch(() => undefined)
      }),
      { name: 'NotCommitted' },
    )
    t.equal(await tableOf('undone'), null)
  })
})

t.test('ABU-01: what may wait for the connection is bounded, but for the work of the server itself', async (t) => {
  const database = await openEmbedded({ dataDir: null, deadlineMs: 60_000, log: { info: () => undefined } })
  t.teardown(() => database.close())
  const ask = (options = {}) => database.query((client) => client.$queryRaw`SELECT 1 AS x`, options)
  let end: () => void = () => undefined
  const held = new Promise<void>((resolve) => (end = resolve))
  let begun: () => void = () => undefined
  const isHeld = new Promise<void>((resolve) => (begun = resolve))
  const holding = database.transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1`
    begun()
    await held
    return 'done'
  })
  await isHeld
  const waiting = Array.from({ length: MAX_WAITING }, () => ask())
  await new Promise((resolve) => setImmediate(resolve))

  const overloaded = { name: 'Problem', code: 'overloaded', options: { retryAfterSeconds: 1 } }
  await t.rejects(ask(), overloaded)
  await t.rejects(
    database.transaction((tx) => tx.auditEvent.count()),
    overloaded,
  )
  const own = ask({ internal: true })
  end()
  t.equal(await holding, 'done')
  t.equal((await Promise.all(waiting)).length, MAX_WAITING)
  t.strictSame(await own, [{ x: 1 }])
  t.strictSame(await ask(), [{ x: 1 }])
})

t.test('timers run between the statements of a long queue', async (t) => {
  const database = await openEmbedded({ dataDir: null, deadlineMs: 60_000, log: { info: () => undefined } })
  t.teardown(() => database.close())
  let answered = 0
  const queue = Array.from({ length: 50 }, () =>
    database.query((client) => client.$queryRaw`SELECT 1 AS x`).then(() => (answered += 1)),
  )
  const turns = new Set<number>()
  let working = true
  const watch = (): void => {
    turns.add(answered)
    if (working) setImmediate(watch)
  }
  watch()
  await Promise.all(queue)
  working = false
  t.equal(turns.size, 50, 'a timer after each of them except the last')
})

t.test('with a database in memory', async (t) => {
  const database = await openEmbedded({ dataDir: null, deadlineMs: 300, log: { info: () => undefined } })
  t.teardown(() => database.close())

  t.test(
    'requests that wait for a transaction that takes too long get an error, and work continues afterwards',
    async (t) => {
      let end: () => void = () => undefined
      const stuck = new Promise<void>((resolve) => (end = resolve))
      const answers = () => database.query((client) => client.$queryRaw`SELECT 1 AS x`)
      const first = database.transaction(async (tx) => {
        await tx.$queryRaw`SELECT 1`
        await stuck
      })
      const unavailable = { code: 'database_unavailable' }
      await Promise.all([t.rejects(first, unavailable), t.rejects(database.transaction(answers), unavailable)])
      end()
      t.strictSame(await answers(), [{ x: 1 }])
    },
  )

  t.test('after closing it is unavailable', async (t) => {
    await database.close()
    await t.rejects(
      database.query((client) => client.auditEvent.count()),
      { code: 'database_unavailable' },
    )
  })
})
