// The events that a signed-in page receives about its own session.

import t from 'tap'
import type { SignedUp } from '../support/api.js'
import { startApp, type Test } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { openFeed, type OpenFeed } from '../support/feed-reader.js'
import { until } from '../support/until.js'

async function startConnected(t: Test & Parameters<typeof openFeed>[0]) {
  const started = await startApp(t)
  const { port } = await connectTo(t, started.app.server)
  const follow = (headers: Record<string, string>) => openFeed(t, port, '/v1/events', headers)
  const followAs = ({ accessToken }: { accessToken: string }) => follow({ authorization: `Bearer ${accessToken}` })
  const another = async ({ email, password }: SignedUp) => {
    const { body } = await started.api.login({ email, password, mode: 'json' })
    return { accessToken: body.access_token ?? '', sessionId: body.session.id }
  }
  return { ...started, follow, followAs, another }
}

const hears = (stream: OpenFeed, name: string) => stream.next(({ event }) => event === name)
const hasEnded = (stream: OpenFeed) => until(() => Promise.resolve(stream.ended()))

t.test('REF-12: the end of a session is sent to that session only, with its reason', async (t) => {
  const { api, followAs, another } = await startConnected(t)
  const user = await api.signUp()
  const [other, stranger] = [await another(user), await api.signUp()]
  const [mine, theirs, strangers] = [await followAs(user), await followAs(other), await followAs(stranger)]
  t.match(mine, { status: 200, headers: { 'content-type': /^text\/event-stream/, 'cache-control': 'no-store' } })

  await api.call(`/v1/sessions/${other.sessionId}`, { method: 'DELETE', token: user.accessToken })
  const ended = await hears(theirs, 'session.ended')
  t.strictSame(ended.data, { session_id: other.sessionId, reason: 'revoked_by_user' })
  await hasEnded(theirs)

  await api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken })
  t.match(await hears(mine, 'session.ended'), { data: { reason: 'logout' } })
  await hasEnded(mine)
  t.strictSame(strangers.events, [])
  t.notOk(strangers.ended())
})

t.test('changed claims are sent to the sessions that continue', async (t) => {
  const { api, followAs, another } = await startConnected(t)
  const user = await api.signUp()
  const other = await another(user)
  const [mine, theirs] = [await followAs(user), await followAs(other)]
  const { password: current_password, accessToken: token } = user
  const body = { current_password, new_password: 'seven other hills under a lantern' }
  t.match(await api.call('/v1/me/password', { method: 'PUT', token, body }), { status: 204 })

  await hears(mine, 'claims.changed')
  t.match(await hears(theirs, 'session.ended'), { data: { reason: 'password_changed' } })
  t.notOk(mine.ended(), 'the stream continues')
})

t.test('a stream ends with the access token that opened it', async (t) => {
  const { api, clock, followAs } = await startConnected(t)
  const user = await api.signUp()
  const stream = await followAs(user)
  clock.advance({ minutes: 10 })
  await hasEnded(stream)
  t.match(await api.refresh(user.refreshToken), { status: 200 }, 'the session continues')
})

t.test('mode session: the cookies open a stream, and a missing access cookie is renewed', async (t) => {
  const { api, follow } = await startConnected(t)
  const { answer } = await api.signUp({ mode: 'session' })
  const refreshCookie = answer.setCookies.find((line) => line.startsWith('sallyport_rt='))?.split(';', 1)[0] ?? ''
  const stream = await follow({ cookie: refreshCookie })
  t.match(stream, { status: 200, headers: { 'set-cookie': [/^sallyport_at=/] } })
})

t.test('a user has ten streams at most, and other users are not affected', async (t) => {
  const { api, followAs } = await startConnected(t)
  const [user, stranger] = [await api.signUp(), await api.signUp()]
  const streams = await Promise.all(Array.from({ length: 10 }, () => followAs(user)))
  t.strictSame(
    streams.map(({ status }) => status),
    streams.map(() => 200),
  )
  t.match(await followAs(user), { status: 429, headers: { 'retry-after': '10' } })
  t.match(await followAs(stranger), { status: 200 })

  streams[0]?.close()
  await until(async () => (await followAs(user)).status === 200)
})

t.test('TOK-01: without a valid access token there is no stream', async (t) => {
  const { api, follow, followAs } = await startConnected(t)
  const { accessToken } = await api.signUp()
  await api.call('/v1/auth/logout', { method: 'POST', token: accessToken })
  t.equal((await followAs({ accessToken })).status, 401)
  t.equal((await follow({})).status, 401)
})
