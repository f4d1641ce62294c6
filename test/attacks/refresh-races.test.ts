// One token is presented many times concurrently: by tabs, retries, or a thief. One request rotates it.

import t from 'tap'
import type { Answer, TokenBody } from '../support/api.js'
import { startApp } from '../support/app.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

const PARALLEL = 50

const { api, clock, database } = await startApp(t)
const other = await startApp(t, { join: true, clock })

/** Half of the calls each to two instances on one database. */
function inParallel<T>(call: (instance: typeof api, index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: PARALLEL }, (_, index) => call(index % 2 === 0 ? api : other.api, index)))
}

const successorsIn = (answers: Answer<TokenBody>[]) =>
  new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.refresh_token))

const countOf = (answers: Answer<TokenBody>[], status: number) =>
  answers.filter((answer) => answer.status === status).length

t.test('REF-02: fifty presentations without a key produce one successor, which all of them receive', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const answers = await inParallel((instance) => instance.refresh(refreshToken))
  t.equal(countOf(answers, 200), PARALLEL)
  t.equal(successorsIn(answers).size, 1)
  t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
  t.match(await api.refresh([...successorsIn(answers)][0]), { status: 200 })
})

t.test('REF-02: fifty presentations with one key produce one successor, which all of them receive', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const answers = await inParallel((instance) => instance.refresh(refreshToken, { key: 'one-key-of-fifty' }))
  t.equal(countOf(answers, 200), PARALLEL)
  t.equal(successorsIn(answers).size, 1)
  t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
})

t.test('REF-02, REF-04: of fifty presentations with different keys one succeeds, and the others get 409', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const answers = await inParallel((instance, index) =>
    instance.refresh(refreshToken, { key: `key-number-0000-${index}` }),
  )
  t.equal(countOf(answers, 200), 1)
  t.equal(countOf(answers, 409), PARALLEL - 1)
  t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
  t.match(await api.refresh([...successorsIn(answers)][0]), { status: 200 })
})

t.test(
  'REF-03: without a grace period, fifty presentations with different keys end the family, once only',
  async (t) => {
    const settings = { REFRESH_GRACE: '0' }
    const strict = await startApp(t, { join: true, clock, settings })
    const { refreshToken, sessionId } = await api.signUp()
    const answers = await Promise.all(
      Array.from({ length: PARALLEL }, (_, index) =>
        strict.api.refresh(refreshToken, { key: `key-number-0000-${index}` }),
      ),
    )
    t.equal(countOf(answers, 200), 1)
    t.equal(answers.filter(({ body }) => body.code === 'refresh_token_reused').length, 1)
    t.equal(countOf(answers, 401), PARALLEL - 1)
    t.match(await readFamily(database, sessionId), { endReason: 'reuse_detected' })
    t.equal((await readAuditTrail(database, sessionId)).filter((event) => event === 'refresh_reused').length, 1)
  },
)

t.test('REF-03: fifty presentations of a used token end the family once', async (t) => {
  const { refreshToken: spent, sessionId } = await api.signUp()
  await api.refresh(spent)
  clock.advance({ seconds: 11 })
  const answers = await inParallel((instance) => instance.refresh(spent))
  t.equal(answers.filter(({ body }) => body.code === 'refresh_token_reused').length, 1)
  t.equal(answers.filter(({ body }) => body.reason === 'reuse_detected').length, PARALLEL - 1)
  t.equal((await readAuditTrail(database, sessionId)).filter((event) => event === 'refresh_reused').length, 1)
})

t.test('REF-12: a logout among fifty refreshes ends the session', async (t) => {
  const { refreshToken, accessToken, sessionId } = await api.signUp()
  const refreshes = inParallel((instance) => instance.refresh(refreshToken))
  const logout = other.api.call('/v1/auth/logout', { method: 'POST', token: accessToken })
  t.match(await logout, { status: 204 })
  const answers = await refreshes
  t.equal(countOf(answers, 200) + countOf(answers, 401), PARALLEL)
  t.ok(successorsIn(answers).size <= 1)
  t.match(await readFamily(database, sessionId), { endReason: 'logout' })
  for (const token of [refreshToken, ...successorsIn(answers)]) {
    t.match(await api.refresh(token), { status: 401, body: { code: 'session_ended', reason: 'logout' } })
  }
})

t.test('REF-12: fifty logouts end a session once', async (t) => {
  const { refreshToken, sessionId } = await api.signUp()
  const body = { refresh_token: refreshToken }
  const answers = await inParallel((instance) => instance.call('/v1/auth/logout', { method: 'POST', body }))
  t.ok(answers.every(({ status }) => status === 204))
  t.equal((await readAuditTrail(database, sessionId)).filter((event) => event === 'session_ended').length, 1)
})
