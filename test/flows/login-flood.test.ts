import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { holdNextComparison } from '../support/held-hashing.js'

/** One at a time, and fifty wait. A hash takes as long as in production. */
const settings = { HASHING_CONCURRENCY: '1', ARGON2_MEMORY_KIB: '19456' }
const FLOOD = 150

const unknownUser = { email: 'nobody@example.com', password: 'the password of no account', mode: 'json' }

/** Each has another account and another network, so that no other limit is reached. */
const another = (index: number) =>
  [{ ...unknownUser, email: `${index}@example.com` }, { from: `198.51.100.${index}` }] as const

t.test('PWD-08: a flood of logins is bounded, and requests without hashing are served meanwhile', async (t) => {
  const { api } = await startApp(t, { settings })
  const { accessToken, refreshToken } = await api.signUp()

  let answered = 0
  const flood = Array.from({ length: FLOOD }, async (_, index) => {
    const answer = await api.login(...another(index))
    answered += 1
    return answer
  })
  const others = {
    whoami: await api.whoami(accessToken),
    refresh: await api.refresh(refreshToken),
    keys: await api.call('/.well-known/jwks.json'),
    liveness: await api.call('/livez'),
    readiness: await api.call('/readyz'),
    me: await api.call('/v1/me', { token: accessToken }),
  }
  for (const [name, { status }] of Object.entries(others)) t.equal(status, 200, name)
  t.ok(answered < FLOOD, 'before the last of them gets its response')

  const answers = await Promise.all(flood)
  const judged = answers.filter(({ status }) => status === 401)
  const refused = answers.filter(({ status }) => status === 503)
  t.ok(judged.length > 0 && refused.length > 0)
  t.equal(judged.length + refused.length, FLOOD)
  for (const { body, headers } of refused) {
    t.equal(body.code, 'overloaded')
    t.match(headers['retry-after'], /^[1-9]\d?$/)
  }
  t.equal((await api.login(unknownUser)).status, 401, 'and afterwards logins work as before')
})

t.test(
  'PWD-08: a client that disconnects while waiting is not signed in, and frees its place in the queue',
  async (t) => {
    const { api, app } = await startApp(t, { settings })
    const { email, accessToken } = await api.signUp()
    await app.server.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.server.address() as AddressInfo

    const before = Array.from({ length: 20 }, (_, index) => api.login(...another(index)))
    const body = JSON.stringify({ email, password: PASSWORD, mode: 'json' })
    const client = connect(port, '127.0.0.1')
    client.write(
      `POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await once(app.server.server, 'request')
    // The response to a later request: the login has been read, and waits.
    await api.whoami(accessToken)
    client.destroy()
    await Promise.all(before)
    await api.login(unknownUser)

    const { body: list } = await api.call<{ sessions: object[] }>('/v1/sessions', { token: accessToken })
    t.equal(list.sessions.length, 1, 'the session of the sign-up')
    t.equal((await api.login({ email, password: PASSWORD, mode: 'json' })).status, 200)
  },
)

t.test(
  'PWD-08, PWD-11: logins that are refused because the queue is full are not counted for the account',
  async (t) => {
    const { api } = await startApp(t, { settings })
    const { email } = await api.signUp()
    const guess = () => api.login({ email, password: unknownUser.password, mode: 'json' })
    const held = holdNextComparison(t)
    const occupant = api.login(...another(1))
    const letGoOn = await held
    // More than the limit of an account. None is processed before it has waited too long.
    for (const refused of await Promise.all(Array.from({ length: 12 }, guess))) {
      t.match(refused, { status: 503, body: { code: 'overloaded' } })
    }
    letGoOn()
    await occupant

    for (let guesses = 0; guesses < 10; guesses += 1) t.match(await guess(), { status: 401 })
    t.match(await guess(), { status: 429, body: { code: 'rate_limited' } })
  },
)
