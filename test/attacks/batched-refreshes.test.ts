// Concurrent refreshes share a statement. Each is judged as if it were alone.

import t from 'tap'
import type { SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'
import { needsPostgres } from '../support/database.js'
import { startProxiedApp } from '../support/proxied-app.js'
import { readAuditTrail, readFamily } from '../support/rows.js'
import { until } from '../support/until.js'

const FAMILIES = 12

const { api, clock, database } = await startApp(t)
const other = await startApp(t, { join: true, clock })

async function signUpMany(count = FAMILIES): Promise<SignedUp[]> {
  const users: SignedUp[] = []
  // Sequentially: concurrent sign-ups would queue for each other's hashes and be refused.
  for (let index = 0; index < count; index += 1) users.push(await api.signUp())
  return users
}

const generationsOf = (users: SignedUp[]) =>
  Promise.all(users.map(async ({ sessionId }) => (await readFamily(database, sessionId)).generation))

t.test('REF-02 to REF-05: in a batch, each token gets its own verdict', async (t) => {
  const users = await signUpMany()
  const [current, stolen, ended, overtaken] = [0, 3, 6, 9].map((from) => users.slice(from, from + 3))
  for (const { refreshToken } of stolen ?? []) await api.refresh(refreshToken)
  for (const { accessToken } of ended ?? []) await api.call('/v1/auth/logout', { method: 'POST', token: accessToken })
  clock.advance({ seconds: 11 })
  for (const { refreshToken } of overtaken ?? []) await api.refresh(refreshToken, { key: 'the-key-of-the-winner' })

  const presented = users.flatMap(({ refreshToken }) => [refreshToken, refreshToken.slice(0, -2)])
  const answers = await Promise.all(presented.map((token) => api.refresh(token, { key: 'the-key-of-the-batch' })))
  const genuine = answers.filter((_, index) => index % 2 === 0)
  const verdicts = genuine.map(({ status, body }) => (status === 200 ? 'rotated' : body.code))
  t.strictSame(verdicts, [
    ...['rotated', 'rotated', 'rotated'],
    ...['refresh_token_reused', 'refresh_token_reused', 'refresh_token_reused'],
    ...['session_ended', 'session_ended', 'session_ended'],
    ...['refresh_superseded', 'refresh_superseded', 'refresh_superseded'],
  ])
  for (const [index, { sessionId }] of (current ?? []).entries()) {
    t.equal(genuine[index]?.body.session.id, sessionId, 'and no request gets the tokens of another')
    t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
  }
})

t.test('REF-02: one token several times in a batch rotates once', async (t) => {
  const users = await signUpMany(3)
  const batch = Array.from({ length: 10 }, () => users).flat()
  const answers = await Promise.all(
    batch.map(({ refreshToken }) => api.refresh(refreshToken, { key: 'one-key-for-all-ten' })),
  )
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 3)
  t.strictSame(await generationsOf(users), [1, 1, 1])
})

t.test(
  'REF-02, REF-20: two instances that refresh the same sessions concurrently neither block nor undo each other',
  async (t) => {
    const users = await signUpMany()
    const present = (instance: typeof api, list: SignedUp[]) =>
      list.map(({ refreshToken }) => instance.refresh(refreshToken, { key: 'the-same-key-on-both' }))
    const answers = await Promise.all([...present(api, users), ...present(other.api, [...users].reverse())])
    t.strictSame(
      answers.map(({ status }) => status),
      answers.map(() => 200),
    )
    t.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, FAMILIES)
    t.strictSame(
      await generationsOf(users),
      users.map(() => 1),
    )
    for (const { sessionId } of users) t.notMatch(await readAuditTrail(database, sessionId), ['refresh_reused'])
  },
)

t.test(
  'REF-20: a session whose row is locked delays no other session (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    // Limits that are never reached: a request that waits for the row gets 503 at the deadline.
    const limits = { lockMs: 60_000, statementMs: 60_000, silenceMs: 60_000 }
    const { api } = await startProxiedApp(t, { join: true, clock, limits })
    const [held, ...free] = await signUpMany(4)
    const { late } = await database.transaction(async (tx) => {
      await tx.$queryRaw`SELECT id FROM refresh_token_family WHERE id = ${held?.sessionId}::uuid FOR UPDATE`
      const late = api.refresh(held?.refreshToken)
      const answers = await Promise.all(free.map(({ refreshToken }) => api.refresh(refreshToken)))
      t.ok(answers.every(({ status }) => status === 200))
      return { late }
    })
    t.match(await late, { status: 200 })
  },
)

// The grace period is 0 below: the retry succeeds because the server recognizes its own rotation.
t.test(
  'REF-08: a batch whose commit is unknown is retried one by one, and no client notices (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const { api: proxied, proxy } = await startProxiedApp(t, { join: true, clock, settings: { REFRESH_GRACE: '0' } })
    for (const options of [{}, { key: 'a-key-of-the-client' }]) {
      const users = await signUpMany(5)
      proxy.holdAnswers()
      const batch = users.map(({ refreshToken }) => proxied.refresh(refreshToken, options))
      await until(async () => (await generationsOf(users)).every((generation) => generation === 1))
      proxy.cut()
      for (const [index, answer] of (await Promise.all(batch)).entries()) {
        t.match(answer, { status: 200, body: { session: { id: users[index]?.sessionId } } })
        t.match(await proxied.refresh(answer.body.refresh_token), { status: 200 })
      }
      t.strictSame(await generationsOf(users), [2, 2, 2, 2, 2])
    }
  },
)
