import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD, type SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'

const OPERATOR = { ip: null, userAgent: null, requestId: null }
const BANNED = { status: 403, body: { code: 'account_banned' } }
const ENDED = { status: 401, body: { code: 'session_ended', reason: 'banned' } }

const { app, api, clock, database } = await startApp(t)

const run = (name: string, { email }: SignedUp, ...args: string[]) =>
  runCommand(app.operator, name, ['--email', email, ...args])
const login = ({ email }: SignedUp) => api.login({ email, password: PASSWORD, mode: 'json' })

/** The time after this many minutes, by the clock of the database. */
const inMinutes = (minutes: number) => new Date(clock.now().getTime() + minutes * 60_000).toISOString()

const readUser = ({ userId }: SignedUp) =>
  database.query((client) => client.user.findUniqueOrThrow({ where: { id: userId } }))
const readBans = ({ userId }: SignedUp) =>
  database.query((client) =>
    client.auditEvent.findMany({
      where: { userId, event: { in: ['user_banned', 'user_unbanned'] } },
      orderBy: [{ at: 'asc' }, { id: 'asc' }],
    }),
  )

t.test('a banned user is signed out, and can sign in again only when the ban is lifted', async (t) => {
  const user = await api.signUp()
  t.match(await run('user:ban', user, '--reason', 'sold the account'), [/is banned until user:unban/, /./])
  t.match(await api.whoami(user.accessToken), { status: 401, body: { code: 'session_ended' } })
  t.match(await api.refresh(user.refreshToken), ENDED)
  t.match(await login(user), BANNED)
  clock.advance({ days: 365 })
  t.match(await login(user), BANNED)

  t.match(await run('user:unban', user), [/can sign in again/])
  t.match(await readUser(user), { bannedAt: null, bannedUntil: null })
  const again = await login(user)
  t.match(again, { status: 200 })
  t.match(await api.whoami(again.body.access_token), { status: 200 })
  t.match(await run('user:unban', user), [/is not banned/])

  const events = await readBans(user)
  t.match(events, [
    { event: 'user_banned', detail: { reason: 'sold the account' }, ...OPERATOR },
    { event: 'user_unbanned', ...OPERATOR },
  ])
  t.equal(events.length, 2, 'nothing was lifted the second time')
})

t.test('sessions that a ban has ended stay ended when it is lifted', async (t) => {
  const user = await api.signUp()
  await run('user:ban', user)
  await run('user:unban', user)
  t.match(await api.refresh(user.refreshToken), ENDED)
  t.match(await api.whoami(user.accessToken), { status: 401, body: { code: 'session_ended' } })
  t.match(await run('user:sessions', user, '--ended'), [/: banned$/])
})

t.test('a temporary ban ends at its time', async (t) => {
  const user = await api.signUp()
  const until = inMinutes(60)
  const [line = ''] = await run('user:ban', user, '--until', until)
  t.ok(line.includes(until))
  const { bannedAt, bannedUntil } = await readUser(user)
  t.equal(bannedUntil?.toISOString(), until)
  t.ok(Math.abs(Number(bannedAt) - Number(clock.now())) < 60_000, 'and began at the time of the database')
  t.match(await readBans(user), [{ detail: { until } }])

  clock.advance({ minutes: 59 })
  t.match(await login(user), BANNED)
  clock.advance({ minutes: 1, seconds: 1 })
  t.match(await login(user), { status: 200 })
  t.match(await api.refresh(user.refreshToken), ENDED)
  t.match(await run('user:unban', user), [/is not banned/])
})

t.test('a ban replaces an earlier one', async (t) => {
  const user = await api.signUp()
  await run('user:ban', user, '--until', inMinutes(60))
  await run('user:ban', user)
  clock.advance({ minutes: 61 })
  t.match(await login(user), BANNED)
  await run('user:ban', user, '--until', inMinutes(60))
  clock.advance({ minutes: 61 })
  t.match(await login(user), { status: 200 })
  t.equal((await readBans(user)).length, 3)
})

t.test('a ban with an end in the past is refused, and changes nothing', async (t) => {
  const user = await api.signUp()
  clock.advance({ hours: 2 })
  const { body } = await login(user)
  for (const minutes of [-1, -0.001, -121]) {
    await t.rejects(run('user:ban', user, '--until', inMinutes(minutes)), {
      name: 'CommandError',
      message: /\/until: /,
    })
  }
  t.match(await readUser(user), { bannedAt: null, bannedUntil: null })
  t.match(await api.whoami(body.access_token), { status: 200 })
  t.same(await readBans(user), [])
})
