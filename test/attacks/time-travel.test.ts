// The database goes back in time: a failover to a replica that lagged, or a restored backup. Clients have tokens that
// it does not know, and so may a thief.

import t from 'tap'
import { startApp } from '../support/app.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

const AFTER_GRACE = { seconds: 11 }
const REUSED = { status: 401, body: { code: 'refresh_token_reused' } }
const OVER = { status: 401, body: { code: 'session_ended', reason: 'reuse_detected' } }

const { api, browser, clock, database } = await startApp(t)

/** Saves the current state of a family; the result restores it. */
async function backUp(sessionId: string): Promise<() => Promise<void>> {
  const { id, ...columns } = await readFamily(database, sessionId)
  return async () => {
    await database.query((client) => client.refreshTokenFamily.update({ where: { id }, data: columns }))
  }
}

/** A client that refreshes `times` times; returns all its tokens, the latest last. */
async function refreshTimes(token: string | undefined, times: number): Promise<(string | undefined)[]> {
  const tokens = [token]
  for (let done = 0; done < times; done += 1) {
    clock.advance(AFTER_GRACE)
    const { status, body } = await api.refresh(tokens.at(-1), { key: `honest-client-${done}-of-${times}` })
    t.equal(status, 200)
    tokens.push(body.refresh_token)
  }
  return tokens
}

t.test('REF-23: the honest client continues, and its lost generations are not issued again', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const restore = await backUp(sessionId)
  const tokens = await refreshTimes(refreshToken, 3)
  await restore()

  const answer = await api.refresh(tokens.at(-1))
  t.match(answer, { status: 200, body: { session: { id: sessionId } } })
  t.notOk(tokens.includes(answer.body.refresh_token))
  t.match(await readFamily(database, sessionId), { generation: 4, endedAt: null })
  t.match(await readAuditTrail(database, sessionId), ['user_registered', 'refresh_ahead'])
  t.match(await api.whoami(answer.body.access_token), { status: 200 })
  t.match(await api.refresh(answer.body.refresh_token), { status: 200 })
})

t.test('REF-23: a retry of the first request to the older database gets the same successor', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const restore = await backUp(sessionId)
  const current = (await refreshTimes(refreshToken, 2)).at(-1)
  await restore()
  const first = await api.refresh(current, { key: 'the-same-attempt' })
  clock.advance({ days: 1 })
  const again = await api.refresh(current, { key: 'the-same-attempt' })
  t.match(again, { status: 200, body: { refresh_token: first.body.refresh_token } })
})

t.test('REF-23: after the client, a thief is detected by the copied token', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const restore = await backUp(sessionId)
  const tokens = await refreshTimes(refreshToken, 3)
  await restore()
  const { body } = await api.refresh(tokens.at(-1))
  clock.advance(AFTER_GRACE)
  t.match(await api.refresh(tokens[1]), REUSED)
  t.match(await api.refresh(body.refresh_token), OVER)
})

t.test('REF-23: before the client, a thief gets access by a lost generation, and is still detected', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const restore = await backUp(sessionId)
  const tokens = await refreshTimes(refreshToken, 4)
  await restore()

  const { status, body: thief } = await api.refresh(tokens[2])
  t.equal(status, 200)
  clock.advance(AFTER_GRACE)
  t.match(await api.refresh(tokens.at(-1)), { status: 200 }, 'the honest client is not logged out')
  clock.advance(AFTER_GRACE)
  t.match(await api.refresh(thief.refresh_token), REUSED)
})

t.test('REF-23: a classic web app continues too, with its cookie alone', async (t) => {
  const { email, password } = await api.signUp()
  const page = browser()
  const login = await page.call<{ session: { id: string } }>('/v1/auth/login', {
    method: 'POST',
    body: { email, password, mode: 'session' },
  })
  const sessionId = login.body.session.id
  const spent = page.cookies.get('sallyport_rt') ?? ''
  const restore = await backUp(sessionId)
  for (let done = 0; done < 2; done += 1) await page.call('/v1/auth/refresh', { method: 'POST' })
  await restore()

  clock.advance({ minutes: 11 })
  t.match(await page.call('/v1/whoami'), { status: 200, setCookies: [/^sallyport_at=/] })
  t.match(await readFamily(database, sessionId), { generation: 2, endedAt: null })
  t.match(await readAuditTrail(database, sessionId), ['login_succeeded', 'refresh_ahead'])
  t.match(await page.call('/v1/auth/refresh', { method: 'POST' }), { status: 200 })

  t.match(await api.call('/v1/whoami', { cookies: { sallyport_rt: spent } }), REUSED)
  t.match(await page.call('/v1/auth/refresh', { method: 'POST' }), OVER)
})

t.test('REF-23, REF-05: a renewal that adopts a lost generation accepts no older one', async (t) => {
  const key = 'an-attempt-before-the-backup'
  for (const spend of ['refresh', 'renewal']) {
    const { email, password } = await api.signUp()
    const page = browser()
    const refresh = (headers = {}) => page.call('/v1/auth/refresh', { method: 'POST', headers })
    const login = await page.call<{ session: { id: string } }>('/v1/auth/login', {
      method: 'POST',
      body: { email, password, mode: 'session' },
    })
    await refresh({ 'idempotency-key': key })
    const restore = await backUp(login.body.session.id)
    await refresh()
    const cookies = { sallyport_rt: page.cookies.get('sallyport_rt') ?? '' }
    await refresh()
    await restore()
    page.cookies.delete('sallyport_at')
    t.match(await page.call('/v1/whoami'), { status: 200, setCookies: [/^sallyport_at=/] })

    // Immediately: the row's last rotation and its attempt are of the generation before the adopted one.
    const headers = { 'x-sallyport-csrf': '1', 'idempotency-key': key }
    const spent =
      spend === 'refresh'
        ? await api.call('/v1/auth/refresh', { method: 'POST', cookies, headers })
        : await api.call('/v1/whoami', { cookies })
    t.match(spent, REUSED, `by a ${spend}`)
  }
})

t.test('REF-23: a session that the database does not know has ended, and nothing else happens', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  await database.query((client) => client.refreshTokenFamily.delete({ where: { id: sessionId } }))
  t.match(await api.refresh(refreshToken), { status: 401, body: { code: 'session_ended', reason: 'expired' } })
})
