// The server rotates, and the client does not learn of it. Retrying the request recovers from it, and no user is logged
// out.

import t from 'tap'
import { startApp } from '../support/app.js'
import { needsPostgres } from '../support/database.js'
import { startProxiedApp } from '../support/proxied-app.js'
import { readAuditTrail, readFamily } from '../support/rows.js'
import { until } from '../support/until.js'

const KEY = 'attempt-0123456789'
const REUSED = { status: 401, body: { code: 'refresh_token_reused' } }

const { api, clock, database } = await startApp(t)

t.test('REF-08: with its key, a request can be retried a day later and gets the same successor', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const lost = await api.refresh(refreshToken, { key: KEY })
  clock.advance({ days: 1 })

  const repeated = await api.refresh(refreshToken, { key: KEY })
  t.match(repeated, { status: 200, body: { session: { id: sessionId }, refresh_token: lost.body.refresh_token } })
  t.match(await api.whoami(repeated.body.access_token), { status: 200 })
  t.match(await readFamily(database, sessionId), { generation: 1 })
  t.match(await api.refresh(repeated.body.refresh_token, { key: 'attempt-9876543210' }), { status: 200 })
})

t.test('REF-11: a retry extends neither expiry of the session', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const lost = await api.refresh(refreshToken, { key: KEY })
  const before = await readFamily(database, sessionId)
  clock.advance({ days: 29 })
  const repeated = await api.refresh(refreshToken, { key: KEY })
  t.equal(repeated.body.refresh_expires_at, lost.body.refresh_expires_at)
  t.strictSame(await readFamily(database, sessionId), before)
  clock.advance({ days: 1, seconds: 1 })
  t.match(await api.refresh(refreshToken, { key: KEY }), {
    status: 401,
    body: { code: 'session_ended', reason: 'idle' },
  })
})

t.test('REF-04: the key is refused once the successor has been used', async (t) => {
  const { refreshToken } = await api.signUp()
  const { body } = await api.refresh(refreshToken, { key: KEY })
  t.match(await api.refresh(body.refresh_token, { key: 'attempt-9876543210' }), { status: 200 })
  const late = await api.refresh(refreshToken, { key: KEY })
  t.match(late, { status: 409, body: { code: 'refresh_superseded' } })
  t.strictSame([late.body.access_token, late.body.refresh_token], [undefined, undefined])
  clock.advance({ seconds: 11 })
  t.match(await api.refresh(refreshToken, { key: KEY }), REUSED)
})

t.test('REF-08: without a key, a request can be retried within the grace period', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const lost = await api.refresh(refreshToken)
  clock.advance({ seconds: 9 })
  const repeated = await api.refresh(refreshToken)
  t.match(repeated, { status: 200, body: { refresh_token: lost.body.refresh_token } })
  clock.advance({ seconds: 2 })
  t.match(await api.refresh(refreshToken), REUSED)
  t.match(await readFamily(database, sessionId), { generation: 1, endReason: 'reuse_detected' })
})

t.test('REF-06: a refusal clears no cookie, because the browser may have a newer one by then', async (t) => {
  const { email, password } = await api.signUp()
  const { browser } = await startApp(t, { join: true, clock })
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password } })
  const spent = new Map(page.cookies)
  await page.call('/v1/auth/refresh', { method: 'POST', headers: { 'idempotency-key': KEY } })
  const late = browser()
  for (const [name, value] of spent) late.cookies.set(name, value)

  const superseded = await late.call('/v1/auth/refresh', { method: 'POST' })
  t.match(superseded, { status: 409, setCookies: { length: 0 } })
  clock.advance({ seconds: 11 })
  t.match(await late.call('/v1/auth/refresh', { method: 'POST' }), { ...REUSED, setCookies: { length: 0 } })
  t.match(await late.call('/v1/auth/refresh', { method: 'POST' }), { status: 401, setCookies: { length: 0 } })
})

// The grace period is 0 below: the retry succeeds because the server recognizes its own rotation.
t.test(
  'REF-08: the server retries a refresh whose commit it could not confirm (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const { api, proxy } = await startProxiedApp(t, { join: true, clock, settings: { REFRESH_GRACE: '0' } })
    for (const options of [{}, { key: KEY }]) {
      const { refreshToken, sessionId } = await api.signUp()
      proxy.holdAnswers()
      const answer = api.refresh(refreshToken, options)
      await until(async () => (await readFamily(database, sessionId)).generation === 1)
      proxy.cut()
      const { status, body } = await answer
      t.equal(status, 200)
      t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
      t.match(await api.refresh(body.refresh_token), { status: 200 })
    }
  },
)

t.test(
  'REF-08: the server retries a refresh that did not reach the database (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const { api, proxy } = await startProxiedApp(t, { join: true, clock, settings: { REFRESH_GRACE: '0' } })
    const { refreshToken, sessionId } = await api.signUp()
    proxy.cutAt('UPDATE refresh_token_family')
    t.match(await api.refresh(refreshToken), { status: 200 })
    t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
  },
)

t.test(
  'REF-08: the client retries a refresh that failed because the database was unavailable (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const { api, proxy } = await startProxiedApp(t, { join: true, clock, limits: { deadlineMs: 1000 } })
    for (const options of [{}, { key: KEY }]) {
      const { refreshToken, sessionId } = await api.signUp()
      proxy.holdAnswers()
      const answer = api.refresh(refreshToken, options)
      await until(async () => (await readFamily(database, sessionId)).generation === 1)
      await proxy.stop()
      t.match(await answer, { status: 503, body: { code: 'database_unavailable' }, headers: { 'retry-after': '1' } })

      await proxy.start()
      t.match(await api.refresh(refreshToken, options), { status: 200 })
      t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
      t.notMatch(await readAuditTrail(database, sessionId), ['refresh_reused'])
    }
  },
)

t.test(
  'REF-08, REF-23: a rotation of a token ahead of the database is retried too (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const { api, proxy } = await startProxiedApp(t, { join: true, clock, settings: { REFRESH_GRACE: '0' } })
    const { refreshToken, sessionId } = await api.signUp()
    const { body } = await api.refresh(refreshToken)
    await database.query((client) =>
      client.refreshTokenFamily.update({ where: { id: sessionId }, data: { generation: 0 } }),
    )

    proxy.holdAnswers('COMMIT')
    const answer = api.refresh(body.refresh_token)
    await until(async () => (await readFamily(database, sessionId)).generation === 2)
    proxy.cut()
    t.match(await answer, { status: 200 })
    t.match(await readFamily(database, sessionId), { generation: 2, endedAt: null })
  },
)
