// An attacker can plant, swap or remove cookies, and gains nothing.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { PASSWORD, type Answer, type TokenBody } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import { readFamily } from '../support/rows.js'
import type { Mode } from '../../src/wire/mode.js'

const rt = 'sallyport_rt'
const at = 'sallyport_at'

/** Signs up a new user and returns the cookies as a Cookie header. */
async function signIn(
  { browser }: TestApp,
  mode: Mode,
): Promise<{ answer: Answer<TokenBody>; sid: string; cookies: Record<string, string>; email: string }> {
  const page = browser()
  const email = `${randomUUID()}@example.com`
  const body = { email, password: PASSWORD, mode }
  const answer = await page.call<TokenBody>('/v1/auth/register', { method: 'POST', body })
  return { answer, email, sid: answer.body.session.id, cookies: Object.fromEntries(page.cookies) }
}

/** A session's own cookie and another one's, as a browser sends two cookies of one name. */
const pair = (name: string, ...values: (string | undefined)[]) =>
  values.map((value) => `${name}=${value ?? ''}`).join('; ')

/** The refresh token in the cookie that a rotation sets. */
const successorIn = ({ setCookies }: Answer) => /=([^;]+)/.exec(setCookies[0] ?? '')?.[1]

t.test('planted cookies', async (t) => {
  const instance = await startApp(t)
  const { api, config, database } = instance
  const origin = config.server.publicUrl
  const refresh = (cookie: string, body?: unknown) =>
    api.call<TokenBody>('/v1/auth/refresh', { method: 'POST', headers: { origin, cookie }, ...(body ? { body } : {}) })
  const whoami = (cookie: string) => api.call<{ sid: string; code: string }>('/v1/whoami', { headers: { cookie } })

  t.test('WEB-12: a refresh cookie that was never issued is ignored, before and after the genuine one', async (t) => {
    const { refreshToken } = await api.signUp({ mode: 'json' })
    for (const planted of ['planted', '', `spr_${'A'.repeat(71)}`, `${refreshToken}A`, '"quoted"', '%00']) {
      const { sid, cookies } = await signIn(instance, 'cookie')
      const first = await refresh(`${pair(rt, planted, cookies[rt])}; other=1`)
      t.match(first, { status: 200, body: { session: { id: sid } } }, `before: ${planted}`)
      t.match(await refresh(pair(rt, successorIn(first), planted)), { status: 200, body: { session: { id: sid } } })
      t.match(await refresh(pair(rt, planted)), {
        status: 401,
        body: { code: 'refresh_token_invalid' },
        setCookies: { length: 0 },
      })
    }
  })

  t.test('WEB-12: an access cookie that was never issued is ignored, before and after the genuine one', async (t) => {
    const { sid, cookies } = await signIn(instance, 'session')
    for (const planted of ['planted', '', 'a.b.c', `${cookies[at]}A`]) {
      t.match(await whoami(pair(at, planted, cookies[at])), { status: 200, body: { sid } }, `before: ${planted}`)
      t.match(await whoami(pair(at, cookies[at], planted)), { status: 200, body: { sid } }, `after: ${planted}`)
      t.match(await whoami(pair(at, planted)), { status: 401, body: { code: 'token_invalid' } }, `alone: ${planted}`)
    }
  })

  t.test(
    'WEB-12: two genuine refresh cookies of different sessions are ambiguous, and neither session ends',
    async (t) => {
      const [one, two] = [await signIn(instance, 'session'), await signIn(instance, 'session')]
      const both = pair(rt, one.cookies[rt], two.cookies[rt])
      const before = [await readFamily(database, one.sid), await readFamily(database, two.sid)]
      const ambiguous = { status: 400, setCookies: { length: 0 }, body: { code: 'ambiguous_credentials' } }
      t.match(await refresh(both), ambiguous)
      t.match(await whoami(both), ambiguous)
      t.match(await refresh(pair(rt, one.cookies[rt]), { refresh_token: two.cookies[rt] }), ambiguous)
      t.match(await refresh(pair(rt, one.cookies[rt]), { refresh_token: 'planted' }), ambiguous)
      t.strictSame([await readFamily(database, one.sid), await readFamily(database, two.sid)], before)
    },
  )

  t.test(
    'WEB-12: two genuine access cookies of different sessions are ambiguous: no user acts as another',
    async (t) => {
      const [victim, thief] = [await signIn(instance, 'session'), await signIn(instance, 'session')]
      const orders = [pair(at, thief.cookies[at], victim.cookies[at]), pair(at, victim.cookies[at], thief.cookies[at])]
      for (const both of orders) {
        t.match(await whoami(both), { status: 400, body: { code: 'ambiguous_credentials' } })
        t.match(await whoami(`${both}; ${pair(rt, victim.cookies[rt])}`), { status: 400 })
      }
      t.match(await whoami(pair(at, victim.cookies[at], victim.cookies[at])), {
        status: 200,
        body: { sid: victim.sid },
      })
    },
  )

  t.test('ABU-08: of many values of one cookie, four are looked at', async (t) => {
    const { sid, cookies } = await signIn(instance, 'session')
    const planted = (count: number) => Array.from({ length: count }, () => 'planted')
    for (const name of [at, rt]) {
      const ask = (count: number) => whoami(pair(name, ...planted(count), cookies[name]))
      t.match(await ask(3), { status: 200, body: { sid } }, name)
      t.match(await ask(4), { status: 401 }, name)
      t.match(await ask(67), { status: 401 }, name)
    }
  })

  t.test('WEB-12: an access cookie and a refresh cookie of two sessions are ambiguous', async (t) => {
    const [victim, thief] = [await signIn(instance, 'session'), await signIn(instance, 'session')]
    const spa = await signIn(instance, 'cookie')
    const before = await readFamily(database, victim.sid)
    const ambiguous = { status: 400, setCookies: { length: 0 }, body: { code: 'ambiguous_credentials' } }
    const planted = pair(at, thief.cookies[at])
    for (const own of [victim, spa]) {
      const refreshCookie = pair(rt, own.cookies[rt])
      t.match(await whoami(`${planted}; ${refreshCookie}`), ambiguous)
      t.match(await whoami(`${refreshCookie}; ${planted}`), ambiguous, 'in either order, and the next time')
      t.match(await whoami(`${planted}; ${pair(rt, thief.cookies[rt], own.cookies[rt])}`), ambiguous, 'both of them')
    }
    for (const path of ['/v1/me', '/v1/sessions']) {
      const answer = await api.call(path, { headers: { cookie: `${planted}; ${pair(rt, victim.cookies[rt])}` } })
      t.match(answer, ambiguous, path)
    }
    t.strictSame(await readFamily(database, victim.sid), before)
    const own = (cookies: Record<string, string>) => whoami(`${pair(at, cookies[at])}; ${pair(rt, cookies[rt])}`)
    for (const { sid, cookies } of [victim, thief]) t.match(await own(cookies), { status: 200, body: { sid } })
    t.match(
      await whoami(`${pair(at, victim.cookies[at])}; ${pair(rt, 'planted')}`),
      { status: 200 },
      'not a genuine one',
    )

    const origin = config.server.publicUrl
    const rotated = await api.call('/v1/auth/refresh', {
      method: 'POST',
      cookies: victim.cookies,
      headers: { origin },
    })
    const next = Object.fromEntries(rotated.setCookies.map((line) => line.split(/[=;]/, 2) as [string, string]))
    t.match(await own(next), { status: 200, body: { sid: victim.sid } }, 'another generation is the same session')
  })

  t.test('WEB-12: two generations of one session in two cookies are one session: the newer one counts', async (t) => {
    for (const newerFirst of [false, true]) {
      const { sid, cookies } = await signIn(instance, 'cookie')
      const successor = successorIn(await refresh(pair(rt, cookies[rt])))
      const both = newerFirst ? pair(rt, successor, cookies[rt]) : pair(rt, cookies[rt], successor)
      // If the older one counted, the response within the grace period would contain no rotation.
      t.match(await refresh(both), { status: 200, body: { session: { id: sid } } })
      t.equal((await readFamily(database, sid)).generation, 2, newerFirst ? 'sent first' : 'sent last')
    }
  })

  t.test('WEB-12: a cookie and a body token of two generations of one session are ambiguous', async (t) => {
    const { sid, cookies } = await signIn(instance, 'cookie')
    const successor = successorIn(await refresh(pair(rt, cookies[rt])))
    const before = await readFamily(database, sid)
    const ambiguous = { status: 400, setCookies: { length: 0 }, body: { code: 'ambiguous_credentials' } }
    t.match(await refresh(pair(rt, cookies[rt]), { refresh_token: successor }), ambiguous)
    t.match(await refresh(pair(rt, successor), { refresh_token: cookies[rt] }), ambiguous)
    t.strictSame(await readFamily(database, sid), before, 'and neither rotates')
  })

  t.test('the cookie names of the other scheme are not read', async (t) => {
    const { cookies } = await signIn(instance, 'session')
    const renamed = `${pair(`__Host-Http-${at}`, cookies[at])}; ${pair(`__Host-Http-${rt}`, cookies[rt])}`
    t.match(await whoami(renamed), { status: 401, body: { code: 'token_missing' } })
    t.match(await refresh(renamed), { status: 401, body: { code: 'refresh_token_missing' } })
    t.match(await api.call('/v1/auth/logout', { method: 'POST', headers: { cookie: renamed } }), {
      status: 204,
      setCookies: { length: 0 },
    })
    t.match(await whoami(pair(at, cookies[at])), { status: 200 })
    t.match(await whoami(pair(at.toUpperCase(), cookies[at])), { status: 401 }, 'nor other spellings')
  })
})

t.test('REF-18: a token is refused in the transport of another mode, and its session continues', async (t) => {
  const instance = await startApp(t)
  const { api, config, database } = instance
  const headers = { origin: config.server.publicUrl }
  const refused = { status: 401, setCookies: { length: 0 }, body: { code: 'refresh_token_invalid' } }

  t.test('from a cookie to the body, where a script could read it', async (t) => {
    for (const mode of ['cookie', 'session'] as const) {
      const { sid, cookies } = await signIn(instance, mode)
      const token = cookies[rt]
      const before = await readFamily(database, sid)
      t.match(await api.refresh(token), refused)
      t.match(
        await api.call('/v1/auth/refresh', { method: 'POST', cookies, headers, body: { refresh_token: token } }),
        refused,
      )
      t.strictSame(await readFamily(database, sid), before)
      const own = await api.call<TokenBody>('/v1/auth/refresh', { method: 'POST', cookies, headers })
      t.match(own, { status: 200, body: { refresh_token: undefined, session: { mode } } })
    }
  })

  t.test('from the body to a cookie', async (t) => {
    const { refreshToken, sessionId } = await api.signUp({ mode: 'json' })
    const before = await readFamily(database, sessionId)
    const cookies = { [rt]: refreshToken }
    t.match(await api.call('/v1/auth/refresh', { method: 'POST', cookies, headers }), refused)
    t.match(await api.call('/v1/whoami', { cookies }), { status: 401, body: { code: 'token_missing' } })
    t.strictSame(await readFamily(database, sessionId), before)
    t.match(await api.refresh(refreshToken), {
      status: 200,
      setCookies: { length: 0 },
      body: { session: { mode: 'json' } },
    })
  })

  t.test('from mode cookie to mode session: no renewal', async (t) => {
    const { sid, cookies } = await signIn(instance, 'cookie')
    const before = await readFamily(database, sid)
    t.match(await api.call('/v1/whoami', { cookies }), {
      status: 401,
      setCookies: { length: 0 },
      body: { code: 'token_missing' },
    })
    t.strictSame(await readFamily(database, sid), before)
  })
})

t.test('REF-17: a sign-in replaces the session whose cookie is sent with it', async (t) => {
  const instance = await startApp(t)
  const { api, config, database } = instance
  const headers = { origin: config.server.publicUrl }
  const post = (path: string, cookies: Record<string, string>, body: Record<string, unknown>) =>
    api.call<TokenBody>(path, { method: 'POST', cookies, headers, body })

  t.test('of the same user, of another one, at login and at register', async (t) => {
    for (const mode of ['cookie', 'session'] as const) {
      const ada = await signIn(instance, mode)
      const grace = await signIn(instance, 'cookie')
      const asAda = await post('/v1/auth/login', grace.cookies, { email: ada.email, password: PASSWORD, mode })
      t.match(asAda, { status: 200 })
      t.match(await readFamily(database, grace.sid), { endReason: 'logout' }, 'another user’s session ended')
      t.match(await readFamily(database, ada.sid), { endedAt: null }, 'a session on another device continues')

      t.match(await post('/v1/auth/login', ada.cookies, { email: ada.email, password: PASSWORD, mode }), {
        status: 200,
      })
      t.match(await readFamily(database, ada.sid), { endReason: 'logout' })

      const third = await signIn(instance, mode)
      const email = `${randomUUID()}@example.com`
      t.match(await post('/v1/auth/register', third.cookies, { email, password: PASSWORD }), { status: 201 })
      t.match(await readFamily(database, third.sid), { endReason: 'logout' })
      const { cookies } = third
      t.match(await post('/v1/auth/refresh', { [rt]: cookies[rt] ?? '' }, {}), {
        body: { code: 'session_ended', reason: 'logout' },
      })
    }
  })

  t.test('but a sign-in that fails, or that sets no cookie, ends nothing', async (t) => {
    const { email, sid, cookies } = await signIn(instance, 'cookie')
    const wrong = { email, password: 'wrong lantern drifts over seven hills' }
    t.match(await post('/v1/auth/login', cookies, wrong), { status: 401, setCookies: { length: 0 } })
    t.match(await post('/v1/auth/register', cookies, { email, password: PASSWORD }), {
      status: 409,
      setCookies: { length: 0 },
    })
    t.match(await post('/v1/auth/login', cookies, { email, password: PASSWORD, mode: 'json' }), {
      status: 200,
      setCookies: { length: 0 },
    })
    t.match(await readFamily(database, sid), { endedAt: null })
  })

  t.test('and never adopts an id or a token of the client', async (t) => {
    const { email, sid, cookies } = await signIn(instance, 'cookie')
    const login = await post('/v1/auth/login', cookies, { email, password: PASSWORD })
    t.not(login.body.session.id, sid)
    t.notOk(login.setCookies.some((line) => line.includes(cookies[rt] ?? '-')))
    t.match(await post('/v1/auth/login', {}, { email, password: PASSWORD, session: { id: sid } }), { status: 422 })
  })
})
