// What the outbox promises, whatever the transport: here that of the development inbox, or a mail server.

import t from 'tap'
import { SECRET_KEY } from '../../support/app.js'
import { needsPostgres } from '../../support/database.js'
import { createKeptLog } from '../../support/logged.js'
import { createMailBench } from '../../support/mail.js'
import { startMailServer, trustMailServer } from '../../support/mail-server.js'
import { until } from '../../support/until.js'

trustMailServer(t)

t.test('a mail to nobody is void, and the source is told', async (t) => {
  const { delivery, write, rows, source, counted } = await createMailBench()
  source.say(() => null)
  await write({})
  await delivery.deliverDue()
  t.match(await rows(), [{ state: 'void', attempts: 1, sentAt: null }])
  t.equal(source.settledMails.length, 1)
  t.strictSame(delivery.inbox?.list(), [])
  t.strictSame(counted, [])
})

t.test('a void mail is never composed, and one that is written twice is sent once', async (t) => {
  const { delivery, write, source } = await createMailBench()
  await write({ isVoid: true }, { dedupe: 'one' }, { dedupe: 'one' }, { dedupe: 'other' })
  await delivery.deliverDue()
  t.equal(source.composed.length, 2)
  t.equal(delivery.inbox?.list().length, 2)
})

t.test('a mail that is rolled back is not sent', async (t) => {
  const { delivery, write, rows } = await createMailBench()
  await t.rejects(write({}, { flowId: 'no uuid' }))
  await delivery.deliverDue()
  t.strictSame(await rows(), [])
})

t.test('mail goes to the address that the source names, whatever was typed', async (t) => {
  const { delivery, write, source } = await createMailBench()
  source.say(({ kind, locale, params }) => ({ template: kind, to: 'stored@example.com', locale, params }))
  await write({ email: 'typed@example.com' })
  await delivery.deliverDue()
  t.match(delivery.inbox?.list(), [{ to: 'stored@example.com' }])
})

t.test('EML-10: an address that looks like two is one recipient', async (t) => {
  const server = await startMailServer(t)
  const { delivery, write, rows, source } = await createMailBench({
    settings: { MAIL_URL: `smtp://localhost:${server.port}` },
  })
  source.say(({ kind, locale, params }) => ({ template: kind, to: 'ada@example.com, eve@example.com', locale, params }))
  await write({})
  await delivery.deliverDue()
  t.strictSame(server.mails, [], 'no server takes it')
  t.match(await rows(), [{ state: 'failed' }])
})

t.test('an instance that dies after the server took a mail: it is sent again, with the same Message-ID', async (t) => {
  const server = await startMailServer(t)
  const settings = { MAIL_URL: `smtp://localhost:${server.port}` }
  const { log, lines } = createKeptLog()
  const bench = await createMailBench({ settings, log })
  let isDead = true
  bench.source.onSettled(() => (isDead ? Promise.reject(new Error('killed')) : Promise.resolve()))
  await bench.write({})
  await bench.delivery.deliverDue()
  t.equal(server.mails.length, 1)
  t.match(await bench.rows(), [{ state: 'queued', attempts: 1, sentAt: null }])
  t.ok(lines.some(({ msg }) => msg === 'the result of an attempt to send a mail could not be written'))

  isDead = false
  const next = await createMailBench({ settings, beside: bench })
  await next.delivery.deliverDue()
  t.equal(server.mails.length, 1, 'the lease of the dead instance still runs')
  bench.clock.advance({ seconds: 61 })
  await next.delivery.deliverDue()
  t.equal(server.mails.length, 2)
  t.ok(server.mails[0]?.messageId)
  t.equal(server.mails[0]?.messageId, server.mails[1]?.messageId)
  t.match(await bench.rows(), [{ state: 'sent', attempts: 2 }])
})

t.test('an attempt that ends after its lease does not undo what a later one has noted', async (t) => {
  const server = await startMailServer(t)
  const settings = { MAIL_URL: `smtp://localhost:${server.port}` }
  const slow = await createMailBench({ settings })
  const quick = await createMailBench({ beside: slow })
  await slow.write({})
  server.refuseData({ code: 554, text: 'refused' })
  server.onMail(async () => {
    slow.clock.advance({ seconds: 61 })
    await quick.delivery.deliverDue()
  })
  await slow.delivery.deliverDue()
  t.equal(quick.delivery.inbox?.list().length, 1)
  t.match(await slow.rows(), [{ state: 'sent', attempts: 2, lastCode: null }])
  t.equal(slow.source.settledMails.length, 1)
})

t.test('several instances send each mail once', async (t) => {
  const first = await createMailBench()
  const others = await Promise.all([1, 2, 3].map(() => createMailBench({ beside: first })))
  await first.write(...Array.from({ length: 40 }, (_, index) => ({ email: `user${index}@example.com` })))
  const deliveries = [first, ...others].map(({ delivery }) => delivery)
  await Promise.all(deliveries.map((delivery) => delivery.deliverDue()))
  const sent = deliveries.flatMap((delivery) => delivery.inbox?.list() ?? []).map(({ to }) => to)
  t.equal(sent.length, 40)
  t.equal(new Set(sent).size, 40)
  t.ok((await first.rows()).every(({ attempts }) => attempts === 1))
})

t.test('a row that another transaction holds is left to it (needs Postgres)', { skip: needsPostgres }, async (t) => {
  const { delivery, write, database } = await createMailBench()
  await write({}, {})
  await database.transaction(async (tx) => {
    await tx.$queryRaw`SELECT id FROM mail LIMIT 1 FOR UPDATE`
    await delivery.deliverDue()
    t.equal(delivery.inbox?.list().length, 1)
  })
  await delivery.deliverDue()
  t.equal(delivery.inbox?.list().length, 2)
})

t.test('a kind of a later version is left to its instances', async (t) => {
  const { delivery, write, database, rows } = await createMailBench()
  await write({})
  await database.query((client) => client.$executeRaw`UPDATE mail SET kind = 'added_by_a_later_version'`)
  await delivery.deliverDue()
  t.match(await rows(), [{ state: 'queued', attempts: 0 }])
})

t.test('a source that fails postpones the mail, and the log says why', async (t) => {
  const { log, lines } = createKeptLog()
  const { delivery, write, rows, source, counted, clock } = await createMailBench({ log })
  const { compose } = source
  source.compose = () => Promise.reject(new TypeError('spl_secret in an error'))
  await write({})
  await delivery.deliverDue()
  t.match(await rows(), [{ state: 'queued', lastCode: 'INTERNAL', lastError: 'TypeError' }])
  t.strictSame(counted, ['attempt internal'])
  t.ok(lines.some(({ level }) => level === 'error'))
  source.compose = compose
  clock.advance({ seconds: 6 })
  await delivery.deliverDue()
  t.match(await rows(), [{ state: 'sent' }])
})

t.test('a delivery that was started sends at once what is announced, and stops when told', async (t) => {
  const { delivery, write, wake } = await createMailBench()
  const stop = delivery.start()
  await write({})
  wake()
  await until(() => Promise.resolve(delivery.inbox?.list().length === 1))
  await stop()
  await write({})
  wake()
  await delivery.deliverDue()
  t.equal(delivery.inbox?.list().length, 1)
})

t.test('where mail is off, none is written', async (t) => {
  const off = { NODE_ENV: 'production', SECRET_KEY }
  const { delivery, write, rows } = await createMailBench({ settings: off })
  await write({})
  t.strictSame(await rows(), [])
  await delivery.deliverDue()
  await delivery.start()()
  t.equal(delivery.health(), 'off')
  t.equal(delivery.inbox, null)
})

t.test('mails are deleted a week after they were sent, void or given up; what is queued stays', async (t) => {
  const { delivery, write, rows, source, clock } = await createMailBench()
  source.say(({ kind, email, locale, params }) =>
    email === 'nobody@example.com' ? null : { template: kind, to: email, locale, params },
  )
  await write({}, { email: 'nobody@example.com' })
  await delivery.deliverDue()
  await write({ kind: 'invitation' })
  clock.advance({ days: 6 })
  await delivery.maintain()
  t.equal((await rows()).length, 3)
  t.equal(Math.round(delivery.oldestQueuedMs() / 86_400_000), 6)
  clock.advance({ days: 1, seconds: 1 })
  await delivery.maintain()
  t.match(await rows(), [{ kind: 'invitation', state: 'queued' }])
  await delivery.deliverDue()
  await delivery.maintain()
  t.match(await rows(), [{ kind: 'invitation', state: 'failed', lastCode: 'EXPIRED' }], 'its week begins now')
  t.equal(delivery.oldestQueuedMs(), 0)
})
