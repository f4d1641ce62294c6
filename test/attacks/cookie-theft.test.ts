// Protection of cookies from scripts, other hosts, other sites, and the next user of the browser.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { PASSWORD, type TokenBody } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import type { Mode } from '../../src/wire/mode.js'

interface SetCookie {
  name: string
  value: string
  maxAge: number | null
  /** All attributes but Max-Age and Expires, sorted. */
  attributes: string[]
}

function parseSetCookie(line: string): SetCookie {
  const [pair = '', ...rest] = line.split(/;\s*/)
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(pair) ?? []
  const maxAge = rest.find((attribute) => attribute.startsWith('Max-Age='))
  return {
    name,
    value,
    maxAge: maxAge === undefined ? null : Number(maxAge.slice('Max-Age='.length)),
    attributes: rest.filter((attribute) => !/^(Max-Age|Expires)=/.test(attribute)).sort(),
  }
}

/**
 * A slow machine may take some seconds between a sign-in and its response, so the remaining lifetime may be smaller,
 * but never larger.
 */
function isAbout(maxAge: number | null | undefined, seconds: number): boolean {
  return typeof maxAge === 'number' && maxAge <= seconds && maxAge > seconds - 30
}

const https = { PUBLIC_URL: 'https://auth.example' }
const day = 24 * 60 * 60

async function register({ browser }: TestApp, body: Record<string, unknown>) {
  const page = browser()
  const answer = await page.call<TokenBody>('/v1/auth/register', {
    method: 'POST',
    body: { email: `${randomUUID()}@example.com`, password: PASSWORD, ...body },
  })
  return { page, answer, cookies: answer.setCookies.map(parseSetCookie) }
}

const schemes = [
  { scheme: 'https', settings: https, prefix: '__Host-Http-', secure: ['Secure'] },
  { scheme: 'http on loopback', settings: {}, prefix: '', secure: [] },
]
const overrides = [
  { override: undefined, sameSite: { cookie: 'Strict', session: 'Lax' }, partitioned: [] },
  { override: 'strict', sameSite: { cookie: 'Strict', session: 'Strict' }, partitioned: [] },
  { override: 'lax', sameSite: { cookie: 'Lax', session: 'Lax' }, partitioned: [] },
  { override: 'none', sameSite: { cookie: 'None', session: 'None' }, partitioned: ['Partitioned'] },
]

for (const { scheme, settings, prefix, secure } of schemes) {
  for (const { override, sameSite, partitioned } of overrides) {
    if (override !== undefined && scheme !== 'https') continue
    t.test(`WEB-01, WEB-02: the cookies over ${scheme}, COOKIE_SAMESITE ${override ?? 'unset'}`, async (t) => {
      const instance = await startApp(t, { settings: { ...settings, ...(override && { COOKIE_SAMESITE: override }) } })
      const names = { rt: `${prefix}sallyport_rt`, at: `${prefix}sallyport_at` }

      for (const mode of ['cookie', 'session'] as const) {
        const of = (site: string) => [...partitioned, ...secure, 'HttpOnly', 'Path=/', `SameSite=${site}`].sort()
        const attributes = of(sameSite[mode])
        const expected = [
          { name: names.rt, value: /^spr_/, attributes },
          ...(mode === 'session' ? [{ name: names.at, value: /^eyJ/, attributes }] : []),
        ]
        // It is read only by sign-ins, so it never needs to be sent from another site unless all cookies do.
        const forDevice = of(override === undefined ? 'Strict' : sameSite[mode])
        const device = { name: `${prefix}sallyport_device`, value: /^spd_/, attributes: forDevice }
        // The browser holds the confirmation of its address, which a link in a mail leads to.
        const flow = { name: `${prefix}sallyport_flow`, value: /^spf_/, attributes: forDevice }
        const { page, answer, cookies: all } = await register(instance, { mode })
        const cookies = all.filter(({ name }) => name !== flow.name)
        t.match(
          all.filter(({ name }) => name === flow.name),
          [flow],
        )
        t.equal(all.length, cookies.length + 1)
        t.equal(answer.status, 201)
        t.match(cookies, [...expected, device], `${mode}: register`)
        t.equal(cookies.length, expected.length + 1)
        t.ok(isAbout(cookies.at(-1)?.maxAge, 365 * day))
        t.strictSame(cookies[0]?.attributes, attributes, 'no Domain, and nothing else')
        t.ok(isAbout(cookies[0]?.maxAge, 30 * day))
        const refreshed = await page.call('/v1/auth/refresh', { method: 'POST' })
        t.match(refreshed.setCookies.map(parseSetCookie), expected, `${mode}: refresh`)

        // A browser deletes a cookie only with the same name, path and partition.
        const cleared = (await page.call('/v1/auth/logout', { method: 'POST' })).setCookies.map(parseSetCookie)
        t.strictSame(cleared.map(({ name }) => name).sort(), Object.values(names).sort(), `${mode}: logout`)
        for (const cookie of cleared) {
          t.match(cookie, { value: '', maxAge: 0 })
          t.ok([...partitioned, ...secure, 'HttpOnly', 'Path=/'].every((name) => cookie.attributes.includes(name)))
        }
        t.strictSame([...page.cookies.keys()].sort(), [device.name, flow.name], 'the device stays known')
      }
    })
  }
}

t.test('WEB-03: the refresh token is transported as the mode specifies, and in no other way', async (t) => {
  const instance = await startApp(t)
  const { api } = instance
  const carriers: Record<Mode, { body: string[]; cookies: string[] }> = {
    cookie: { body: ['access_token'], cookies: ['sallyport_rt'] },
    json: { body: ['access_token', 'refresh_token'], cookies: [] },
    session: { body: [], cookies: ['sallyport_rt', 'sallyport_at'] },
  }
  for (const mode of ['cookie', 'json', 'session'] as const) {
    const email = `${randomUUID()}@example.com`
    const { page, answer } = await register(instance, { email, mode })
    const body = { refresh_token: answer.body.refresh_token }
    const answers = [
      answer,
      await page.call<TokenBody>('/v1/auth/refresh', { method: 'POST', ...(mode === 'json' ? { body } : {}) }),
      await api.login({ email, password: PASSWORD, mode }),
    ]
    for (const { body, setCookies, headers } of answers) {
      const tokens = ['access_token', 'refresh_token'].filter((name) => name in body)
      t.strictSame(tokens, carriers[mode].body, `${mode}: the members of the body`)
      t.strictSame(
        setCookies.map((line) => parseSetCookie(line).name).filter((name) => !/_(device|flow)$/.test(name)),
        carriers[mode].cookies,
      )
      if (mode !== 'json') t.notMatch(JSON.stringify(body), /spr_/)
      if (mode === 'session') t.notMatch(JSON.stringify(body), /eyJ[\w-]+\./)
      t.notMatch(JSON.stringify({ ...headers, 'set-cookie': '' }), /spr_|eyJ[\w-]+\./, 'no other header contains one')
      t.equal(headers['cache-control'], 'no-store')
    }
  }
})

t.test('REF-11: cookies expire with the session, and refreshing does not extend it', async (t) => {
  const instance = await startApp(t, {
    settings: { SESSION_MAX_TTL: String(3 * day), SESSION_IDLE_TTL: String(2 * day) },
  })
  const { clock } = instance
  const { page, cookies } = await register(instance, { mode: 'session' })
  t.ok(isAbout(cookies[0]?.maxAge, 3 * day))
  t.equal(cookies[1]?.maxAge, 600)

  clock.advance({ days: 1 })
  const [rt, at] = (await page.call('/v1/auth/refresh', { method: 'POST' })).setCookies.map(parseSetCookie)
  t.ok(isAbout(rt?.maxAge, 2 * day), `two days are left: ${rt?.maxAge}`)
  t.equal(at?.maxAge, 600)

  clock.advance({ days: 1, hours: 23, minutes: 55 })
  const last = (await page.call('/v1/auth/refresh', { method: 'POST' })).setCookies.map(parseSetCookie)
  for (const { maxAge } of last) t.ok(isAbout(maxAge, 300), `five minutes: ${maxAge}`)
})

t.test('remember false: every response sets session cookies, which end with the browser', async (t) => {
  const instance = await startApp(t)
  const { clock } = instance
  const { page, cookies } = await register(instance, { mode: 'session', remember: false })
  t.match(cookies, [{ maxAge: null }, { maxAge: null }])
  const refreshed = await page.call('/v1/auth/refresh', { method: 'POST' })
  t.match(refreshed.setCookies.map(parseSetCookie), [{ maxAge: null }, { maxAge: null }])
  clock.advance({ minutes: 11 })
  t.match((await page.call('/v1/whoami')).setCookies.map(parseSetCookie), [{ name: 'sallyport_at', maxAge: null }])
  const passwords = { current_password: PASSWORD, new_password: 'violet otters juggle paper lanterns' }
  const changed = await page.call('/v1/me/password', { method: 'PUT', body: passwords })
  t.match(changed.setCookies.map(parseSetCookie), [{ maxAge: null }, { maxAge: null }])
  for (const line of [...refreshed.setCookies, ...changed.setCookies]) t.notMatch(line, /expires/i)
})

t.test('a sign-in from another site gets an error, because the browser would drop its cookies', async (t) => {
  const origin = 'https://app.example'
  const headers = { origin, 'sec-fetch-site': 'cross-site' }
  const body = () => ({ email: `${randomUUID()}@example.com`, password: PASSWORD })

  t.test('while cookies are same-site', async (t) => {
    const { api, database } = await startApp(t, { settings: { ...https, CORS_ORIGINS: origin } })
    const refused = {
      status: 422,
      setCookies: { length: 0 },
      body: { code: 'validation_failed', errors: [{ path: '/mode', code: 'cross_site_cookies' }] },
    }
    for (const mode of [undefined, 'cookie', 'session']) {
      const signIn = { ...body(), ...(mode && { mode }) }
      t.match(await api.register(signIn, { headers }), refused)
      t.match(await api.login(signIn, { headers }), refused)
    }
    t.equal(await database.query((client) => client.user.count()), 0)
    t.match(await api.register({ ...body(), mode: 'json' }, { headers }), { status: 201, setCookies: { length: 0 } })
    t.match(await api.register(body(), { headers: { origin, 'sec-fetch-site': 'same-site' } }), { status: 201 })
  })

  t.test('but not with COOKIE_SAMESITE=none', async (t) => {
    const settings = { ...https, CORS_ORIGINS: origin, COOKIE_SAMESITE: 'none' }
    const { api } = await startApp(t, { settings })
    t.match(await api.register(body(), { headers }), { status: 201, setCookies: [/; Partitioned; SameSite=None$/] })
  })
})
