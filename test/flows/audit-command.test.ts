import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { uuidv7 } from '../../src/platform/uuid.js'
import { PASSWORD } from '../support/api.js'
import { startApp, type TestApp } from '../support/app.js'
import { createKeptLog } from '../support/logged.js'

const audit = ({ app }: TestApp, ...args: string[]) => runCommand(app.operator, 'audit', args)
/** The names of the events, which follow their time. */
const namesIn = (lines: string[]) => lines.map((line) => line.split('  ')[1])

t.test('OPS-01: audit prints the events of a user, oldest first, by address or by id', async (t) => {
  const app = await startApp(t)
  const { api, clock } = app
  const other = await api.signUp()
  const { email, userId, sessionId, refreshToken, answer } = await api.signUp()
  const failed = await api.login({ email, password: 'not the password at all' })
  const second = await api.refresh(refreshToken)
  await api.refresh(second.body.refresh_token)
  clock.advance({ minutes: 5 })
  await api.refresh(refreshToken)

  const lines = await audit(app, '--user', email)
  const [time = '', ...first] = lines[0]?.split('  ') ?? []
  t.equal(new Date(time).toISOString(), time)
  t.strictSame(first, [
    'user_registered',
    'done',
    `by user ${userId}`,
    `user ${userId}`,
    `session ${sessionId}`,
    'from 127.0.0.1',
    `request ${String(answer.headers['x-request-id'])}`,
    '{"mode":"json"}',
  ])
  t.match(lines[1], `login_failed  refused  by user -  user ${userId}  session -  from 127.0.0.1  request `)
  t.match(lines[1], failed.headers['x-request-id'])
  t.match(lines[2], `refresh_reused  alarm  by system  user ${userId}  session ${sessionId}`)
  t.match(lines[3], `session_ended  done  by system  user ${userId}  session ${sessionId}`)
  t.equal(lines.length, 4)
  t.strictSame(await audit(app, '--user', userId), lines)
  for (const line of lines) t.notMatch(line, other.userId)
  t.equal((await audit(app)).length, 5, 'and of all users without --user')
})

t.test('OPS-01: audit filters by time and event, and limits the number of events', async (t) => {
  const app = await startApp(t)
  const { api, clock } = app
  const { email } = await api.signUp()
  await api.login({ email: 'nobody@example.com', password: PASSWORD })
  clock.advance({ days: 2 })
  const between = clock.now().toISOString()
  clock.advance({ hours: 1 })
  await api.login({ email, password: PASSWORD })
  await api.login({ email, password: 'not the password at all' })

  const all = ['user_registered', 'login_failed', 'login_succeeded', 'login_failed']
  t.strictSame(namesIn(await audit(app)), all)
  t.strictSame(namesIn(await audit(app, '--since', '24h')), all.slice(2))
  t.strictSame(namesIn(await audit(app, '--since', '3d')), all)
  t.strictSame(namesIn(await audit(app, '--since', between)), all.slice(2))
  t.strictSame(await audit(app, '--since', '10m', '--event', 'user_registered'), ['No events found.'])
  t.strictSame(namesIn(await audit(app, '--event', 'login_failed')), ['login_failed', 'login_failed'])
  const both = await audit(app, '--event', 'login_succeeded', '--event', 'user_registered')
  t.strictSame(namesIn(both), ['user_registered', 'login_succeeded'])
  const [notice, ...latest] = await audit(app, '--limit', '2')
  t.match(notice, /^Showing the latest 2/)
  t.strictSame(namesIn(latest), all.slice(2))
})

t.test('OPS-01: the events of a deleted user are found by the id', async (t) => {
  const app = await startApp(t)
  const { userId, accessToken, password } = await app.api.signUp()
  await app.api.call('/v1/me', { method: 'DELETE', token: accessToken, body: { password } })
  const lines = await audit(app, '--user', userId)
  t.strictSame(namesIn(lines), ['user_registered', 'session_ended', 'user_deleted'])
  for (const line of lines) t.match(line, 'from -')
})

t.test('a request has one id, in its response, its problem, its log line and the audit trail', async (t) => {
  const { log, lines } = createKeptLog()
  const app = await startApp(t, { log })
  const { email } = await app.api.signUp()
  const { headers, body } = await app.api.login({ email, password: 'not the password at all' })
  const id = headers['x-request-id'] as string
  t.match(body, { code: 'invalid_credentials', request_id: id })
  const logged = lines.filter((line) => (line as { request_id?: string }).request_id === id)
  t.match(logged, [{ msg: 'request' }])
  const [recorded = ''] = await audit(app, '--event', 'login_failed')
  t.match(recorded, `request ${id}`)
})

t.test('OPS-07: audit prints events of a newer version, and of an older one without actors', async (t) => {
  const app = await startApp(t)
  const at = app.clock.now()
  const events = [
    { id: uuidv7(), at, event: 'from_an_older_version' },
    { id: uuidv7(), at, event: 'from_a_newer_version', actorKind: 'machine', actorId: '7' },
  ]
  await app.database.query((client) => client.auditEvent.createMany({ data: events }))
  const told = 'user -  session -  from -  request -'
  t.strictSame(await audit(app), [
    `${at.toISOString()}  from_an_older_version  -  by -  ${told}`,
    `${at.toISOString()}  from_a_newer_version  -  by machine 7  ${told}`,
  ])
})
