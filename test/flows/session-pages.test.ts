import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import type { PresentedSession } from '../../src/wire/session.js'
import { startApp, type TestApp } from '../support/app.js'
import { uuidv7 } from '../../src/platform/uuid.js'

interface Page {
  sessions: PresentedSession[]
  next_cursor: string | null
}

/** Copies a user's one session, so that there are so many more, some of one moment; every other one has ended. */
function addSessions({ database }: TestApp, sessionId: string, count: number) {
  return database.query(async (client) => {
    const family = await client.refreshTokenFamily.findUniqueOrThrow({ where: { id: sessionId } })
    const copies = Array.from({ length: count }, (_, index) => ({
      ...family,
      id: uuidv7(),
      handleHash: Buffer.from(`family ${index}`),
      lastUsedAt: new Date(family.lastUsedAt.getTime() - 1000 * Math.floor(index / 10)),
      ...(index % 2 === 0 && { endedAt: family.createdAt, endReason: 'logout' as const }),
    }))
    await client.refreshTokenFamily.createMany({ data: copies })
  })
}

t.test('ABU-08: sessions are listed in pages of at most 100, each once and in order', async (t) => {
  const app = await startApp(t, { settings: { MAX_SESSIONS_PER_USER: '1000' } })
  const { email, accessToken: token, sessionId } = await app.api.signUp()
  await addSessions(app, sessionId, 502)
  const readAll = async (query: string) => {
    const pages: PresentedSession[][] = []
    let cursor: string | null = null
    do {
      const path: string = `/v1/sessions?${query}${cursor === null ? '' : `&cursor=${cursor}`}`
      const { body } = await app.api.call<Page>(path, { token })
      pages.push(body.sessions)
      cursor = body.next_cursor
    } while (cursor !== null)
    return pages
  }

  const ended = await readAll('ended=true')
  t.strictSame(
    ended.map(({ length }) => length),
    [100, 100, 51],
  )
  t.ok(ended.flat().every(({ reason }) => reason === 'logout'))
  const live = await readAll('ended=false')
  t.strictSame(
    live.map(({ length }) => length),
    [100, 100, 52],
  )
  t.ok(live.flat().every(({ ended_at }) => ended_at === undefined))
  for (const list of [ended.flat(), live.flat()]) {
    t.equal(new Set(list.map(({ id }) => id)).size, list.length)
    const times = list.map(({ last_used_at }) => last_used_at)
    t.strictSame(times, times.toSorted().toReversed())
  }
  t.equal((await runCommand(app.app.operator, 'user:sessions', ['--email', email, '--ended'])).length, 251)
})

t.test('a last page that is full has no next one', async (t) => {
  const app = await startApp(t)
  const { accessToken: token, sessionId } = await app.api.signUp()
  await addSessions(app, sessionId, 200)
  const { body } = await app.api.call<Page>('/v1/sessions?ended=true', { token })
  t.equal(body.sessions.length, 100)
  t.equal(body.next_cursor, null)
})

t.test('a session that was not used for too long is among those that ended, on whichever page', async (t) => {
  const app = await startApp(t, { settings: { SESSION_IDLE_TTL_JSON: '3600' } })
  const { email, password } = await app.api.signUp()
  app.clock.advance({ hours: 2 })
  const login = await app.api.login({ email, password, mode: 'json' })
  const list = (query: string) => app.api.call<Page>(`/v1/sessions${query}`, { token: login.body.access_token })
  t.match((await list('?ended=true')).body, { sessions: [{ reason: 'idle' }], next_cursor: null })
  t.match((await list('')).body, { sessions: [{ current: true }], next_cursor: null })
})

t.test('a cursor that no page has given out is refused', async (t) => {
  const app = await startApp(t)
  const { accessToken: token, sessionId } = await app.api.signUp()
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const wrong = [
    '',
    'x',
    encode(`1 ${sessionId}x`),
    encode(`99999999999999 ${sessionId}`),
    encode('1 \u0000'),
    encode(sessionId),
  ]
  for (const cursor of wrong) {
    const { status, body } = await app.api.call(`/v1/sessions?cursor=${cursor}`, { token })
    t.equal(status, 422, cursor)
    t.match(body, { code: 'validation_failed', errors: [{ path: '/cursor' }] })
  }
  t.equal((await app.api.call(`/v1/sessions?cursor=${encode(`1 ${sessionId}`)}`, { token })).status, 200)
})
