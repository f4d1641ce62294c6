// A user requests the sessions of another, which must appear not to exist.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Answer, ProblemBody } from '../support/api.js'
import { startApp } from '../support/app.js'
import { readFamily } from '../support/rows.js'

interface Session {
  id: string
  current: boolean
  device_name: string | null
}

const { api, database } = await startApp(t)
const NOT_FOUND = { status: 404, body: { code: 'not_found' } }

/** A response without its request id. */
function comparable({ status, headers, body }: Answer<ProblemBody & { request_id?: string }>) {
  return { status, body: { ...body, request_id: '' }, headers: Object.keys(headers).sort() }
}

t.test(
  'HTTP-14, REF-15: the response for another user’s session is the same as for one that never existed',
  async (t) => {
    const [ada, eve] = [await api.signUp(), await api.signUp()]
    const missing = randomUUID()
    const attempts = [{ method: 'DELETE' as const }, { method: 'PATCH' as const, body: { device_name: 'Mine now' } }]
    for (const attempt of attempts) {
      const another = await api.call<ProblemBody>(`/v1/sessions/${ada.sessionId}`, {
        ...attempt,
        token: eve.accessToken,
      })
      const none = await api.call<ProblemBody>(`/v1/sessions/${missing}`, { ...attempt, token: eve.accessToken })
      t.match(another, NOT_FOUND, attempt.method)
      t.strictSame(comparable(another), comparable(none), attempt.method)
    }
    t.match(await readFamily(database, ada.sessionId), { endedAt: null, deviceName: null })
    t.match(await api.whoami(ada.accessToken), { status: 200 })
  },
)

t.test('REF-15: users list and end their own sessions, and no others', async (t) => {
  const [ada, eve] = [await api.signUp(), await api.signUp()]
  const { body: phone } = await api.login({
    email: ada.email,
    password: ada.password,
    mode: 'json',
    device_name: 'Phone',
  })
  const list = async (token: string) =>
    (await api.call<{ sessions: Session[] }>('/v1/sessions', { token })).body.sessions

  t.strictSame(
    (await list(ada.accessToken)).map(({ id, current, device_name }) => ({ id, current, device_name })),
    [
      { id: phone.session.id, current: false, device_name: 'Phone' },
      { id: ada.sessionId, current: true, device_name: null },
    ],
  )
  t.strictSame(
    (await list(eve.accessToken)).map(({ id }) => id),
    [eve.sessionId],
  )

  const renamed = await api.call(`/v1/sessions/${phone.session.id}`, {
    method: 'PATCH',
    token: ada.accessToken,
    body: { device_name: 'Old phone' },
  })
  t.match(renamed, { status: 200, body: { id: phone.session.id, device_name: 'Old phone', current: false } })
  t.equal((await api.call('/v1/sessions', { method: 'DELETE', token: eve.accessToken })).status, 204)
  t.equal((await api.call('/v1/auth/logout-all', { method: 'POST', token: eve.accessToken })).status, 204)
  t.equal((await list(ada.accessToken)).length, 2)

  const end = { method: 'DELETE', token: ada.accessToken } as const
  t.equal((await api.call(`/v1/sessions/${phone.session.id}`, end)).status, 204)
  t.match(await api.whoami(phone.access_token), { status: 401, body: { code: 'session_ended' } })
  t.match(
    await api.call(`/v1/sessions/${phone.session.id}`, end),
    NOT_FOUND,
    'an ended session does not exist any more',
  )
})

t.test('HTTP-14: an invalid id gets the same response', async (t) => {
  const { accessToken, sessionId } = await api.signUp()
  for (const id of [
    '1',
    'null',
    sessionId.toUpperCase(),
    `${sessionId}0`,
    '%00',
    "'--",
    '../me',
    'é',
    'x'.repeat(90),
  ]) {
    const answer = await api.call(`/v1/sessions/${encodeURIComponent(id)}`, { method: 'DELETE', token: accessToken })
    t.match(answer, NOT_FOUND, id)
  }
  t.match(await api.whoami(accessToken), { status: 200 })
})

t.test('REF-15: ended sessions are listed only for their user', async (t) => {
  const [ada, eve] = [await api.signUp(), await api.signUp()]
  const { body: gone } = await api.login({ email: ada.email, password: ada.password, mode: 'json' })
  await api.call('/v1/auth/logout', { method: 'POST', token: gone.access_token })
  const ended = async (token: string) =>
    (await api.call<{ sessions: Session[] }>('/v1/sessions?ended=true', { token })).body.sessions.map(({ id }) => id)
  t.strictSame(await ended(ada.accessToken), [gone.session.id])
  t.strictSame(await ended(eve.accessToken), [])
})
