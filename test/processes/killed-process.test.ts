// The process dies suddenly, as by `kill -9` or a power failure.

import t from 'tap'
import { SECRET_KEY } from '../support/app.js'
import { needsPostgres, openTestDatabase } from '../support/database.js'
import { startTcpProxy } from '../support/tcp-proxy.js'
import { startProcess, type ServerProcess } from '../support/process.js'
import { readAuditTrail, readFamily } from '../support/rows.js'
import { until } from '../support/until.js'

t.test('a killed process loses nothing (needs Postgres)', { skip: needsPostgres }, async (t) => {
  const database = await openTestDatabase()
  const { url = '' } = database
  const proxy = await startTcpProxy(url)
  t.teardown(() => proxy.stop())
  const start = (databaseUrl = url, settings: Record<string, string> = {}) =>
    startProcess(t, { DATABASE_URL: databaseUrl, SECRET_KEY, ...settings })

  /** Kills a process that has rotated a family, before its response. */
  async function killBeforeAnswer(
    doomed: ServerProcess,
    sessionId: string,
    refreshing: () => Promise<{ status: number }>,
  ) {
    proxy.holdAnswers()
    // On a slow machine, the server may give up on its database before it is killed: 503 tells the client no more.
    const outcome = refreshing().then(
      ({ status }) => status,
      () => null,
    )
    await until(async () => (await readFamily(database, sessionId)).generation === 1)
    await doomed.kill()
    t.ok([null, 503].includes(await outcome), 'the client has no tokens')
  }

  t.test('REF-08: between commit and response, for a client that retries with its key', async (t) => {
    const doomed = await start(proxy.url)
    const { refreshToken, sessionId } = await doomed.api.signUp()
    const key = 'an-attempt-of-mine'
    await killBeforeAnswer(doomed, sessionId, () => doomed.api.refresh(refreshToken, { key }))

    const next = await start()
    const answer = await next.api.refresh(refreshToken, { key })
    t.match(answer, { status: 200, body: { session: { id: sessionId } } })
    t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
    t.match(await next.api.refresh(answer.body.refresh_token), { status: 200 })
  })

  t.test('REF-08: between commit and response, for a client without keys that retries immediately', async (t) => {
    const [doomed, next] = await Promise.all([start(proxy.url), start()])
    const { refreshToken, sessionId } = await doomed.api.signUp()
    await killBeforeAnswer(doomed, sessionId, () => doomed.api.refresh(refreshToken))

    // The grace period is ten seconds, and the other instance is already running, but the machine may be slow.
    await database.query(
      (client) => client.$executeRaw`UPDATE refresh_token_family SET rotated_at = now() WHERE id = ${sessionId}::uuid`,
    )
    t.match(await next.api.refresh(refreshToken), { status: 200 })
    t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
  })

  t.test('REF-09: no used token and no ended session is valid again', async (t) => {
    const doomed = await start()
    const [user, other] = [await doomed.api.signUp(), await doomed.api.signUp()]
    const { body } = await doomed.api.refresh(user.refreshToken)
    const { body: current } = await doomed.api.refresh(body.refresh_token)
    t.match(await doomed.api.call('/v1/auth/logout', { method: 'POST', token: other.accessToken }), { status: 204 })
    await doomed.kill()

    // Without a grace period, so that the test does not depend on how fast a process starts.
    const next = await start(url, { REFRESH_GRACE: '0' })
    t.match(await next.api.whoami(other.accessToken), { status: 401, body: { code: 'session_ended' } })
    t.match(await next.api.whoami(current.access_token), { status: 200 })
    t.match(await next.api.refresh(user.refreshToken), { status: 401, body: { code: 'refresh_token_reused' } })
    t.match(await next.api.refresh(current.refresh_token), { status: 401, body: { reason: 'reuse_detected' } })
    t.ok((await readAuditTrail(database, user.sessionId)).includes('refresh_reused'))
  })
})
