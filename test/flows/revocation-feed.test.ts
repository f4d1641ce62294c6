// The revocation feed for other verifiers, as documented in docs/revocation.md.

import t from 'tap'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { startApp, type StartOptions, type Test } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { openFeed, type FeedEvent } from '../support/feed-reader.js'
import { until } from '../support/until.js'

const { credential, sha256 } = createVerifierCredential()
const authorization = `Bearer ${credential}`

interface FeedList {
  cursor: string
  age_ms: number
  entries: { kind: string; sid?: string; sub?: string; epoch?: number; expires_at: number }[]
}

async function startWithFeed(t: Test & Parameters<typeof openFeed>[0], options: StartOptions = {}) {
  const started = await startApp(t, {
    ...options,
    settings: { VERIFIER_KEYS: `orders:${sha256}`, ...options.settings },
  })
  const { port } = await connectTo(t, started.app.server)
  const list = (query = '') => started.api.call<FeedList>(`/v1/revocations${query}`, { headers: { authorization } })
  const follow = (headers: Record<string, string> = {}) =>
    openFeed(t, port, '/v1/revocations/stream', { authorization, ...headers })
  const logOut = (token: string) => started.api.call('/v1/auth/logout', { method: 'POST', token })
  return { ...started, list, follow, logOut }
}

const isBeat = ({ event }: FeedEvent) => event === 'beat'
const names = (sid: string) => (event: FeedEvent) => event.data.entries?.some((entry) => entry.sid === sid) ?? false

t.test('REF-12: an ended session and raised epochs are in the list and in the stream', async (t) => {
  const { api, list, follow, logOut } = await startWithFeed(t)
  const [ada, bob] = [await api.signUp(), await api.signUp()]
  await logOut(ada.accessToken)

  const feed = await follow()
  t.match(feed, {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
  })
  await feed.next(isBeat)
  t.match(feed.events, [
    { event: 'entries', data: { entries: [{ kind: 'session', sid: ada.sessionId }] } },
    { event: 'beat', data: { age_ms: Number } },
  ])

  const { password: current_password, accessToken: token } = bob
  const body = { current_password, new_password: 'seven other hills under a lantern' }
  t.match(await api.call('/v1/me/password', { method: 'PUT', token, body }), { status: 204 })
  const news = await feed.next(({ data }) => data.entries?.some(({ sub }) => sub === bob.userId) ?? false)
  t.strictSame(news.data.entries?.length, 1, 'only new entries')

  t.match((await list()).body, {
    cursor: news.id,
    entries: [
      { kind: 'session', sid: ada.sessionId, expires_at: Number },
      { kind: 'user', sub: bob.userId, epoch: Number, expires_at: Number },
    ],
  })
})

t.test('a cursor returns only later entries, and an unknown one returns all', async (t) => {
  const { api, list, follow, logOut } = await startWithFeed(t)
  const [first, second] = [await api.signUp(), await api.signUp()]
  await logOut(first.accessToken)
  const { body: before } = await list()
  const { body: unchanged } = await list(`?cursor=${before.cursor}`)
  t.strictSame({ ...unchanged, age_ms: 0 }, { cursor: before.cursor, age_ms: 0, entries: [], clients: [] })
  await logOut(second.accessToken)

  const { body: after } = await list(`?cursor=${before.cursor}`)
  t.match(after.entries, [{ sid: second.sessionId }])
  t.equal(after.entries.length, 1)
  for (const cursor of ['', 'nonsense', 'other.1', `${before.cursor}0000`, before.cursor.replace('.', '')]) {
    t.equal((await list(`?cursor=${cursor}`)).body.entries.length, 2, cursor)
  }

  const resumed = await follow({ 'last-event-id': before.cursor })
  await resumed.next(isBeat)
  t.notOk(resumed.events.some(names(first.sessionId)))
  t.ok(resumed.events.some(names(second.sessionId)))
})

t.test('a disconnected verifier misses nothing', async (t) => {
  const { api, follow, logOut } = await startWithFeed(t)
  const before = await follow()
  const { id = '' } = await before.next(isBeat)
  before.close()
  const ended = await Promise.all([api.signUp(), api.signUp(), api.signUp()])
  await Promise.all(ended.map(({ accessToken }) => logOut(accessToken)))

  const after = await follow({ 'last-event-id': id })
  await after.next(isBeat)
  for (const { sessionId } of ended) t.ok(after.events.some(names(sessionId)))
})

t.test('ten thousand entries arrive in batches, and only the last has an id', async (t) => {
  const { database, app, follow } = await startWithFeed(t)
  await database.query(
    (client) => client.$executeRaw`
      INSERT INTO revocation (id, kind, subject, created_at, expires_at)
      SELECT gen_random_uuid(), 'session', gen_random_uuid()::text, now(), now() + interval '1 hour'
      FROM generate_series(1, 10000)`,
  )
  await app.revocations.poll()
  const feed = await follow()
  await feed.next(isBeat)
  const batches = feed.events.filter(({ event }) => event === 'entries')
  t.equal(batches.flatMap(({ data }) => data.entries).length, 10_000)
  t.ok(batches.length > 1)
  t.strictSame(
    batches.map(({ id }) => id !== undefined),
    [...batches.slice(1).map(() => false), true],
  )
})

t.test('a stale instance closes its streams', async (t) => {
  const { app, clock, list, follow } = await startWithFeed(t)
  const feed = await follow()
  await feed.next(isBeat)
  clock.advance({ seconds: 3 })
  const late = await feed.next(({ data }) => (data.age_ms ?? 0) >= 3000)
  t.ok(isBeat(late), 'a beat contains the time since the last confirmation')

  clock.advance({ seconds: 3 })
  await until(() => Promise.resolve(feed.ended()))
  t.match(await list(), { status: 503, headers: { 'retry-after': '1' }, body: { code: 'revocation_stale' } })
  t.match(await follow(), { status: 503 })

  await app.revocations.poll()
  t.match(await list(), { status: 200 })
  t.match(await follow(), { status: 200 })
})

t.test('shutdown closes the streams first', async (t) => {
  const { app, follow } = await startWithFeed(t)
  const feed = await follow()
  await feed.next(isBeat)
  await app.server.close()
  await until(() => Promise.resolve(feed.ended()))
})

t.test('only listed verifiers are admitted, by bearer credential or by HTTP Basic', async (t) => {
  const { api } = await startWithFeed(t)
  const { accessToken, refreshToken } = await api.signUp()
  const basic = (name: string, secret: string) => `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`
  const ask = (value?: string) =>
    api.call('/v1/revocations', { headers: value === undefined ? {} : { authorization: value } })
  t.match(await ask(authorization), { status: 200 })
  t.match(await ask(basic('orders', credential)), { status: 200 })
  const refused = [
    undefined,
    '',
    'Bearer',
    `Bearer ${credential}x`,
    `Bearer ${credential.slice(0, -1)}`,
    `Bearer ${sha256}`,
    `Bearer orders:${sha256}`,
    `Bearer ${accessToken}`,
    `Bearer ${refreshToken}`,
    `Token ${credential}`,
    basic('billing', credential),
    basic('orders', sha256),
    basic('orders', ''),
    basic('', ''),
  ]
  for (const value of refused) {
    t.match(
      await ask(value),
      { status: 401, headers: { 'www-authenticate': /Bearer/ }, body: { code: 'invalid_client' } },
      value ?? 'none',
    )
  }
  t.match(await api.call(`/v1/whoami`, { headers: { authorization } }), { status: 401 }, 'it is accepted nowhere else')
})
