import t from 'tap'
import { startApp, type TestApp } from '../support/app.js'

const weaker = { ARGON2_MEMORY_KIB: '19456', ARGON2_PASSES: '2' }
const stronger = { ARGON2_MEMORY_KIB: '20480', ARGON2_PASSES: '3' }

async function hashOf({ database }: TestApp, userId: string): Promise<string> {
  const user = await database.query((client) => client.user.findUniqueOrThrow({ where: { id: userId } }))
  return user.passwordHash ?? ''
}

const parametersOf = (hash: string) => /\$(m=\d+,t=\d+,p=\d+)\$/.exec(hash)?.[1]

t.test(
  'PWD-06, PWD-07: a login computes a new hash if the parameters were raised, and never a weaker one',
  async (t) => {
    const old = await startApp(t, { settings: weaker })
    const { userId, email, password, refreshToken, accessToken } = await old.api.signUp()
    const first = await hashOf(old, userId)
    t.equal(parametersOf(first), 'm=19456,t=2,p=1')
    await old.api.login({ email, password })
    t.equal(await hashOf(old, userId), first, 'the same parameters change nothing')

    const now = await startApp(t, { settings: stronger, join: true, clock: old.clock })
    t.match(await now.api.login({ email, password: 'not the password at all' }), { status: 401 })
    t.equal(await hashOf(now, userId), first, 'a wrong password changes nothing')
    t.match(await now.api.login({ email, password }), { status: 200 })
    const second = await hashOf(now, userId)
    t.equal(parametersOf(second), 'm=20480,t=3,p=1')
    t.match(await now.api.whoami(accessToken), { status: 200 }, 'this is not a password change')
    t.match(await now.api.refresh(refreshToken), { status: 200 })

    t.match(
      await old.api.login({ email, password }),
      { status: 200 },
      'an instance with the old settings accepts it unchanged',
    )
    t.equal(await hashOf(old, userId), second)
    t.match(await now.api.login({ email, password: 'not the password at all' }), { status: 401 })
  },
)

t.test('PWD-07: concurrent logins all succeed while the hash is computed anew', async (t) => {
  const old = await startApp(t, { settings: weaker })
  const { userId, email, password } = await old.api.signUp()
  const now = await startApp(t, { settings: stronger, join: true, clock: old.clock })
  const body = { email, password, mode: 'json' }
  const logins = await Promise.all(
    Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? now : old).api.login(body)),
  )
  for (const login of logins) t.match(login, { status: 200 })
  t.equal(new Set(logins.map(({ body }) => body.session.id)).size, 12)
  t.equal(parametersOf(await hashOf(now, userId)), 'm=20480,t=3,p=1')
  for (const { body } of logins) t.match(await now.api.whoami(body.access_token), { status: 200 })
  t.match(await now.api.login(body), { status: 200 })
})

t.test('PWD-07: a password change succeeds while logins compute the hash anew', async (t) => {
  const old = await startApp(t, { settings: weaker })
  const { accessToken: token, email, password } = await old.api.signUp()
  const now = await startApp(t, { settings: stronger, join: true, clock: old.clock })
  const next = 'seven other hills under a lantern'
  const change = { method: 'PUT' as const, token, body: { current_password: password, new_password: next } }
  const [changed] = await Promise.all([
    now.api.call('/v1/me/password', change),
    ...Array.from({ length: 4 }, () => now.api.login({ email, password })),
  ])
  t.match(changed, { status: 204 })
  t.match(await now.api.login({ email, password: next }), { status: 200 })
  t.match(await now.api.login({ email, password }), { status: 401 })
})
