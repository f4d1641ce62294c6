// Mode `session`: everything is in cookies, and the access cookie is renewed with the refresh cookie.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { PASSWORD, type Answer, type TokenBody } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import type { Browser } from '../support/browser.js'
import { isForVerifiers, operationsOf } from '../support/operations.js'
import { readAuditTrail, readFamily } from '../support/rows.js'
import { userClaimsSchema } from '../../src/wire/claims.js'

const rt = 'sallyport_rt'
const at = 'sallyport_at'
const newPassword = 'violet otters juggle paper lanterns'

interface SignedIn {
  page: Browser
  email: string
  sid: string
  userId: string
}

async function signIn({ browser }: TestApp): Promise<SignedIn> {
  const page = browser()
  const email = `${randomUUID()}@example.com`
  const body = { email, password: PASSWORD, mode: 'session' }
  const { body: reply } = await page.call<TokenBody>('/v1/auth/register', { method: 'POST', body })
  return { page, email, sid: reply.session.id, userId: reply.user.id }
}

/** The names of the cookies that a response sets or deletes. */
function cookieNames({ setCookies }: Answer): string[] {
  return setCookies.map((line) => line.slice(0, line.indexOf('='))).sort()
}

/** The access cookie as if signed by another key: an unknown or a withdrawn one. */
function underUnknownKey(token = ''): string {
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: 'unknown' }
  return token.replace(/^[^.]+/, Buffer.from(JSON.stringify(header)).toString('base64url'))
}

t.test('renewal', async (t) => {
  const instance = await startApp(t)
  const { api, app, clock, database } = instance

  t.test('an invalid access cookie is replaced, whatever the reason', async (t) => {
    const { page, sid } = await signIn(instance)
    const { [rt]: refresh = '', [at]: access = '' } = Object.fromEntries(page.cookies)
    const unserviceable: Record<string, Record<string, string>> = {
      missing: {},
      garbage: { [at]: 'garbage' },
      empty: { [at]: '' },
      'under an unknown key': { [at]: underUnknownKey(access) },
      'a refresh token': { [at]: refresh },
    }
    for (const [name, cookies] of Object.entries(unserviceable)) {
      const answer = await api.call('/v1/whoami', { cookies: { [rt]: refresh, ...cookies } })
      t.match(answer, { status: 200, headers: { 'cache-control': 'no-store' }, body: { sid } }, name)
      t.strictSame(cookieNames(answer), [at], `${name}: only the access cookie is set`)
    }
    clock.advance({ minutes: 11 })
    t.strictSame(cookieNames(await page.call('/v1/whoami')), [at], 'expired')
    t.strictSame(cookieNames(await page.call('/v1/whoami')), [], 'the new one is accepted')
    t.equal((await readFamily(database, sid)).generation, 0, 'nothing rotated')
    t.match(await api.call('/v1/whoami', { cookies: { [at]: access } }), {
      status: 401,
      body: { code: 'token_expired' },
    })
  })

  t.test('an access cookie that is stale is replaced, by the map and by the database', async (t) => {
    const { page, userId } = await signIn(instance)
    const stale = page.cookies.get(at) ?? ''
    const body = { current_password: PASSWORD, new_password: newPassword }
    t.match(await page.call('/v1/me/password', { method: 'PUT', body }), { status: 204 })
    const refresh = page.cookies.get(rt) ?? ''
    t.match(await api.call('/v1/whoami', { cookies: { [at]: stale } }), { status: 401, body: { code: 'token_stale' } })
    const renewed = await api.call('/v1/whoami', { cookies: { [at]: stale, [rt]: refresh } })
    t.match(renewed, { status: 200, setCookies: [/^sallyport_at=/] })

    const { epoch } = userClaimsSchema.parse(renewed.body)
    const data = { epoch: BigInt(epoch + 5) }
    await database.query((client) => client.user.update({ where: { id: userId }, data }))
    const back = { current_password: newPassword, new_password: PASSWORD }
    t.match(await page.call('/v1/me/password', { method: 'PUT', body: back }), { status: 204 }, 'live routes renew too')
    const now = userClaimsSchema.parse((await page.call('/v1/whoami')).body)
    t.ok(now.epoch > epoch + 5)
  })

  t.test('renewal happens on every route that requires access, also for HEAD, and on no other', async (t) => {
    const { page, sid } = await signIn(instance)
    const cookies = { [rt]: page.cookies.get(rt) ?? '' }
    const reading = operationsOf(app.server).filter(({ method }) => method === 'GET')
    for (const operation of reading) {
      const { path, security } = operation
      const renews = security.some((way) => way.includes('accessCookie'))
      for (const method of ['GET', 'HEAD'] as const) {
        // A gateway says what it asks about.
        const answer = await api.call(path, { method, cookies, headers: { 'x-forwarded-method': method } })
        t.equal(answer.status, isForVerifiers(operation) ? 401 : 200, `${method} ${path}`)
        t.strictSame(cookieNames(answer), renews ? [at] : [], renews ? 'renews' : 'sets nothing')
        if (renews) t.equal(answer.headers['cache-control'], 'no-store')
      }
    }
    for (const path of ['/problems', '/openapi.json', '/docs/', '/nowhere']) {
      t.strictSame((await api.call(path, { cookies })).setCookies, [], path)
    }
    const arriving = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    t.match(await api.call('/v1/me', { cookies, headers: arriving }), { status: 200 }, 'a link on another site')
    t.equal((await readFamily(database, sid)).generation, 0)
  })

  t.test('pages that load concurrently renew concurrently, and the use is recorded', async (t) => {
    const { page, sid } = await signIn(instance)
    const before = await readFamily(database, sid)
    clock.advance({ minutes: 11 })
    const agent = { 'user-agent': 'Renewer/1.0' }
    const answers = await Promise.all(Array.from({ length: 20 }, () => page.call('/v1/whoami', { headers: agent })))
    for (const answer of answers) t.match(answer, { status: 200, body: { sid } })
    const after = await readFamily(database, sid)
    t.match(after, { generation: before.generation, endedAt: null, userAgent: 'Renewer/1.0' })
    t.ok(after.lastUsedAt.getTime() - before.lastUsedAt.getTime() >= 11 * 60_000)
  })

  t.test('renewal extends the idle expiry of a session, but not its absolute expiry', async (t) => {
    const { page } = await signIn(instance)
    for (let week = 0; week < 4; week += 1) {
      clock.advance({ days: 6, hours: 23 })
      t.match(await page.call('/v1/whoami'), { status: 200 })
    }
    clock.advance({ days: 3 })
    const expired = { status: 401, setCookies: { length: 0 }, body: { code: 'session_ended', reason: 'expired' } }
    t.match(await page.call('/v1/whoami'), expired)
  })

  t.test('the Authorization header takes precedence over the cookies', async (t) => {
    const { page } = await signIn(instance)
    const other = await api.signUp()
    t.match(await page.call('/v1/whoami', { token: other.accessToken }), {
      status: 200,
      body: { sid: other.sessionId },
    })
    page.cookies.delete(at)
    for (const token of ['garbage', underUnknownKey(other.accessToken)]) {
      t.match(await page.call('/v1/whoami', { token }), {
        status: 401,
        setCookies: { length: 0 },
        body: { code: 'token_invalid' },
      })
    }
  })
})

t.test('an ended session is not renewed', async (t) => {
  const instance = await startApp(t)
  const { clock, database } = instance
  const { page, sid, email } = await signIn(instance)
  const refused = (reason: string) => ({
    status: 401,
    setCookies: { length: 0 },
    body: { code: 'session_ended', reason },
  })

  const elsewhere = await instance.api.login({ email, password: PASSWORD, mode: 'json' })
  const token = elsewhere.body.access_token
  await instance.api.call(`/v1/sessions/${sid}`, { method: 'DELETE', token })
  t.match(await page.call('/v1/whoami'), refused('revoked_by_user'))
  page.cookies.delete(at)
  t.match(await page.call('/v1/whoami'), refused('revoked_by_user'))

  const banned = await signIn(instance)
  const data = { bannedAt: clock.now(), bannedUntil: new Date(clock.now().getTime() + 3_600_000) }
  await database.query((client) => client.user.update({ where: { id: banned.userId }, data }))
  banned.page.cookies.delete(at)
  t.match(await banned.page.call('/v1/whoami'), refused('banned'))
  clock.advance({ hours: 2 })
  t.match(await banned.page.call('/v1/whoami'), { status: 200 }, 'a ban that has ended')

  const idle = await signIn(instance)
  clock.advance({ days: 8 })
  t.match(await idle.page.call('/v1/whoami'), refused('idle'))
})

t.test('an older refresh cookie renews only within the grace period', async (t) => {
  for (const grace of ['10', '0']) {
    const instance = await startApp(t, { settings: { REFRESH_GRACE: grace } })
    const { api, clock, database } = instance
    const whoami = (token: string) => api.call('/v1/whoami', { cookies: { [rt]: token } })
    const reused = { status: 401, setCookies: { length: 0 }, body: { code: 'refresh_token_reused' } }

    const { page, sid } = await signIn(instance)
    const first = page.cookies.get(rt) ?? ''
    await page.call('/v1/auth/refresh', { method: 'POST' })
    if (grace !== '0') {
      t.match(
        await whoami(first),
        { status: 200, setCookies: [/^sallyport_at=/], body: { sid } },
        'within the grace period',
      )
      clock.advance({ seconds: 11 })
      t.match(await whoami(page.cookies.get(rt) ?? ''), { status: 200 }, 'the current one at any time')
    }
    t.match(await whoami(first), reused, `REF-03: the previous one afterwards, grace period ${grace}`)
    t.match(await readFamily(database, sid), { endReason: 'reuse_detected' })
    t.ok((await readAuditTrail(database, sid)).includes('refresh_reused'))
    t.match(await page.call('/v1/whoami'), { status: 401, body: { code: 'session_ended', reason: 'reuse_detected' } })

    const old = await signIn(instance)
    const oldest = old.page.cookies.get(rt) ?? ''
    await old.page.call('/v1/auth/refresh', { method: 'POST' })
    await old.page.call('/v1/auth/refresh', { method: 'POST' })
    t.match(await whoami(oldest), reused, 'REF-05: the second previous one, immediately')
  }
})

t.test('REF-14: a password change replaces both cookies and ends the other sessions', async (t) => {
  const instance = await startApp(t)
  const { api, clock, database } = instance
  const { page, sid, email } = await signIn(instance)
  const elsewhere = await api.login({ email, password: PASSWORD, mode: 'json' })
  const before = Object.fromEntries(page.cookies)
  clock.advance({ minutes: 11 })

  const wrong = { current_password: newPassword, new_password: newPassword }
  const refused = await page.call('/v1/me/password', { method: 'PUT', body: wrong })
  t.match(refused, { status: 401, body: { code: 'invalid_credentials' } })
  t.equal(page.cookies.get(rt), before[rt])

  clock.advance({ minutes: 11 })
  const body = { current_password: PASSWORD, new_password: newPassword }
  const changed = await page.call('/v1/me/password', { method: 'PUT', body })
  t.equal(changed.status, 204)
  t.strictSame(cookieNames(changed), [at, rt], 'each cookie once, although the access cookie was renewed in between')
  t.not(page.cookies.get(rt), before[rt])
  t.equal((await readFamily(database, sid)).generation, 1)
  t.match(
    await page.call('/v1/whoami'),
    { status: 200, setCookies: { length: 0 }, body: { sid } },
    'the new cookies are accepted',
  )
  const ended = { status: 401, body: { code: 'session_ended', reason: 'password_changed' } }
  t.match(await api.refresh(elsewhere.body.refresh_token), ended)
  t.match(await api.whoami(elsewhere.body.access_token), { status: 401 })
  clock.advance({ minutes: 1 })
  t.match(await api.call('/v1/whoami', { cookies: { [rt]: before[rt] ?? '' } }), {
    body: { code: 'refresh_token_reused' },
  })
})

t.test('REF-14: a password change rotates only its own session, whichever cookie is sent with it', async (t) => {
  const instance = await startApp(t)
  const { page, sid } = await signIn(instance)
  const { accessToken: token, email } = await instance.api.signUp()
  const before = await readFamily(instance.database, sid)
  const body = { current_password: PASSWORD, new_password: newPassword }
  const changed = await page.call('/v1/me/password', { method: 'PUT', token, body })
  t.equal(changed.status, 204)
  t.strictSame(changed.setCookies, [])
  t.strictSame(await readFamily(instance.database, sid), before)
  t.match(await instance.api.login({ email, password: newPassword }), { status: 200 }, 'it was the bearer’s password')
})

t.test('a server that renders pages passes the cookies on, and need not store what is set', async (t) => {
  const instance = await startApp(t)
  const { api, clock, database } = instance
  const { page, sid } = await signIn(instance)
  const cookies = Object.fromEntries(page.cookies)
  for (let rendered = 0; rendered < 4; rendered += 1) {
    // Neither the access cookie nor an answer's Set-Cookie is kept. The grace of rotations plays no part.
    clock.advance({ hours: 1 })
    const answer = await api.call('/v1/whoami', { cookies })
    t.match(answer, { status: 200, body: { sid } })
    t.strictSame(cookieNames(answer), [at])
  }
  t.equal((await readFamily(database, sid)).generation, 0, 'nothing was rotated that would have to be stored')
  t.match(await page.call('/v1/auth/refresh', { method: 'POST' }), { status: 200 }, 'the browser refreshes itself')
})

t.test('logging out clears what was renewed on the way', async (t) => {
  const instance = await startApp(t)
  const ways = [
    ['/v1/auth/logout', { method: 'POST' }],
    ['/v1/auth/logout-all', { method: 'POST' }],
    ['/v1/me', { method: 'DELETE', body: { password: PASSWORD } }],
  ] as const
  for (const [path, call] of ways) {
    const { page, sid } = await signIn(instance)
    page.cookies.delete(at)
    const answer = await page.call(path, call)
    t.equal(answer.status, 204, path)
    t.strictSame(cookieNames(answer), [at, rt])
    for (const line of answer.setCookies) t.match(line, /^sallyport_[ar]t=; Max-Age=0;/)
    t.strictSame([...page.cookies.keys()], ['sallyport_device', 'sallyport_flow'])
    t.not((await readFamily(instance.database, sid)).endedAt, null)
  }
})

t.test('ABU-09: renewals are limited as refreshes are, for each session', async (t) => {
  const instance = await startApp(t)
  const { page } = await signIn(instance)
  const cookies = { [rt]: page.cookies.get(rt) ?? '' }
  const renew = () => instance.api.call<TokenBody>('/v1/whoami', { cookies })
  for (let renewals = 0; renewals < 120; renewals += 1) {
    const { status } = await renew()
    if (status !== 200) throw new Error(`A renewal was answered with ${status}.`)
  }
  t.match(await renew(), { status: 429, body: { code: 'rate_limited' }, headers: { ratelimit: /^"refresh";r=0/ } })
  t.match(await (await signIn(instance)).page.call('/v1/whoami'), { status: 200 }, 'another session is not affected')
  instance.clock.advance({ minutes: 1 })
  t.match(await renew(), { status: 200 })
})
