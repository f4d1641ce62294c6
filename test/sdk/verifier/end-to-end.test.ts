// The verifier with the real server: everything that ends a token there takes effect here.

import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { createVerifierCredential } from '../../../src/features/clients/clients.js'
import { createVerifier, type Verifier, type VerifierOptions } from '../../../src/sdk/verifier/verifier.js'
import type { SignedUp } from '../../support/api.js'
import { startApp, type Test, type TestApp } from '../../support/app.js'
import { connectTo } from '../../support/client.js'
import { createTestClock } from '../../support/clock.js'
import { keepCollectingGarbage } from '../../support/collect-garbage.js'
import { startTcpProxy } from '../../support/tcp-proxy.js'
import { until } from '../../support/until.js'
import { becomes, codeOf } from '../../support/verifier.js'

const { credential, sha256 } = createVerifierCredential()

async function start(t: Test) {
  const app = await startApp(t, { settings: { VERIFIER_KEYS: `orders:${sha256}` } })
  t.teardown(app.app.revocations.follow())
  const { port } = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, app.app.server)
  const server = `http://127.0.0.1:${port}`
  const create = (options: Partial<VerifierOptions> = {}): Verifier => {
    const { issuer, audience } = app.config.tokens
    const settings = { issuer, audience, credential, url: server, clock: app.clock, onError: () => undefined }
    const verifier = createVerifier({ ...settings, ...options })
    t.teardown(async () => verifier.close())
    return verifier
  }
  return { ...app, server, create }
}

const isFor = (input: Parameters<typeof fetch>[0], path: string) => typeof input === 'string' && input.includes(path)

/** As behind a proxy that does not support streams. */
const withoutStreams: typeof fetch = (input, init) =>
  isFor(input, '/stream') ? Promise.reject(new Error('No streams here.')) : fetch(input, init)

const logOut = ({ api }: TestApp, { accessToken: token }: SignedUp) =>
  api.call('/v1/auth/logout', { method: 'POST', token })

function changePassword({ api }: TestApp, { password, accessToken: token }: SignedUp) {
  const body = { current_password: password, new_password: 'seven other hills under a lantern' }
  return api.call('/v1/me/password', { method: 'PUT', token, body })
}

const carriers: [string, Partial<VerifierOptions>][] = [
  ['the stream', {}],
  ['polling', { fetch: withoutStreams }],
]
for (const [carrier, options] of carriers) {
  t.test(`REF-12: revoked tokens are refused by other services, by ${carrier}`, async (t) => {
    const app = await start(t)
    const verifier = app.create({ ...options, onStale: 'deny' })
    await verifier.ready()
    const [ada, bob, eve] = [await app.api.signUp(), await app.api.signUp(), await app.api.signUp()]
    for (const { accessToken, userId } of [ada, bob, eve]) {
      t.match(await verifier.verify(accessToken), { sub: userId })
    }
    t.equal((await logOut(app, ada)).status, 204)
    await becomes(verifier, ada.accessToken, 'session_ended')
    t.equal((await changePassword(app, bob)).status, 204)
    await becomes(verifier, bob.accessToken, 'token_stale')
    const { body } = await app.api.refresh(bob.refreshToken)
    t.equal(await codeOf(verifier, body.access_token ?? ''), null, 'a refresh resolves it')
    t.equal(await codeOf(verifier, eve.accessToken), null, 'no other user is refused')
  })

  t.test(`KEY-04: a withdrawn key is refused by other services, by ${carrier}, and its successor is not`, async (t) => {
    const app = await start(t)
    const verifier = app.create({ ...options, onStale: 'deny' })
    await verifier.ready()
    const ada = await app.api.signUp()
    t.equal(await codeOf(verifier, ada.accessToken), null)
    const { kid = '' } = decodeProtectedHeader(ada.accessToken)
    t.strictSame(await app.app.revocations.withdrawKeys({ kid }), [kid])
    await becomes(verifier, ada.accessToken, 'token_stale')
    const { status, body } = await app.api.refresh(ada.refreshToken)
    t.equal(status, 200, 'no user is logged out')
    await becomes(verifier, body.access_token ?? '', null)
  })
}

t.test('live: the server is queried by introspection', async (t) => {
  const app = await start(t)
  let isFeedLost = false
  const verifier = app.create({
    onStale: 'allow',
    fetch: (input, init) =>
      isFeedLost && isFor(input, '/v1/revocations') ? Promise.reject(new Error('Lost.')) : withoutStreams(input, init),
  })
  await verifier.ready()
  const ada = await app.api.signUp()
  t.equal(await codeOf(verifier, ada.accessToken, { freshness: 'live' }), null)
  isFeedLost = true
  await logOut(app, ada)
  app.clock.advance({ seconds: 6 })
  t.equal(await codeOf(verifier, ada.accessToken), null, 'the feed does not contain it')
  t.equal(await codeOf(verifier, ada.accessToken, { freshness: 'live' }), 'token_stale')
})

t.test('without the server it reports that it is stale, and afterwards it has missed nothing', async (t) => {
  const app = await start(t)
  const proxy = await startTcpProxy(app.server)
  t.teardown(() => proxy.stop())
  const verifier = app.create({ url: proxy.url })
  await verifier.ready()
  const users = await Promise.all(Array.from({ length: 10 }, () => app.api.signUp()))
  for (const { accessToken } of users) t.equal(await codeOf(verifier, accessToken), null)

  await proxy.stop()
  const [kept, ...ended] = users
  for (const user of ended) await logOut(app, user)
  app.clock.advance({ seconds: 6 })
  for (const { accessToken } of users) {
    t.equal(await codeOf(verifier, accessToken, { onStale: 'deny' }), 'revocation_stale')
    t.equal(await codeOf(verifier, accessToken, { onStale: 'allow' }), null)
    t.equal(await codeOf(verifier, accessToken, { freshness: 'live' }), 'revocation_stale')
  }
  t.equal(verifier.passedUnconfirmed, users.length)

  await app.app.revocations.poll()
  await proxy.start()
  await until(async () => verifier.ageMs < 5_000)
  for (const { accessToken } of ended) t.equal(await codeOf(verifier, accessToken), 'session_ended')
  t.equal(await codeOf(verifier, kept?.accessToken ?? '', { onStale: 'deny' }), null)
})

t.test('a stalled stream is given up, and polling continues', async (t) => {
  const app = await start(t)
  const proxy = await startTcpProxy(app.server)
  t.teardown(() => proxy.stop())
  // After this the `fetch` of Node 20 and 22 ignores its signal.
  t.teardown(keepCollectingGarbage())
  const verifier = app.create({ url: proxy.url })
  await verifier.ready()
  const ada = await app.api.signUp()
  t.equal(await codeOf(verifier, ada.accessToken), null)
  proxy.freeze()
  proxy.passNewConnections()
  await logOut(app, ada)
  await becomes(verifier, ada.accessToken, 'session_ended')
})

t.test('OPS-08: a service whose clock is 30 s off accepts valid tokens and refuses others', async (t) => {
  for (const seconds of [30, -30]) {
    const app = await start(t)
    const clock = createTestClock({ runs: true })
    clock.drift({ seconds })
    const verifier = app.create({ clock, onStale: 'deny' })
    await verifier.ready()
    const ada = await app.api.signUp()
    t.equal(await codeOf(verifier, ada.accessToken), null, `${seconds} s`)
    await logOut(app, ada)
    await becomes(verifier, ada.accessToken, 'session_ended')
  }
})

t.test('a session that a service renews keeps the address and the agent of its browser', async (t) => {
  const app = await start(t)
  const page = app.browser()
  const { email, password, accessToken: token } = await app.api.signUp()
  const body = { email, password, mode: 'session' }
  const headers = { 'user-agent': 'Browser/1.0' }
  await page.call('/v1/auth/login', { method: 'POST', body, headers, from: '203.0.113.7' })
  const cookie = `sallyport_rt=${page.cookies.get('sallyport_rt') ?? ''}`
  const readSession = async () => {
    const { body } = await app.api.call<{ sessions: Record<string, string>[] }>('/v1/sessions', { token })
    return body.sessions.find(({ mode }) => mode === 'session')
  }
  app.clock.advance({ minutes: 1 })
  const before = await readSession()
  const { claims } = await app.create({ cookies: true }).authenticate({ method: 'GET', headers: { cookie } })
  t.equal(claims.sid, before?.id)
  const after = await readSession()
  t.match(after, { user_agent: 'Browser/1.0', ip: '203.0.113.7' })
  t.ok((after?.last_used_at ?? '') > (before?.last_used_at ?? ''), 'its use is noted')

  const stolen = { cookies: { sallyport_rt: page.cookies.get('sallyport_rt') ?? '' }, from: '198.51.100.9' }
  const pretending = { 'user-agent': 'Thief/1.0', 'x-sallyport-verifier': `${credential}x` }
  t.match(await app.api.call('/v1/whoami', { ...stolen, headers: pretending }), { status: 200 })
  t.match(await readSession(), { user_agent: 'Thief/1.0', ip: '198.51.100.9' }, 'nobody else hides behind that')
})
