// The tokens of first-party clients and those of OAuth clients at the door of the other: refused, and nothing ends or rotates.

import fc from 'fast-check'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { createSignedInCheck } from '../../src/features/access/access.js'
import type { SessionCookies } from '../../src/features/browser/browser.js'
import type { RefreshToken } from '../../src/features/families/families.js'
import { Problem } from '../../src/platform/problem.js'
import { PASSWORD, type SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'
import { caller, CLIENT, createClientCalls } from '../support/client-families.js'
import { createVerifier } from '../../src/sdk/verifier/verifier.js'
import { connectTo } from '../support/client.js'
import { operationsOf, pathOf } from '../support/operations.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

const { app, api, browser, clock, config, database } = await startApp(t, { settings: { RATE_LIMIT: 'off' } })
const { families } = app.operator
const clients = createClientCalls({ app, clock })

const read = (text: string): RefreshToken => {
  const token = families.parse(text)
  if (token === null) throw new Error('This is no refresh token.')
  return token
}

/** A token of whatever generation, of the family of a client and of each first-party mode. */
async function openFamilies(user: SignedUp) {
  const opened = await clients.open(user, { scope: 'openid offline_access' })
  const rotated = await clients.refresh(opened.refreshToken)
  if (!('tokens' in rotated)) throw new Error(rotated.code)
  const page = browser()
  await page.call('/v1/auth/login', {
    method: 'POST',
    body: { email: user.email, password: PASSWORD, mode: 'session' },
  })
  const { body } = await api.refresh(user.refreshToken)
  clock.advance({ minutes: 1 })
  return {
    client: [opened.refreshToken, rotated.tokens.refreshToken],
    firstParty: [user.refreshToken, body.refresh_token ?? '', page.cookies.get('sallyport_rt') ?? ''],
    accessToken: body.access_token,
    cookies: page.cookies,
  }
}

type Opened = Awaited<ReturnType<typeof openFamilies>>

const headersOf = (key: string | null) => (key === null ? {} : { headers: { 'idempotency-key': key } })

/** Where first-party tokens are presented. */
const ownDoors: Record<string, (text: string, opened: Opened, key: string | null) => Promise<{ status: number }>> = {
  'refresh in the body': (text, _opened, key) =>
    api.call('/v1/auth/refresh', { method: 'POST', body: { refresh_token: text }, ...headersOf(key) }),
  'refresh in a cookie': (text, _opened, key) =>
    api.call('/v1/auth/refresh', {
      method: 'POST',
      cookies: { sallyport_rt: text },
      headers: { 'sec-fetch-site': 'same-origin', ...headersOf(key).headers },
    }),
  'logout in the body': (text) => api.call('/v1/auth/logout', { method: 'POST', body: { refresh_token: text } }),
  'logout in a cookie': (text) =>
    api.call('/v1/auth/logout', {
      method: 'POST',
      cookies: { sallyport_rt: text },
      headers: { 'sec-fetch-site': 'same-origin' },
    }),
  renewal: (text) => api.call('/v1/whoami', { cookies: { sallyport_rt: text } }),
  'a page': (text) => api.call('/account', { cookies: { sallyport_rt: text } }),
  'beside an access token': (text, { accessToken }) =>
    api.call('/v1/me', { token: accessToken, cookies: { sallyport_rt: text } }),
  'beside an access cookie': (text, { cookies }) =>
    api.call('/v1/me', {
      headers: { cookie: `sallyport_at=${cookies.get('sallyport_at') ?? ''}; sallyport_rt=${text}` },
    }),
  'a login that replaces cookies': (text) =>
    api.call('/v1/auth/login', {
      method: 'POST',
      body: { email: 'nobody@example.com', password: PASSWORD, mode: 'session' },
      cookies: { sallyport_rt: text },
      headers: { 'sec-fetch-site': 'same-origin' },
    }),
}

/** Where the tokens of clients are presented. */
const clientDoors: Record<string, (text: string, key: string | null) => Promise<unknown>> = {
  'refresh as a client': (text, attemptKey) => clients.refresh(text, { attemptKey }),
  'refresh as a first-party client': (text, attemptKey) => clients.refresh(text, { clientId: 'sallyport', attemptKey }),
  'refresh of one that recovers late': (text) => clients.refresh(text, { lostAnswer: 'until_used' }),
  revocation: (text) =>
    families.logout({ refreshTokens: [read(text)], sessionIds: [], clientId: CLIENT }, caller, {
      kind: 'client',
      id: CLIENT,
    }),
}

t.test('in any order, of any generation, with a key and without: no family changes', async (t) => {
  const user = await api.signUp()
  const opened = await openFamilies(user)
  const readAll = () =>
    database.query((client) =>
      client.refreshTokenFamily.findMany({ where: { userId: user.userId }, orderBy: { id: 'asc' } }),
    )
  const before = await readAll()
  t.equal(before.length, 3)
  const key = fc.option(fc.constantFrom('an-attempt-of-the-client', 'another-attempt-of-it'))
  const presentation = fc.oneof(
    fc.record({ door: fc.constantFrom(...Object.keys(ownDoors)), text: fc.constantFrom(...opened.client), key }),
    fc.record({ door: fc.constantFrom(...Object.keys(clientDoors)), text: fc.constantFrom(...opened.firstParty), key }),
  )
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(presentation, { minLength: 1, maxLength: 8 }), async (presentations) => {
      for (const { door, text, key } of presentations) {
        seen.add(door)
        await ownDoors[door]?.(text, opened, key)
        const answer = await clientDoors[door]?.(text, key)
        if (answer !== undefined && !('code' in (answer as object) && !('tokens' in (answer as object))))
          throw new Error(`${door} gave tokens.`)
      }
      t.strictSame(await readAll(), before)
    }),
    { numRuns: 40 },
  )
  t.equal(seen.size, Object.keys(ownDoors).length + Object.keys(clientDoors).length)
  const [, current = ''] = opened.client
  t.ok('tokens' in (await clients.refresh(current)), 'its own door opens')
  t.match(await api.refresh(opened.firstParty[1]), { status: 200 })
})

t.test('what each door answers, and what is audited', async (t) => {
  const user = await api.signUp()
  const opened = await openFamilies(user)
  const [spent = '', current = ''] = opened.client
  const answers: [door: string, text: string, status: number, code?: string][] = [
    ['refresh in the body', current, 401, 'refresh_token_invalid'],
    ['refresh in the body', spent, 401, 'refresh_token_invalid'],
    ['refresh in a cookie', current, 401, 'refresh_token_invalid'],
    ['logout in the body', current, 204],
    ['logout in a cookie', current, 204],
    ['renewal', current, 401, 'token_missing'],
    ['renewal', spent, 401, 'token_missing'],
    ['a page', current, 303],
    ['beside an access token', current, 200],
    ['beside an access cookie', current, 200],
    ['a login that replaces cookies', current, 401, 'invalid_credentials'],
  ]
  for (const [door, text, status, code] of answers) {
    t.match(await ownDoors[door]?.(text, opened, null), { status, ...(code && { body: { code } }) }, door)
  }
  const { family } = (await families.identify(read(current))) ?? {}
  t.strictSame(await readAuditTrail(database, family?.id ?? ''), Array(3).fill('refresh_wrong_mode'))
})

t.test('a sign-in ends the sessions whose cookies it replaces, and no client’s', async (t) => {
  const user = await api.signUp()
  const { refreshToken, family } = await clients.open(user)
  const answer = await api.call('/v1/auth/login', {
    method: 'POST',
    body: { email: user.email, password: PASSWORD, mode: 'session' },
    cookies: { sallyport_rt: refreshToken },
    headers: { 'sec-fetch-site': 'same-origin' },
  })
  t.match(answer, { status: 200 })
  t.match(await readFamily(database, family.id), { endedAt: null })
})

t.test('a client’s refresh token in a cookie signs no browser in, where a page’s own does', async (t) => {
  const user = await api.signUp()
  const { body } = await api.refresh(user.refreshToken)
  const { refreshToken } = await clients.open(user)
  const findWith = (text: string) => {
    const cookies = { areCarried: () => true, readRefreshTokens: () => [text] } as Partial<SessionCookies>
    const authenticate = () => Promise.reject(new Problem('token_missing'))
    const find = createSignedInCheck({ authenticate, families, cookies: cookies as SessionCookies })
    return find({ headers: {} } as FastifyRequest, {} as FastifyReply)
  }
  t.equal(await findWith(refreshToken), null)
  t.equal(await findWith(body.refresh_token ?? ''), user.userId)
})

t.test('a password change with a client’s refresh token changes the password, and rotates nothing', async (t) => {
  const user = await api.signUp()
  const { refreshToken, family } = await clients.open(user)
  const answer = await api.call('/v1/me/password', {
    method: 'PUT',
    token: user.accessToken,
    body: { current_password: PASSWORD, new_password: 'seven lanterns drift', refresh_token: refreshToken },
  })
  t.match(answer, { status: 204 })
  t.match(await readFamily(database, family.id), { generation: 0, endReason: 'password_changed' })
})

t.test('the access token of a client opens no route of ours, though its audience fits', async (t) => {
  const user = await api.signUp()
  const opened = await clients.open(user)
  const { token } = opened.issueAccessToken({ clientEpoch: 1 })
  const guarded = operationsOf(app.server).filter(({ security }) =>
    security.every((ways) => ways.includes('accessToken') || ways.includes('accessCookie')),
  )
  t.ok(guarded.length >= 20, 'the routes are found')
  for (const operation of guarded) {
    const { method, body, id } = operation
    const answer = await api.call(pathOf(operation), { method, token, body: body?.example })
    t.match(answer, { status: 403, body: { code: 'forbidden' } }, id)
  }
  t.match(await api.call('/v1/auth/logout', { method: 'POST', token }), { status: 204 })
  for (const id of [opened.family.id, user.sessionId]) t.match(await readFamily(database, id), { endedAt: null })
  const planted = await api.call('/v1/whoami', { cookies: { sallyport_at: token } })
  t.match(planted, { status: 403, body: { code: 'forbidden' } })
})

t.test('a service takes a client’s token from the header, and none from a cookie, where it was planted', async (t) => {
  const user = await api.signUp()
  const { token } = (await clients.open(user)).issueAccessToken({ clientEpoch: 1 })
  const { issuer, audience } = config.tokens
  const { port } = await connectTo(t, app.server)
  const verifier = createVerifier({ issuer, audience, url: `http://127.0.0.1:${port}`, clock, cookies: true })
  t.teardown(() => verifier.close())
  const authenticate = (headers: Record<string, string>) => verifier.authenticate({ method: 'GET', headers })
  t.match(await authenticate({ authorization: `Bearer ${token}` }), { claims: { client_id: CLIENT } })
  await t.rejects(authenticate({ cookie: `sallyport_at=${token}` }), { code: 'token_invalid' })
})
