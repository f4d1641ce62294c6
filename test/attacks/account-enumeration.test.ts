import argon2 from 'argon2'
import t, { type Test } from 'tap'
import { PASSWORD, type Answer, type Api, type ProblemBody } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'

const WRONG = 'a password of no account at all'

/** The parts of a response that could reveal something; times, request ids and rate-limit counts do not. */
function visible({ status, headers, body, setCookies }: Answer<ProblemBody>) {
  const without = (members: object, names: string[]) =>
    Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))
  return {
    status,
    headers: without(headers, ['date', 'x-request-id', 'ratelimit']),
    body: without(body, ['request_id']),
    setCookies,
  }
}

async function setBan({ database }: TestApp, userId: string, until: Date | null): Promise<void> {
  const bannedAt = new Date('2026-01-01')
  await database.query((client) =>
    client.user.update({ where: { id: userId }, data: { bannedAt, bannedUntil: until } }),
  )
}

const login = (api: Api, email: string, password: string) =>
  api.call<ProblemBody>('/v1/auth/login', { method: 'POST', body: { email, password } })

t.test(
  'PWD-09: unknown, password-less and banned accounts get the same response to a wrong password as any other',
  async (t) => {
    const app = await startApp(t)
    const { api, database } = app
    const [ordinary, banned, bannedOnce, passwordless] = [
      await api.signUp(),
      await api.signUp(),
      await api.signUp(),
      await api.signUp(),
    ]
    await setBan(app, banned.userId, null)
    await setBan(app, bannedOnce.userId, new Date('2026-01-02'))
    await database.query((client) =>
      client.user.update({ where: { id: passwordless.userId }, data: { passwordHash: null } }),
    )

    const expected = visible(await login(api, ordinary.email, WRONG))
    t.match(expected, { status: 401, body: { code: 'invalid_credentials' }, setCookies: { length: 0 } })
    const cases: [string, string, string][] = [
      ['an unregistered address', 'nobody@example.com', WRONG],
      ['an address that cannot be registered', 'nobody@localhost', WRONG],
      ['a banned user', banned.email, WRONG],
      ['a user whose ban has ended', bannedOnce.email, WRONG],
      ['a user without a password', passwordless.email, WRONG],
      ['a user without a password, who used to have this one', passwordless.email, passwordless.password],
      ['a password that only looks long', ordinary.email, 'x'],
      ['a password too short for an account', 'nobody@example.com', 'x'],
      ['a guessable password', 'nobody@example.com', 'passwordpassword'],
    ]
    for (const [name, email, password] of cases) t.same(visible(await login(api, email, password)), expected, name)
    t.match(await login(api, bannedOnce.email, bannedOnce.password), { status: 200 })
  },
)

t.test('PWD-09: a ban is only revealed with the right password', async (t) => {
  const app = await startApp(t)
  const user = await app.api.signUp()
  await setBan(app, user.userId, null)
  t.match(await login(app.api, user.email, user.password), { status: 403, body: { code: 'account_banned' } })
  t.match(await login(app.api, user.email, WRONG), { status: 401, body: { code: 'invalid_credentials' } })
  const { refreshToken } = user
  t.match(await app.api.refresh(refreshToken), { status: 401, body: { code: 'session_ended', reason: 'banned' } })
})

/** Records which hashes are computed from now on, and with which parameters. */
function watchHashing(t: Test) {
  const hashes = t.capture(argon2, 'hash', argon2.hash)
  const checks = t.capture(argon2, 'verify', argon2.verify)
  return () => ({
    hashed: hashes().length,
    checked: checks().map(({ args: [hash] }) => /^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$/.exec(hash)?.[0]),
  })
}

t.test('PWD-09: every refused login costs one hash, with the same parameters as any other', async (t) => {
  const app = await startApp(t, { settings: { ARGON2_MEMORY_KIB: '19456' } })
  const { api, database } = app
  const [ordinary, banned, passwordless] = [await api.signUp(), await api.signUp(), await api.signUp()]
  await setBan(app, banned.userId, null)
  await database.query((client) =>
    client.user.update({ where: { id: passwordless.userId }, data: { passwordHash: null } }),
  )
  const work = watchHashing(t)
  const addresses = [ordinary.email, 'nobody@example.com', banned.email, passwordless.email]
  for (const email of addresses) {
    await login(api, email, WRONG)
    t.same(work(), { hashed: 0, checked: ['$argon2id$v=19$m=19456,t=2,p=1$'] }, email)
  }
})

t.test('PWD-09: register reveals that an address is taken only after the same work as for a new one', async (t) => {
  const { api } = await startApp(t, { estimatesStrength: true })
  const { email } = await api.signUp()
  const register = (email: string, password: string) => api.register({ email, password, mode: 'json' })
  const work = watchHashing(t)

  t.match(await register('new@example.com', PASSWORD), { status: 201 })
  t.same(work(), { hashed: 1, checked: [] })
  t.match(await register(email, PASSWORD), { status: 409, body: { code: 'email_taken' } })
  t.same(work(), { hashed: 1, checked: [] })
  t.match(await register(email, 'passwordpassword'), { status: 422 }, 'the password is checked before the address')
  t.match(await register(email, 'x'), { status: 422 })
})
