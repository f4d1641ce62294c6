import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { createMetrics } from '../../src/platform/metrics/metrics.js'
import { uuidv7 } from '../../src/platform/uuid.js'
import { PASSWORD } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import { parseMetrics } from '../support/metrics.js'

const readEvents = ({ database }: TestApp, event: string) =>
  database.query((client) => client.auditEvent.findMany({ where: { event }, orderBy: [{ at: 'asc' }, { id: 'asc' }] }))
const wrong = { email: 'nobody@example.com', password: 'not the password at all', mode: 'json' }
/** Away from the end of an hour, so that what follows is in one. */
const toHalfPast = ({ clock }: TestApp) => clock.advance({ minutes: 90 - clock.now().getUTCMinutes() })

t.test('ABU-05: a dead token that is presented again and again is one row an hour, with a count', async (t) => {
  const app = await startApp(t)
  toHalfPast(app)
  const { api, clock } = app
  const [user, other] = [await api.signUp(), await api.signUp()]
  for (const { refreshToken } of [user, other]) {
    await api.call('/v1/auth/logout', { method: 'POST', body: { refresh_token: refreshToken } })
  }
  const present = (token: string) => api.refresh(token).then(({ status }) => t.equal(status, 401))

  await present(user.refreshToken)
  const [first] = await readEvents(app, 'refresh_refused')
  t.match(first, { sessionId: user.sessionId, times: 1, lastAt: null })
  clock.advance({ minutes: 1 })
  await Promise.all(Array.from({ length: 40 }, () => present(user.refreshToken)))
  await present(other.refreshToken)
  const [counted, another] = await readEvents(app, 'refresh_refused')
  t.match(counted, { ...first, times: 41, lastAt: Date }, 'the row still tells of the first')
  t.ok((counted?.lastAt ?? 0) > (first?.at ?? 0))
  t.match(another, { sessionId: other.sessionId, times: 1 })

  clock.advance({ hours: 1 })
  await present(user.refreshToken)
  t.match(await readEvents(app, 'refresh_refused'), [{ times: 41 }, { times: 1 }, { times: 1 }])
  const [line = '', single = ''] = await runCommand(app.app.operator, 'audit', ['--event', 'refresh_refused'])
  t.match(line, `  41 times until ${counted?.lastAt?.toISOString() ?? ''}`)
  t.notMatch(single, 'times until')
})

t.test('ABU-05: instances count on one row, and each subject has its own', async (t) => {
  const app = await startApp(t, { settings: { RATE_LIMIT: 'off' } })
  toHalfPast(app)
  const beside = await startApp(t, { settings: { RATE_LIMIT: 'off' }, clock: app.clock, join: true })
  const { email, userId } = await app.api.signUp()
  for (const { api } of [app, beside, app]) {
    await api.login(wrong)
    await api.login({ ...wrong, email })
    await api.login(wrong, { from: '192.0.2.7' })
  }
  const failed = await readEvents(app, 'login_failed')
  t.match(failed, [
    { userId: null, ip: '127.0.0.1', times: 3 },
    { userId, ip: '127.0.0.1', times: 3 },
    { userId: null, ip: '192.0.2.7', times: 3 },
  ])
})

t.test('ABU-05: what is done is never counted together, and an alarm is written at once', async (t) => {
  const app = await startApp(t)
  toHalfPast(app)
  const { api, clock } = app
  const user = await api.signUp()
  await api.login({ email: user.email, password: PASSWORD, mode: 'json' })
  await api.login({ email: user.email, password: PASSWORD, mode: 'json' })
  t.equal((await readEvents(app, 'login_succeeded')).length, 2)

  const second = await api.refresh(user.refreshToken)
  await api.refresh(second.body.refresh_token)
  clock.advance({ minutes: 1 })
  await api.refresh(user.refreshToken)
  t.match(await readEvents(app, 'refresh_reused'), [{ sessionId: user.sessionId, times: 1 }])
})

t.test('ABU-05: a transaction that is rolled back counts nothing, and loses no first event', async (t) => {
  const app = await startApp(t)
  toHalfPast(app)
  const { audit } = app.app.operator
  const event = {
    event: 'login_failed',
    actor: { kind: 'user', id: null },
    caller: { ip: '192.0.2.1', userAgent: null, requestId: null, acceptLanguage: null },
  } as const
  const undone = app.database.transaction(async (tx) => {
    await audit.record(tx, event)
    throw new Error('undone')
  })
  await t.rejects(undone, { message: 'undone' })
  t.strictSame(await readEvents(app, 'login_failed'), [])
  await app.database.transaction((tx) => audit.record(tx, event, event))
  t.match(await readEvents(app, 'login_failed'), [{ times: 2 }])
})

t.test('an event of a deleted user has an id that no address can be found by', async (t) => {
  const app = await startApp(t)
  const { email, userId, accessToken, password } = await app.api.signUp()
  await app.api.login({ ...wrong, email })
  const [before] = await readEvents(app, 'login_failed')
  await app.api.call('/v1/me', { method: 'DELETE', token: accessToken, body: { password } })
  const [after] = await readEvents(app, 'login_failed')
  t.match(after, { userId, ip: null })
  t.not(after?.id, before?.id)
})

t.test('ABU-05: events are deleted in batches after AUDIT_RETENTION, and counted', async (t) => {
  const metrics = await createMetrics()
  const app = await startApp(t, { settings: { AUDIT_RETENTION: '86400' }, metrics })
  const { clock, database } = app
  const addEvents = (count: number, event: string) => {
    const data = Array.from({ length: count }, () => ({ id: uuidv7(), at: clock.now(), event }))
    return database.query((client) => client.auditEvent.createMany({ data }))
  }
  await addEvents(2_001, 'old')
  clock.advance({ hours: 23 })
  await addEvents(1, 'new')
  await app.app.operations.runMaintenance()
  t.equal((await readEvents(app, 'old')).length, 2_001, 'not before their time')
  clock.advance({ hours: 2 })
  await app.app.operations.runMaintenance()
  t.strictSame(await readEvents(app, 'old'), [])
  t.equal((await readEvents(app, 'new')).length, 1)
  const { value } = parseMetrics((await metrics.read()).text)
  t.equal(value('sallyport_purged_rows_total', 'table="audit_event"'), 2_001)
})

t.test('ABU-05: with AUDIT_RETENTION=off, events are kept', async (t) => {
  const app = await startApp(t, { settings: { AUDIT_RETENTION: 'off' } })
  await app.api.signUp()
  app.clock.advance({ days: 4_000 })
  await app.app.operations.runMaintenance()
  t.equal((await readEvents(app, 'user_registered')).length, 1)
})
