// An instance that can no longer read the revocations: what it refuses, and what it reports.

import t from 'tap'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { startApp } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { createTestClock } from '../support/clock.js'
import { needsPostgres, openTestDatabase } from '../support/database.js'
import { openFeed } from '../support/feed-reader.js'
import { createKeptLog } from '../support/logged.js'
import { startProxiedApp } from '../support/proxied-app.js'
import { until } from '../support/until.js'

const deny = { REVOCATION_ON_STALE: 'deny' }
const ended = { status: 401, body: { code: 'session_ended' } }
const stale = { status: 503, headers: { 'retry-after': '1' }, body: { code: 'revocation_stale' } }
const unavailable = { status: 503, headers: { 'retry-after': '1' }, body: { code: 'database_unavailable' } }

/** Routes by freshness. The account route responds with a wrong password when it accepts the token. */
const live = (token: string) => ['/v1/me', { method: 'DELETE', token, body: { password: 'not the password' } }] as const
const passed = { status: 401, body: { code: 'invalid_credentials' } }

t.test('deny: 503 and never 401 while stale, except for known revocations', async (t) => {
  const { api, app, clock } = await startApp(t, { settings: deny })
  const [ada, bob] = [await api.signUp(), await api.signUp()]
  await api.call('/v1/auth/logout', { method: 'POST', token: bob.accessToken })
  await app.revocations.poll()
  clock.advance({ seconds: 2 })
  t.match(await api.whoami(ada.accessToken), { status: 200 })

  clock.advance({ seconds: 4 })
  t.match(await api.whoami(ada.accessToken), stale)
  t.match(await api.call('/v1/sessions', { token: ada.accessToken }), stale)
  t.match(await api.whoami(bob.accessToken), ended)
  t.match(await api.whoami(`${ada.accessToken.slice(0, -4)}AAAA`), { status: 401, body: { code: 'token_invalid' } })
  t.match(await api.refresh(ada.refreshToken), { status: 200 }, 'a refresh queries the database')

  await app.revocations.poll()
  t.match(await api.whoami(ada.accessToken), { status: 200 })
})

t.test('deny: routes that query the database are not affected', async (t) => {
  const { api, clock } = await startApp(t, { settings: deny })
  const [ada, bob] = [await api.signUp(), await api.signUp()]
  await api.call('/v1/auth/logout', { method: 'POST', token: bob.accessToken })
  clock.advance({ seconds: 6 })
  t.match(await api.call(...live(ada.accessToken)), passed)
  t.match(await api.call(...live(bob.accessToken)), ended)
})

t.test('allow: the log records when the data becomes stale, and when it is current again', async (t) => {
  const { log, lines } = createKeptLog()
  const { api, app, clock } = await startApp(t, { log })
  const [ada, bob] = [await api.signUp(), await api.signUp()]
  await api.call('/v1/auth/logout', { method: 'POST', token: bob.accessToken })
  const told = () => lines.filter(({ level }) => level === 'warn')

  clock.advance({ seconds: 6 })
  t.strictSame(told(), [], 'there was no request yet')
  for (let i = 0; i < 3; i++) t.match(await api.whoami(ada.accessToken), { status: 200 })
  t.match(await api.whoami(bob.accessToken), ended, 'known revocations are still refused')
  t.match(await api.call(...live(ada.accessToken)), passed)
  t.equal(told().length, 1)

  await app.revocations.poll()
  t.match(told().at(1), { requests: 3 }, 'the requests accepted while stale')
  await app.revocations.poll()
  t.match(await api.whoami(ada.accessToken), { status: 200 })
  t.equal(told().length, 2)
})

t.test('readyz returns the age of the revocations', async (t) => {
  const { api, app, clock } = await startApp(t)
  clock.advance({ seconds: 2 })
  const { body } = await api.call<{ revocation_age_ms: number; warnings: string[] }>('/readyz')
  t.ok(body.revocation_age_ms >= 2_000)
  t.strictSame(body.warnings, [])

  clock.advance({ seconds: 4 })
  t.match(await api.call('/readyz'), { status: 200, body: { warnings: ['revocation_stale'] } })
  await app.revocations.poll()
  t.match(await api.call('/readyz'), { status: 200, body: { warnings: { length: 0 }, revocation_age_ms: Number } })
})

t.test('REF-12: the age counts from the query, however late its result', async (t) => {
  const clock = createTestClock()
  const database = await openTestDatabase()
  let answerSeconds = 0
  const query: typeof database.query = async (...args) => {
    const answer = await database.query(...args)
    clock.advance({ seconds: answerSeconds })
    return answer
  }
  const { app } = await startApp(t, { clock, database: { ...database, query } })
  answerSeconds = 3
  await app.revocations.poll()
  t.ok(app.revocations.ageMs() >= 3_000)
  answerSeconds = 6
  await app.revocations.poll()
  t.ok(app.revocations.isStale(), 'revocations since the query may be missing')
})

t.test('deny: a page in mode session keeps its cookies', async (t) => {
  const { app, browser, clock } = await startApp(t, { settings: deny })
  const page = browser()
  const body = { email: 'page@example.com', password: 'copper lantern drifts over seven hills', mode: 'session' }
  t.match(await page.call('/v1/auth/register', { method: 'POST', body }), { status: 201 })
  const before = new Map(page.cookies)
  clock.advance({ seconds: 6 })
  const refused = await page.call('/v1/whoami')
  t.match(refused, stale)
  t.strictSame(refused.setCookies, [])
  t.strictSame(page.cookies, before)
  await app.revocations.poll()
  t.match(await page.call('/v1/whoami'), { status: 200 })
})

for (const onStale of ['allow', 'deny']) {
  t.test(
    `${onStale}: an instance that loses its database while its streams stay open`,
    { skip: needsPostgres },
    async (t) => {
      const { credential, sha256 } = createVerifierCredential()
      const authorization = `Bearer ${credential}`
      const settings = { REVOCATION_ON_STALE: onStale, VERIFIER_KEYS: `orders:${sha256}` }
      const { api, app, clock, proxy } = await startProxiedApp(t, { settings, limits: { deadlineMs: 2_000 } })
      const { port } = await connectTo(t, app.server)
      const feed = await openFeed(t, port, '/v1/revocations/stream', { authorization })
      await feed.next(({ event }) => event === 'beat')
      const [ada, bob] = [await api.signUp(), await api.signUp()]
      await api.call('/v1/auth/logout', { method: 'POST', token: bob.accessToken })

      proxy.freeze()
      await t.rejects(app.revocations.poll(), { code: 'database_unavailable' })
      clock.advance({ seconds: 6 })
      await until(() => Promise.resolve(feed.ended()))
      t.match(await api.call('/v1/revocations', { headers: { authorization } }), stale)
      t.match(await api.whoami(ada.accessToken), onStale === 'deny' ? stale : { status: 200 })
      t.match(await api.whoami(bob.accessToken), ended)
      t.match(await api.call(...live(ada.accessToken)), unavailable)
      t.match(await api.call(...live(bob.accessToken)), ended)

      proxy.thaw()
      await until(() =>
        app.revocations.load().then(
          () => true,
          () => false,
        ),
      )
      t.match(await api.whoami(ada.accessToken), { status: 200 })
      t.match(await api.call(...live(ada.accessToken)), passed)
      t.match(await api.call('/v1/revocations', { headers: { authorization } }), { status: 200 })
      t.match(await openFeed(t, port, '/v1/revocations/stream', { authorization }), { status: 200 })
    },
  )
}

for (const seconds of [30, -30]) {
  t.test(`OPS-08: an instance whose clock is ${seconds} s off refuses revoked tokens, and no others`, async (t) => {
    const settings = { ACCESS_TOKEN_TTL: '3600' }
    const right = await startApp(t, { settings })
    const clock = createTestClock()
    clock.drift({ seconds })
    const wrong = await startApp(t, { settings, join: true, clock })

    const revoked: string[] = []
    for (const { api } of [right, wrong]) {
      const { accessToken } = await api.signUp()
      await api.call('/v1/auth/logout', { method: 'POST', token: accessToken })
      const { accessToken: token, password: current_password } = await api.signUp()
      const body = { current_password, new_password: 'seven other hills under a lantern' }
      t.match(await api.call('/v1/me/password', { method: 'PUT', token, body }), { status: 204 })
      revoked.push(accessToken, token)
    }
    const user = await wrong.api.signUp()
    const renewed = await right.api.refresh(user.refreshToken)
    const revokedCode = /^(session_ended|token_stale)$/
    for (const { api, app } of [right, wrong]) {
      await app.revocations.poll()
      for (const token of revoked) t.match(await api.whoami(token), { status: 401, body: { code: revokedCode } })
      for (const token of [user.accessToken, renewed.body.access_token]) {
        t.match(await api.whoami(token), { status: 200 })
      }
    }

    // The tokens have just expired, but not for an instance that starts now and whose clock then falls behind.
    for (const one of [right.clock, clock]) one.advance({ minutes: 60, seconds: 15 })
    for (const { app } of [right, wrong]) await app.revocations.purge()
    const lateClock = createTestClock()
    lateClock.advance({ minutes: 60, seconds: 15 })
    const late = await startApp(t, { settings, join: true, clock: lateClock })
    lateClock.drift({ seconds: -30 })
    t.match(await late.api.whoami(user.accessToken), { status: 200 }, 'an expired token is accepted there')
    for (const token of revoked) t.match(await late.api.whoami(token), { status: 401, body: { code: revokedCode } })
  })
}
