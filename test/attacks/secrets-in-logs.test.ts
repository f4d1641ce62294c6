import { Writable } from 'node:stream'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { createLogger } from '../../src/platform/http/logging.js'
import { SECRET_KEY, startApp, type Test } from '../support/app.js'
import { openTestDatabase, type TestDatabase } from '../support/database.js'
import { readSigningKey } from '../support/signing-keys.js'

const PASSWORDS = {
  current: 'tundra-pickle-orbit-42 unlogged',
  next: 'seven other hills, never logged',
  wrong: 'a wrong one that is not logged',
  weak: 'passwordpassword',
}
const EMAIL = 'unlogged.person@example.com'
const KEY = 'unlogged-attempt-key'

/** An application whose log is captured at the most verbose level. */
async function startLogged(t: Test, database?: TestDatabase) {
  const lines: string[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const log = createLogger({ level: 'trace', destination })
  const app = await startApp(t, { log, estimatesStrength: true, ...(database && { database }) })
  return { ...app, logged: () => lines.join('') }
}

t.test('OPS-02: no password, token, cookie or key is in the log or in a refusal', async (t) => {
  const app = await startLogged(t)
  const { api, browser, clock, database } = app
  const refusals: unknown[] = []
  const secrets = new Set<string>([SECRET_KEY, EMAIL, KEY, ...Object.values(PASSWORDS)])
  const keep = <T extends { status: number; body: unknown }>(answer: T): T => {
    if (answer.status >= 400) refusals.push(answer)
    return answer
  }
  const body = { email: EMAIL, password: PASSWORDS.current, mode: 'json' }

  keep(await api.register({ ...body, password: PASSWORDS.weak }))
  keep(await api.register({ ...body, password: [PASSWORDS.current], unknown: PASSWORDS.wrong }))
  keep(await api.call('/v1/auth/login', { method: 'POST', text: `{"password":"${PASSWORDS.current}",` }))
  const registered = keep(await api.register(body))
  keep(await api.register(body))
  keep(await api.login({ ...body, password: PASSWORDS.wrong }))
  keep(await api.login({ ...body, email: `${EMAIL}\0` }))
  const { access_token: token = '', refresh_token: refreshToken = '' } = registered.body
  for (const secret of [token, refreshToken]) secrets.add(secret)

  keep(await api.call(`/v1/whoami?access_token=${token}`))
  keep(await api.whoami(`${token}x`))
  keep(await api.whoami(refreshToken))
  keep(await api.call('/v1/whoami', { headers: { authorization: `Basic ${token}` } }))
  const refreshed = keep(await api.refresh(refreshToken, { key: KEY }))
  keep(await api.refresh(`${refreshToken}x`))
  keep(await api.call('/v1/auth/refresh', { method: 'POST', body, headers: { 'idempotency-key': `${KEY} ${KEY}` } }))
  clock.advance({ minutes: 2 })
  keep(await api.refresh(refreshToken))
  secrets.add(refreshed.body.refresh_token ?? '').add(refreshed.body.access_token ?? '')
  keep(await api.refresh(refreshed.body.refresh_token))

  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { ...body, mode: 'session' } })
  for (const value of page.cookies.values()) secrets.add(value)
  const proof = { current_password: PASSWORDS.current, new_password: PASSWORDS.next }
  keep(await page.call('/v1/me/password', { method: 'PUT', body: { ...proof, current_password: PASSWORDS.wrong } }))
  keep(await page.call('/v1/me/password', { method: 'PUT', body: proof }))
  for (const value of page.cookies.values()) secrets.add(value)
  keep(await page.call('/v1/me', { headers: { origin: 'https://evil.example' } }))
  keep(await page.call('/v1/me', { method: 'DELETE', body: { password: PASSWORDS.wrong } }))
  const users = await database.query((client) => client.user.findMany())
  for (const { passwordHash } of users) secrets.add(passwordHash ?? '')
  await runCommand(app.app.operator, 'keys:rotate', ['--force'])
  const { privateKey } = await readSigningKey(app)
  secrets.add(privateKey.export({ format: 'jwk' }).d ?? '')

  t.ok(refusals.length >= 14, 'the log is not empty')
  t.ok(app.logged().split('\n').length > 20)
  for (const secret of secrets) {
    t.ok(secret.length > 10)
    t.notOk(app.logged().includes(secret), `log: ${secret}`)
    t.notOk(JSON.stringify(refusals).includes(secret), `refusals: ${secret}`)
  }
})

t.test('OPS-02: an internal error is logged without quoted values, and not revealed in the response', async (t) => {
  const database = await openTestDatabase()
  let fails = false
  const leaky = (): Promise<never> => {
    const quoted = `Key (email)=("${EMAIL}") with parameters ["${PASSWORDS.current}"] failed`
    return Promise.reject(Object.assign(new Error(quoted), { detail: EMAIL, query: PASSWORDS.current, email: EMAIL }))
  }
  const failing: TestDatabase = {
    ...database,
    query: (work, attempt) => (fails ? leaky() : database.query(work, attempt)),
    transaction: (work, attempt) => (fails ? leaky() : database.transaction(work, attempt)),
  }
  const { api, app, logged } = await startLogged(t, failing)
  const { accessToken } = await api.signUp()
  fails = true
  const body = { email: EMAIL, password: PASSWORDS.current, mode: 'json' }
  const answers = [await api.login(body), await api.register(body), await api.call('/v1/me', { token: accessToken })]
  const [internal, unavailable] = [{ status: 500, body: { code: 'internal_error' } }, { status: 503 }]
  t.match(
    answers,
    [internal, unavailable, internal],
    'a request that cannot be counted is not served, whatever the reason',
  )
  await app.operations.runMaintenance()
  t.match(logged(), /"task":"keys"/, 'the failure is logged')
  for (const text of [logged(), JSON.stringify(answers)]) {
    for (const secret of [EMAIL, PASSWORDS.current, accessToken]) t.notOk(text.includes(secret))
  }
})
