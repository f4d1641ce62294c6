import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'

/** Members of the user, of its row and of the session that no client may set. */
const forbidden: Record<string, unknown> = {
  id: '019a0000-0000-7000-8000-000000000001',
  roles: ['admin'],
  role: 'admin',
  is_admin: true,
  email_verified: true,
  emailVerifiedAt: '2026-01-01T00:00:00Z',
  email_verified_at: '2026-01-01T00:00:00Z',
  epoch: 99999999999999,
  passwordHash: '$argon2id$',
  password_hash: '$argon2id$',
  bannedAt: null,
  banned_at: null,
  banned_until: null,
  created_at: '2020-01-01T00:00:00Z',
  session_id: '019a0000-0000-7000-8000-000000000002',
  sid: '019a0000-0000-7000-8000-000000000002',
  user: { roles: ['admin'] },
  families: { create: [] },
  amr: ['mfa'],
  scope: 'admin',
}

t.test('HTTP-06, HTTP-02: unlisted members are refused, and nothing is written', async (t) => {
  const { api, database } = await startApp(t)
  const { accessToken: token, email, userId, answer } = await api.signUp()
  const before = await database.query((client) => client.user.findUnique({ where: { id: userId } }))
  const credentials = { password: PASSWORD, mode: 'json' }
  for (const [name, value] of Object.entries(forbidden)) {
    const refused = {
      status: 422,
      body: { code: 'validation_failed', errors: [{ path: `/${name}`, code: 'unrecognized_key' }] },
    }
    const more = { [name]: value }
    t.match(await api.register({ email: 'eve@example.com', ...credentials, ...more }), refused, `register: ${name}`)
    t.match(await api.login({ email, ...credentials, ...more }), refused, `login: ${name}`)
    const patch = await api.call('/v1/me', { method: 'PATCH', token, body: { name: 'Eve', ...more } })
    t.match(patch, refused, `change: ${name}`)
  }
  for (const name of ['email', 'password']) {
    const patch = await api.call('/v1/me', { method: 'PATCH', token, body: { name: 'Eve', [name]: 'eve@example.com' } })
    t.match(patch, { status: 422 }, name)
  }
  t.same(await database.query((client) => client.user.findUnique({ where: { id: userId } })), before)
  t.equal(await database.query((client) => client.user.count()), 1)
  const own = { ...answer.body.user, locale: null, pending_email: null }
  t.same((await api.call('/v1/me', { token })).body, own)
})

t.test('HTTP-05: members named __proto__ and constructor change nothing', async (t) => {
  const { api } = await startApp(t)
  const { accessToken: token, email } = await api.signUp()
  const send = (path: string, method: 'POST' | 'PATCH', text: string) => api.call(path, { method, token, text })
  const login = `"email":"${email}","password":"${PASSWORD}","mode":"json"`
  const texts = [
    '"__proto__":{"roles":["admin"]}',
    '"__proto__":null',
    '"\\u005f_proto__":{"roles":["admin"]}',
    '"constructor":{"prototype":{"roles":["admin"]}}',
    '"prototype":{"roles":["admin"]}',
    '"toString":1',
  ]
  for (const text of texts) {
    const answers = [
      await send('/v1/auth/login', 'POST', `{${login},${text}}`),
      await send('/v1/auth/register', 'POST', `{${login.replace(email, 'eve@example.com')},${text}}`),
      await send('/v1/me', 'PATCH', `{"name":"Eve",${text}}`),
    ]
    for (const { status } of answers) t.ok(status === 400 || status === 422, `${text}: ${status}`)
  }
  t.notOk('roles' in {})
  t.match(await api.call('/v1/me', { token }), { body: { name: null, roles: { length: 0 } } })
})

t.test('HTTP-06, PWD-16: registration assigns no role, and there is no default account', async (t) => {
  const { api, database } = await startApp(t)
  t.equal(await database.query((client) => client.user.count()), 0)
  for (const email of ['admin@example.com', 'root@localhost', 'sallyport@example.com']) {
    for (const password of ['admin', 'password', 'sallyport'])
      t.match(await api.login({ email, password }), { status: 401 })
    t.match(await api.register({ email, password: PASSWORD, mode: 'json' }), {
      status: 201,
      body: { user: { roles: [] } },
    })
  }
})

t.test('HTTP-08: a query for an undefined value is refused, and does not match every row', async (t) => {
  const { api, database } = await startApp(t)
  const [user] = [await api.signUp(), await api.signUp()]
  const id = undefined as unknown as string
  await t.rejects(database.query((client) => client.user.findUnique({ where: { id } })))
  await t.rejects(database.query((client) => client.user.findFirst({ where: { email: id } })))
  await t.rejects(database.query((client) => client.user.updateMany({ where: { id }, data: { name: 'Eve' } })))
  await t.rejects(
    database.query((client) => client.user.updateMany({ where: { id: user.userId }, data: { name: id } })),
  )
  await t.rejects(database.query((client) => client.user.deleteMany({ where: { id } })))
  await t.rejects(
    database.query((client) => client.auditEvent.updateMany({ where: { userId: id }, data: { ip: null } })),
  )
  t.equal(await database.query((client) => client.user.count({ where: { name: null } })), 2)
})
