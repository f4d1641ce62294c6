// A refusal may arrive late, when the browser already has the cookie of a newer sign-in: it never sets or clears
// cookies, whatever the reason.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD, type Answer, type ProblemBody } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import type { Browser } from '../support/browser.js'
import { openTestDatabase } from '../support/database.js'
import { operationsOf } from '../support/operations.js'
import { Problem } from '../../src/platform/problem.js'
import type { TokenReply } from '../../src/wire/token-reply.js'

const rt = 'sallyport_rt'

interface SignedIn {
  instance: TestApp
  page: Browser
  sid: string
  userId: string
  email: string
  /** The first refresh token of the page. */
  token: string
}

type Refresh = (call?: Parameters<Browser['call']>[1]) => Promise<Answer<ProblemBody>>

/** Each causes the refusal of the next refresh, and describes that request if it is not the usual one. */
const refusals: Record<string, (signedIn: SignedIn, refresh: Refresh) => Promise<Answer<ProblemBody>>> = {
  refresh_token_missing: ({ page }, refresh) => {
    page.cookies.clear()
    return refresh()
  },
  refresh_token_invalid: (_signedIn, refresh) => refresh({ cookies: { [rt]: 'spr_forged' } }),
  'refresh_token_invalid: another mode': async ({ instance }, refresh) => {
    const { refreshToken } = await instance.api.signUp({ mode: 'json' })
    return refresh({ cookies: { [rt]: refreshToken } })
  },
  refresh_token_reused: async ({ instance, token }, refresh) => {
    await refresh()
    instance.clock.advance({ minutes: 1 })
    return refresh({ cookies: { [rt]: token } })
  },
  refresh_superseded: async ({ token }, refresh) => {
    await refresh({ headers: { 'idempotency-key': randomUUID() } })
    return refresh({ cookies: { [rt]: token }, headers: { 'idempotency-key': randomUUID() } })
  },
  ambiguous_credentials: async ({ instance, page }, refresh) => {
    const { refreshToken } = await instance.api.signUp({ mode: 'json' })
    return refresh({ headers: { cookie: `${rt}=${page.cookies.get(rt) ?? ''}; ${rt}=${refreshToken}` } })
  },
  cross_site_request: (_signedIn, refresh) => refresh({ headers: { origin: 'https://evil.example' } }),
  validation_failed: (_signedIn, refresh) => refresh({ headers: { 'idempotency-key': 'short' } }),
  'validation_failed: unknown member': (_signedIn, refresh) => refresh({ body: { mode: 'json' } }),
  invalid_request: (_signedIn, refresh) => refresh({ body: { refresh_token: { a: { b: nested(12) } } } }),
  payload_too_large: (_signedIn, refresh) => refresh({ body: { refresh_token: 'x'.repeat(17_000) } }),
  unsupported_media_type: (_signedIn, refresh) => refresh({ body: {}, headers: { 'content-type': 'text/plain' } }),
  database_unavailable: async ({ instance, page }) => {
    const database = await openTestDatabase()
    const fail = () => Promise.reject(new Problem('database_unavailable'))
    const failing = { ...database }
    const { api, config } = await startApp(t, { join: true, database: failing, clock: instance.clock })
    Object.assign(failing, { query: fail, transaction: fail })
    return api.call('/v1/auth/refresh', {
      method: 'POST',
      cookies: Object.fromEntries(page.cookies),
      headers: { origin: config.server.publicUrl },
    })
  },
  rate_limited: async (_signedIn, refresh) => {
    for (let refreshes = 0; refreshes < 120; refreshes += 1) await refresh()
    return refresh()
  },
  address_blocked: async ({ instance }, refresh) => {
    await runCommand(instance.app.operator, 'ip:block', ['--cidr', '127.0.0.1'])
    const answer = await refresh()
    await runCommand(instance.app.operator, 'ip:remove', ['--cidr', '127.0.0.1'])
    return answer
  },
  'session_ended: logout': async ({ page, token }, refresh) => {
    await page.call('/v1/auth/logout', { method: 'POST' })
    return refresh({ cookies: { [rt]: token } })
  },
  'session_ended: logout_all': async ({ instance, email }, refresh) => {
    const elsewhere = await instance.api.login({ email, password: PASSWORD, mode: 'json' })
    await instance.api.call('/v1/auth/logout-all', { method: 'POST', token: elsewhere.body.access_token })
    return refresh()
  },
  'session_ended: revoked_by_user': async ({ instance, email, sid }, refresh) => {
    const elsewhere = await instance.api.login({ email, password: PASSWORD, mode: 'json' })
    await instance.api.call(`/v1/sessions/${sid}`, { method: 'DELETE', token: elsewhere.body.access_token })
    return refresh()
  },
  'session_ended: password_changed': async ({ instance, email }, refresh) => {
    const elsewhere = await instance.api.login({ email, password: PASSWORD, mode: 'json' })
    const body = { current_password: PASSWORD, new_password: 'violet otters juggle paper lanterns' }
    await instance.api.call('/v1/me/password', { method: 'PUT', token: elsewhere.body.access_token, body })
    return refresh()
  },
  'session_ended: deleted': async ({ instance, email }, refresh) => {
    const elsewhere = await instance.api.login({ email, password: PASSWORD, mode: 'json' })
    const { access_token: token } = elsewhere.body
    await instance.api.call('/v1/me', { method: 'DELETE', token, body: { password: PASSWORD } })
    return refresh()
  },
  'session_ended: limit': async ({ instance, email }, refresh) => {
    instance.clock.advance({ seconds: 1 })
    for (let login = 0; login < 3; login += 1) await instance.api.login({ email, password: PASSWORD, mode: 'json' })
    return refresh()
  },
  'session_ended: banned': async ({ instance, userId }, refresh) => {
    await instance.database.query((client) =>
      client.user.update({ where: { id: userId }, data: { bannedAt: instance.clock.now() } }),
    )
    return refresh()
  },
  'session_ended: reuse_detected': async (signedIn, refresh) => {
    const successor = (await refresh()).setCookies[0]?.match(/=([^;]+)/)?.[1] ?? ''
    signedIn.instance.clock.advance({ minutes: 1 })
    await refresh({ cookies: { [rt]: signedIn.token } })
    return refresh({ cookies: { [rt]: successor } })
  },
  'session_ended: idle': ({ instance }, refresh) => {
    instance.clock.advance({ days: 8 })
    return refresh()
  },
  'session_ended: expired': ({ instance }, refresh) => {
    instance.clock.advance({ days: 31 })
    return refresh()
  },
}

t.test('REF-06: no refusal sets or clears a cookie', async (t) => {
  const instance = await startApp(t, { settings: { MAX_SESSIONS_PER_USER: '3' } })
  const seen = new Set<string>()

  for (const mode of ['cookie', 'session'] as const) {
    for (const [name, bringAbout] of Object.entries(refusals)) {
      t.test(`${name}, mode ${mode}`, async (t) => {
        const page = instance.browser()
        const email = `${randomUUID()}@example.com`
        const body = { email, password: PASSWORD, mode }
        const { body: reply } = await page.call<TokenReply>('/v1/auth/register', { method: 'POST', body })
        const token = page.cookies.get(rt) ?? ''
        const signedIn = { instance, page, sid: reply.session.id, userId: reply.user.id, email, token }

        const answer = await bringAbout(signedIn, (call) => page.call('/v1/auth/refresh', { method: 'POST', ...call }))
        const [code, reason] = name.split(': ')
        t.equal(answer.body.code, code)
        if (code === 'session_ended') t.equal(answer.body.reason, reason)
        t.strictSame(answer.setCookies, [])
        seen.add(answer.body.code)
      })
    }
  }

  t.test('these are all documented refusals', async (t) => {
    const refresh = operationsOf(instance.app.server).find(({ id }) => id === 'refresh')
    // A request that is too slow is refused before the handler responds.
    t.strictSame(
      refresh?.problems.filter((code) => !seen.has(code)),
      ['overloaded'],
    )
  })
})

function nested(levels: number): unknown {
  return levels === 0 ? 'x' : { a: nested(levels - 1) }
}
