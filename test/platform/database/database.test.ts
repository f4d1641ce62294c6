import t from 'tap'
import { Prisma } from '../../../src/generated/prisma/client.js'
import { violatedConstraint } from '../../../src/platform/database/faults.js'
import { lockForTransaction, tryLockForTransaction } from '../../../src/platform/database/locks.js'
import { uuidv7 } from '../../../src/platform/uuid.js'
import { needsPostgres, openTestDatabase } from '../../support/database.js'

// Far from UTC, in which everything is stored.
process.env.TZ = 'Asia/Tokyo'
const database = await openTestDatabase()
t.beforeEach(() => database.empty())

const event = (name: string) => ({ id: uuidv7(), at: new Date(), event: name })
const countEvents = () => database.query((client) => client.auditEvent.count())

t.test('a transaction is atomic', async (t) => {
  await database.transaction(async (tx) => {
    await tx.auditEvent.create({ data: event('a') })
    await tx.auditEvent.create({ data: event('b') })
  })
  t.equal(await countEvents(), 2)

  const mistake = new Error('a programming error')
  await t.rejects(
    database.transaction(async (tx) => {
      await tx.auditEvent.create({ data: event('c') })
      throw mistake
    }),
    mistake,
  )
  t.equal(await countEvents(), 2)
})

t.test('a violated constraint is named, in statements of Prisma and in raw ones', async (t) => {
  const user = { id: uuidv7(), email: 'a@example.org', epoch: 1n, createdAt: new Date() }
  await database.query((client) => client.user.create({ data: user }))
  const constraintOf = (work: Promise<unknown>) =>
    work.then(
      () => 'none was violated',
      (error: unknown) => violatedConstraint(error),
    )

  t.equal(
    await constraintOf(database.query((client) => client.user.create({ data: { ...user, id: uuidv7() } }))),
    'user_email_key',
  )
  t.equal(
    await constraintOf(
      database.transaction(
        (tx) => tx.$executeRaw`
          INSERT INTO "user" (id, email, epoch, created_at) VALUES (${user.id}::uuid, 'b@example.org', 1, now())`,
      ),
    ),
    'user_pkey',
  )
  t.equal(await constraintOf(database.query((client) => client.$queryRaw`SELECT nonsense`)), null)
})

t.test('times are stored correctly, whatever the time zones of the server and the process', async (t) => {
  const before = new Date(Date.now() - 1_000)
  await database.query((client) => client.auditEvent.create({ data: { ...event('now'), at: new Date() } }))
  const [row] = await database.query(
    (client) => client.$queryRaw<{ at: Date; now: Date; recent: boolean }[]>`
      SELECT at, now() AS now, abs(extract(epoch FROM now() - at)) < 60 AS recent
      FROM audit_event WHERE at > ${before}::timestamptz`,
  )
  t.ok(row?.recent)
  t.ok(row && Math.abs(row.now.getTime() - Date.now()) < 60_000)
})

t.test('a lock is held until the transaction ends', { skip: needsPostgres }, async (t) => {
  await database.transaction(async (tx) => {
    await lockForTransaction(tx, 1)
    t.equal(await database.transaction((other) => tryLockForTransaction(other, 1)), false)
    t.equal(await database.transaction((other) => tryLockForTransaction(other, 2)), true)
  })
  t.equal(await database.transaction((tx) => tryLockForTransaction(tx, 1)), true)
})

t.test('REF-20: two deadlocked transactions both succeed', { skip: needsPostgres }, async (t) => {
  const ids = [uuidv7(), uuidv7()]
  await database.query((client) => client.auditEvent.createMany({ data: ids.map((id) => ({ ...event('start'), id })) }))
  let arrived = 0
  let release: () => void = () => undefined
  const bothHoldOne = new Promise<void>((resolve) => (release = resolve))
  const append = (first: string | undefined, second: string | undefined, mark: string) =>
    database.transaction(async (tx) => {
      const change = (id = '') => tx.$executeRaw`UPDATE audit_event SET event = event || ${mark} WHERE id = ${id}::uuid`
      await change(first)
      arrived++
      if (arrived === 2) release()
      await bothHoldOne
      await change(second)
    })
  await Promise.all([append(ids[0], ids[1], '+a'), append(ids[1], ids[0], '+b')])
  t.equal(arrived, 3, 'one of them was retried')
  const rows = await database.query((client) => client.auditEvent.findMany())
  for (const row of rows) t.match(row.event, /^start(\+a\+b|\+b\+a)$/)
})

t.test('row counts, locks and results are the same on the embedded database and on Postgres', async (t) => {
  await database.query((client) => client.auditEvent.createMany({ data: [event('a'), event('b')] }))
  t.equal(await database.query((client) => client.$executeRaw`UPDATE audit_event SET event = 'c'`), 2)
  const rows = await database.transaction((tx) =>
    tx.$queryRaw<{ event: string }[]>(Prisma.sql`SELECT event FROM audit_event FOR UPDATE`),
  )
  t.strictSame(rows, [{ event: 'c' }, { event: 'c' }])
})
