import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { Problem } from '../../src/platform/problem.js'
import { PASSWORD } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import { openTestDatabase } from '../support/database.js'
import { holdNextComparison } from '../support/held-hashing.js'

const WRONG = 'a password of no account at all'

async function failTenTimes({ api }: TestApp, email: string): Promise<void> {
  for (let failures = 0; failures < 10; failures += 1) {
    const { status } = await api.login({ email, password: WRONG, mode: 'json' })
    if (status !== 401) throw new Error(`The response to a wrong password was ${status}.`)
  }
}

const countersOf = ({ database }: TestApp) => database.query((client) => client.limitCounter.findMany())

t.test('a login returns the remaining attempts, and a success consumes no guess', async (t) => {
  const app = await startApp(t, { settings: { EMAIL_VERIFICATION: 'off' } })
  const { email } = await app.api.signUp()
  for (let logins = 0; logins < 3; logins += 1) {
    const answer = await app.api.login({ email, password: PASSWORD, mode: 'json' })
    t.match(answer, { status: 200, headers: { ratelimit: /^"address";r=99;t=3(600|59\d)$/ } })
    t.equal(
      answer.headers['ratelimit-policy'],
      '"address";q=100;w=3600, "address-logins";q=1000;w=3600, "account-logins";q=100;w=3600, ' +
        '"account";q=10;w=900, "account-day";q=30;w=86400, "account-total";q=100;w=7776000',
    )
  }
  t.strictSame(Object.fromEntries((await countersOf(app)).map(({ key, points }) => [key.split(':')[0], points])), {
    'account-logins': 3,
    address: 0,
    'address-logins': 3,
    registration: 1,
  })
})

t.test('concurrent correct passwords are not counted', async (t) => {
  const app = await startApp(t)
  const { email } = await app.api.signUp()
  const logins = Array.from({ length: 25 }, () => app.api.login({ email, password: PASSWORD, mode: 'json' }))
  t.strictSame(new Set((await Promise.all(logins)).map(({ status }) => status)), new Set([200]))
})

t.test('attempts that the server could not check are not counted', async (t) => {
  const app = await startApp(t, { settings: { HASHING_CONCURRENCY: '1' } })
  const { email } = await app.api.signUp()
  const logins = Array.from({ length: 90 }, (_, index) =>
    app.api.login({ email: `${index % 10}-${email}`, password: WRONG, mode: 'json' }),
  )
  const refused = (await Promise.all(logins)).filter(({ status }) => status === 503)
  t.ok(refused.length > 0, 'the hashing queue is full')
  const address = (await countersOf(app)).find(({ key }) => key.startsWith('address:'))
  t.equal(address?.points, 90 - refused.length)
})

t.test('PWD-11: a point that is refunded after its window does not change the next one', async (t) => {
  const app = await startApp(t, { settings: { HASHING_CONCURRENCY: '2' } })
  const { email } = await app.api.signUp()
  const login = () => app.api.login({ email, password: PASSWORD, mode: 'json' })
  const held = holdNextComparison(t)
  const late = login()
  const letGoOn = await held
  app.clock.advance({ hours: 1 })
  t.match(await login(), { status: 200 })
  letGoOn()
  t.match(await late, { status: 200 })
  const address = (await countersOf(app)).find(({ key }) => key.startsWith('address:'))
  t.equal(address?.points, 0)
})

t.test('REF-05: a client that refreshes continuously is limited, and its session continues', async (t) => {
  const app = await startApp(t)
  const { api, clock } = app
  const [looping, other] = [await api.signUp(), await api.signUp()]
  let token = looping.refreshToken
  for (let refreshes = 0; refreshes < 120; refreshes += 1) {
    const { status, body } = await api.refresh(token)
    if (status !== 200) throw new Error(`The response to a refresh was ${status}.`)
    token = body.refresh_token ?? ''
  }
  for (let refreshes = 0; refreshes < 3; refreshes += 1) {
    const refused = await api.refresh(token)
    t.match(refused, { status: 429, body: { code: 'rate_limited' }, headers: { ratelimit: /^"refresh";r=0;t=\d+$/ } })
    t.ok(Number(refused.headers['retry-after']) <= 60)
  }
  t.match(await api.refresh(other.refreshToken), { status: 200 }, 'other clients are not limited')
  clock.advance({ minutes: 1 })
  t.match(await api.refresh(token), { status: 200 })

  const events = await app.database.query((client) =>
    client.auditEvent.findMany({ where: { event: 'refresh_limited' } }),
  )
  t.match(events, [{ userId: looping.userId, sessionId: looping.sessionId, detail: { limit: 'refresh' } }])
  t.equal(events.length, 1)
})

t.test('OPS-01: a limit that is reached is audited once, however many requests follow', async (t) => {
  const app = await startApp(t)
  const { email, userId } = await app.api.signUp()
  const limited = () =>
    app.database.query((client) => client.auditEvent.findMany({ where: { event: 'password_check_limited' } }))
  const times = async () => (await limited()).reduce((sum, event) => sum + event.times, 0)
  await failTenTimes(app, email)
  for (let guesses = 0; guesses < 5; guesses += 1) await app.api.login({ email, password: WRONG })
  const byStranger = { actorKind: 'user', actorId: null, sessionId: null }
  t.match(await limited(), [{ ...byStranger, userId, ip: '127.0.0.1', detail: { limit: 'account' } }])
  t.equal(await times(), 1)

  app.clock.advance({ minutes: 15 })
  await failTenTimes(app, email)
  await app.api.login({ email, password: WRONG })
  t.equal(await times(), 2)
})

t.test('OPS-01: a limit that a signed-in user has reached is on record as theirs', async (t) => {
  const { api, database } = await startApp(t)
  const { accessToken: token, userId, sessionId } = await api.signUp()
  const remove = () => api.call('/v1/me', { method: 'DELETE', token, body: { password: WRONG } })
  for (let failures = 0; failures < 10; failures += 1) t.match(await remove(), { status: 401 })
  t.match(await remove(), { status: 429, headers: { ratelimit: /^"session";r=0/ } })
  const where = { event: 'password_check_limited' }
  const events = await database.query((client) => client.auditEvent.findMany({ where }))
  t.match(events, [{ actorKind: 'user', actorId: userId, userId, sessionId }])
})

t.test('a password set on the command line ends the wait', async (t) => {
  const app = await startApp(t)
  const { email } = await app.api.signUp()
  await failTenTimes(app, email)
  t.match(await app.api.login({ email, password: PASSWORD }), { status: 429 })
  const password = 'violet otters juggle paper lanterns'
  await runCommand(app.app.operator, 'user:password', ['--email', email, `--password=${password}`])
  t.match(await app.api.login({ email, password }), { status: 200 })
})

t.test('RATE_LIMIT=off counts nothing', async (t) => {
  const app = await startApp(t, { settings: { RATE_LIMIT: 'off' } })
  const { email, refreshToken } = await app.api.signUp()
  await failTenTimes(app, email)
  const answer = await app.api.login({ email, password: PASSWORD })
  t.match(answer, { status: 200, headers: { ratelimit: undefined, 'ratelimit-policy': undefined } })
  let token = refreshToken
  for (let refreshes = 0; refreshes < 130; refreshes += 1) {
    const { body } = await app.api.refresh(token)
    token = body.refresh_token ?? ''
  }
  t.match(await app.api.refresh(token), { status: 200 })
  t.strictSame(await countersOf(app), [])
})

t.test('counters are deleted when they have expired, and not before', async (t) => {
  const app = await startApp(t, { settings: { EMAIL_VERIFICATION: 'off' } })
  const { email } = await app.api.signUp()
  await app.api.login({ email, password: WRONG })
  const names = async () => {
    await app.app.operations.runMaintenance()
    return (await countersOf(app)).map(({ key }) => key.split(':')[0]).sort()
  }
  const hourly = ['account-logins', 'account-total', 'address', 'address-logins', 'registration']
  t.strictSame(await names(), ['account', 'account-day', ...hourly])
  app.clock.advance({ minutes: 16 })
  t.strictSame(await names(), ['account-day', ...hourly])
  app.clock.advance({ hours: 1 })
  t.strictSame(await names(), ['account-day', 'account-total'])
  app.clock.advance({ days: 1 })
  t.strictSame(await names(), ['account-total'])
  app.clock.advance({ days: 90 })
  t.strictSame(await names(), [])
})

t.test('OPS-03: counters that cannot be read or written log no user out, and cause no 500', async (t) => {
  const app = await startApp(t)
  const { email, refreshToken } = await app.api.signUp()
  await app.database.query((client) => client.$executeRaw`ALTER TABLE limit_counter RENAME TO limit_counter_lost`)
  t.teardown(() =>
    app.database
      .query((client) => client.$executeRaw`ALTER TABLE limit_counter_lost RENAME TO limit_counter`)
      .then(() => undefined),
  )
  const unavailable = { status: 503, body: { code: 'database_unavailable' }, headers: { 'retry-after': '1' } }
  t.match(await app.api.login({ email, password: PASSWORD }), unavailable)
  t.match(await app.api.register({ email: 'new@example.com', password: PASSWORD }), unavailable)
  const refreshed = await app.api.refresh(refreshToken)
  t.match(refreshed, { status: 200 }, 'refreshes use no counters')
  const token = refreshed.body.access_token
  t.match(await app.api.call('/v1/me', { method: 'DELETE', token, body: { password: PASSWORD } }), unavailable)
  t.match(await app.api.whoami(token), { status: 200 })
})

t.test('OPS-03: an action with the correct password is not undone by a count that cannot be settled', async (t) => {
  const shared = await openTestDatabase()
  let queries = 0
  let failsFrom = Infinity
  const fail = () => Promise.reject(new Problem('database_unavailable'))
  const database: typeof shared = {
    ...shared,
    query: (work, attempt) => ((queries += 1) >= failsFrom ? fail() : shared.query(work, attempt)),
  }
  const { api } = await startApp(t, { database })
  const { accessToken: token } = await api.signUp()
  // After the session and the user were read and the point was consumed.
  failsFrom = queries + 4
  t.match(await api.call('/v1/me', { method: 'DELETE', token, body: { password: PASSWORD } }), { status: 204 })
  t.ok(queries >= failsFrom)
})
