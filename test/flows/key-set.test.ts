import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { Problem } from '../../src/platform/problem.js'
import { startApp } from '../support/app.js'
import { openTestDatabase, type TestDatabase } from '../support/database.js'

const path = '/.well-known/jwks.json'

interface KeySet {
  keys: Record<string, unknown>[]
}

t.test('KEY-02, KEY-08: the key set is public, can be cached, and contains nothing private', async (t) => {
  for (const algorithm of ['EdDSA', 'ES256', 'PS256']) {
    const { api } = await startApp(t, { settings: { SIGNING_ALGORITHM: algorithm } })
    const answer = await api.call<KeySet>(path)
    t.match(answer, {
      status: 200,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'public, max-age=300',
        etag: /^"[\w-]{43}"$/,
      },
    })
    t.equal(answer.body.keys.length, 2)
    for (const key of answer.body.keys) {
      t.match(key, { kid: /^[\w-]{43}$/, alg: algorithm, use: 'sig' })
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])
        t.notOk(member in key, `${algorithm}: no ${member}`)
    }
    t.notOk(answer.headers['set-cookie'])
    t.equal((await api.call(path, { method: 'HEAD' })).headers.etag, answer.headers.etag)
  }
})

t.test('KEY-08: an unchanged key set is not sent again', async (t) => {
  const { api, app } = await startApp(t)
  const { headers } = await api.call(path)
  const etag = String(headers.etag)
  const ask = (value: string) => api.call(path, { headers: { 'if-none-match': value } })

  for (const value of [etag, `W/${etag}`, `"other", ${etag}`, `"other",W/${etag} , "more"`, '*']) {
    t.match(
      await ask(value),
      { status: 304, body: '', headers: { etag, 'cache-control': 'public, max-age=300' } },
      value,
    )
  }
  for (const value of ['', '"other"', etag.slice(1, -1), etag.toLowerCase() + 'x', '"*"']) {
    t.match(await ask(value), { status: 200 }, value)
  }
  await runCommand(app.operator, 'keys:rotate', ['--force'])
  const after = await ask(etag)
  t.match(after, { status: 200 })
  t.not(after.headers.etag, etag)
})

/** The file's database, which can be made to fail as if it were down. */
async function createOutage(): Promise<{ database: TestDatabase; begin(): void; end(): void }> {
  const database = await openTestDatabase()
  let isDown = false
  const guard = <Work extends unknown[], T>(work: (...args: Work) => Promise<T>) => {
    return (...args: Work): Promise<T> => (isDown ? Promise.reject(new Problem('database_unavailable')) : work(...args))
  }
  return {
    database: { ...database, query: guard(database.query), transaction: guard(database.transaction) },
    begin: () => (isDown = true),
    end: () => (isDown = false),
  }
}

t.test('KEY-08, OPS-03: without the database the key set is served and access tokens are verified', async (t) => {
  const outage = await createOutage()
  const { api, app } = await startApp(t, { database: outage.database })
  const [seen, unseen] = [await api.signUp(), await api.signUp()]
  const { body } = await api.call(path)
  t.match(await api.whoami(seen.accessToken), { status: 200 })

  outage.begin()
  await app.operations.runMaintenance()
  t.match(await api.call(path), { status: 200, body })
  t.match(await api.whoami(seen.accessToken), { status: 200 })
  t.match(await api.whoami(unseen.accessToken), { status: 200, body: { sub: unseen.userId } })
  const unknownKey = `${Buffer.from('{"alg":"EdDSA","kid":"x","typ":"at+jwt"}').toString('base64url')}.e30.AAAA`
  t.match(await api.whoami(unknownKey), { status: 401, body: { code: 'token_invalid' } }, 'an unknown kid')
  t.match(await api.call('/v1/me', { token: seen.accessToken }), {
    status: 503,
    body: { code: 'database_unavailable' },
  })

  outage.end()
  t.match(await api.call('/v1/me', { token: seen.accessToken }), { status: 200 })
})

t.test('TOK-05: made-up key ids cause the keys to be read at most once a second', async (t) => {
  const database = await openTestDatabase()
  let queries = 0
  const query: typeof database.query = (...args) => {
    queries += 1
    return database.query(...args)
  }
  const { api } = await startApp(t, { database: { ...database, query } })
  const madeUp = (index: number) => {
    const header = JSON.stringify({ alg: 'EdDSA', kid: `made-up-${index}`, typ: 'at+jwt' })
    return `${Buffer.from(header).toString('base64url')}.e30.AAAA`
  }
  // Without a fraction, so that a second more is not a rounding error less.
  let nowMs = Math.ceil(performance.now()) + 1_000
  t.intercept(performance, 'now', { value: () => nowMs })
  queries = 0
  for (let second = 1; second <= 3; second += 1) {
    for (let index = 0; index < 20; index += 1) {
      const answer = await api.whoami(madeUp(index))
      if (answer.status !== 401) t.match(answer, { status: 401, body: { code: 'token_invalid' } })
    }
    t.equal(queries, second)
    nowMs += 1_000
  }
})

t.test('an independent client verifies the tokens with the key set, before and after a rotation', async (t) => {
  for (const algorithm of ['EdDSA', 'ES256', 'PS256']) {
    const { api, app, clock, config } = await startApp(t, { settings: { SIGNING_ALGORITHM: algorithm } })
    const address = await app.server.listen({ host: '127.0.0.1', port: 0 })
    let fetches = 0
    const keys = createRemoteJWKSet(new URL(path, address), {
      cooldownDuration: 0,
      [customFetch]: (...request: Parameters<typeof fetch>) => {
        fetches += 1
        return fetch(...request)
      },
    })
    const { issuer, audience } = config.tokens
    const verify = async (token: string) => {
      const options = { issuer, audience, typ: 'at+jwt', algorithms: [algorithm], currentDate: clock.now() }
      return (await jwtVerify(token, keys, options)).payload
    }

    const first = await api.signUp()
    t.match(await verify(first.accessToken), { sub: first.userId, sid: first.sessionId })
    clock.advance({ days: 2 })
    await runCommand(app.operator, 'keys:rotate', [])
    const second = await api.signUp()
    t.match(await verify(second.accessToken), { sub: second.userId })
    t.equal(fetches, 1, 'the client had the next key before it signed anything')

    await runCommand(app.operator, 'keys:rotate', ['--force'])
    const third = await api.signUp()
    t.match(await verify(third.accessToken), { sub: third.userId }, 'an unknown key is fetched')
    t.match(await verify(second.accessToken), { sub: second.userId }, 'a retired key is still there')
    t.equal(fetches, 2)
  }
})
