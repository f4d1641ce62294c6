// Those who flood the login take no query, no place and no session from others.

import t from 'tap'
import { PASSWORD, type SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createTestClock } from '../support/clock.js'
import { openTestDatabase } from '../support/database.js'
import { holdNextComparison } from '../support/held-hashing.js'

const WRONG = "a password that is nobody's at all"
const HERE = '203.0.113.7'

t.test('ABU-02: a client that is over a limit costs no query until the limit is asked for again', async (t) => {
  const shared = await openTestDatabase()
  let queries = 0
  const database: typeof shared = {
    ...shared,
    query: (...args) => ((queries += 1), shared.query(...args)),
    transaction: (...args) => ((queries += 1), shared.transaction(...args)),
  }
  // It stands still but for what the test moves it by.
  const clock = Object.assign(createTestClock(), { elapsedMs: () => elapsedMs })
  let elapsedMs = 0
  const { api } = await startApp(t, { database, clock })
  const { email } = await api.signUp()
  const guess = () => api.login({ email, password: WRONG, mode: 'json' })
  for (let failures = 0; failures < 10; failures += 1) t.match(await guess(), { status: 401 })
  t.match(await guess(), { status: 429 }, 'the first refusal is counted and on record')

  const before = queries
  elapsedMs = 1000
  const answers = await Promise.all(Array.from({ length: 300 }, guess))
  for (const { status, headers } of answers) {
    if (status !== 429 || !/^89\d$/.test(String(headers['retry-after'])))
      t.fail(`${status} ${String(headers['retry-after'])}`)
  }
  t.match(answers[0]?.headers, { ratelimit: /^"account";r=0;t=89\d$/ })
  t.equal(queries, before)

  elapsedMs = 2000
  t.match(await Promise.all(Array.from({ length: 300 }, guess)), Array(300).fill({ status: 429 }))
  t.ok(queries > before && queries < before + 10, 'one of them asks the counters')

  clock.advance({ minutes: 15 })
  elapsedMs = 15 * 60 * 1000
  t.match(await guess(), { status: 401 })
  t.match(await guess(), { status: 401 }, 'and one that is granted forgets the refusal')
})

t.test('ABU-02: one network has a quarter of the places, and known devices are not among them', async (t) => {
  const { api } = await startApp(t, { settings: { HASHING_CONCURRENCY: '1' } })
  const [owner, stranger] = [await api.signUp(), await api.signUp()]
  const held = holdNextComparison(t)
  const statuses: number[] = []
  const flood = Array.from({ length: 30 }, async (_, index) => {
    const { status } = await api.login({ email: `${index}@example.com`, password: WRONG, mode: 'json' }, { from: HERE })
    statuses.push(status)
  })
  const letGoOn = await held
  // Of fifty-one places; the others are answered before any hash is done.
  while (statuses.length < 18) await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(new Set(statuses), new Set([503]))

  const login = ({ email, answer }: SignedUp, from: string, known: boolean) => {
    const device = known ? { device_token: answer.body.device_token } : {}
    return api.login({ email, password: PASSWORD, mode: 'json', ...device }, { from })
  }
  t.match(await login(stranger, HERE, false), { status: 503 })
  const [onDevice, elsewhere] = [login(owner, HERE, true), login(stranger, '198.51.100.1', false)]
  letGoOn()
  t.match(await onDevice, { status: 200 })
  t.match(await elsewhere, { status: 200 })
  await Promise.all(flood)
  t.equal(statuses.filter((status) => status === 401).length, 12)
})

t.test('ABU-03: right passwords are counted too, so that one account fills no tables', async (t) => {
  const { api, database } = await startApp(t)
  const [user, other] = [await api.signUp(), await api.signUp()]
  const login = ({ email }: SignedUp) => api.login({ email, password: PASSWORD, mode: 'json' })
  const statuses: number[] = []
  const clients = Array.from({ length: 20 }, async () => {
    for (let logins = 0; logins < 6; logins += 1) statuses.push((await login(user)).status)
  })
  await Promise.all(clients)
  t.strictSame(new Set(statuses), new Set([200, 429]))
  t.equal(statuses.filter((status) => status === 200).length, 100)
  const families = await database.query((client) => client.refreshTokenFamily.count({ where: { userId: user.userId } }))
  t.equal(families, 101)
  t.match(await login(user), { status: 429, headers: { ratelimit: /^"account-logins";r=0/ } })
  t.match(await login(other), { status: 200 })
})
