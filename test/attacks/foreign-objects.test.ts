// Knowing the id of another user's object neither reveals nor changes anything.

import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Answer, ProblemBody } from '../support/api.js'
import { startApp } from '../support/app.js'
import { operationsOf, pathOf } from '../support/operations.js'
import { readAllRows } from '../support/rows.js'

t.test('HTTP-14: the response for another user’s object is the same as for a missing one', async (t) => {
  const { app, api, database } = await startApp(t)
  const victim = await api.signUp({ name: 'Ada' })
  const { accessToken: token } = await api.signUp({ name: 'Eve' })
  const ended = await api.signUp()
  await api.call('/v1/auth/logout', { method: 'POST', token: ended.accessToken })
  const before = await readAllRows(database)

  const withId = operationsOf(app.server).filter(({ path }) => path.includes('{'))
  t.ok(withId.length >= 2, 'the routes are found')
  for (const operation of withId) {
    const { method, body, id: name } = operation
    const call = { method, token, ...(body ? { body: body.example } : {}) }
    const missing = await api.call<ProblemBody>(pathOf(operation, { id: randomUUID() }), call)
    t.match(missing, { status: 404, body: { code: 'not_found' } }, `${name}: a missing one`)
    for (const id of [victim.sessionId, victim.userId, ended.sessionId, 'x', '0', '%27', 'current']) {
      const answer = await api.call<ProblemBody>(pathOf(operation, { id }), call)
      t.strictSame(withoutRequest(answer), withoutRequest(missing), `${name}: ${id}`)
    }
  }
  t.strictSame(await readAllRows(database), before)
  t.match(await api.whoami(victim.accessToken), { status: 200 })
})

t.test('HTTP-14, REF-15: lists contain only the user’s own objects', async (t) => {
  const { api } = await startApp(t)
  const ada = await api.signUp({ name: 'Ada' })
  const eve = await api.signUp({ name: 'Eve' })
  for (const { accessToken: token, sessionId } of [ada, eve]) {
    const { body } = await api.call<{ sessions: { id: string }[] }>('/v1/sessions', { token })
    t.strictSame(
      body.sessions.map(({ id }) => id),
      [sessionId],
    )
  }
  t.match(await api.call('/v1/me', { token: eve.accessToken }), { body: { id: eve.userId, name: 'Eve' } })
})

/** The response without its request id. */
function withoutRequest({ status, headers, body }: Answer<ProblemBody>) {
  const names = Object.keys(headers).filter((name) => !['date', 'x-request-id'].includes(name))
  const told = Object.fromEntries(names.map((name) => [name, headers[name]]))
  return { status, headers: told, body: { ...body, request_id: '' } }
}
