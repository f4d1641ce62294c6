// The database fails in the middle of a change. A partial change is undone completely, in memory too.

import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { needsPostgres } from '../support/database.js'
import { startProxiedApp } from '../support/proxied-app.js'
import { readAllRows, readAuditTrail, readFamily } from '../support/rows.js'

const UNAVAILABLE = { status: 503, body: { code: 'database_unavailable' }, headers: { 'retry-after': '1' } }
const { api, app, clock, database } = await startApp(t)

/** Lets every transaction that revokes fail at its commit, as with a full disk. */
async function failRevocations(): Promise<void> {
  await database.query(async (client) => {
    await client.$executeRaw`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$`
    await client.$executeRaw`
      CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON revocation DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION fail()`
  })
}

async function heal(): Promise<void> {
  await database.query((client) => client.$executeRaw`DROP FUNCTION IF EXISTS fail CASCADE`)
}

t.test('REF-07: a logout that cannot be written has no effect, and succeeds when it is retried', async (t) => {
  const user = await api.signUp()
  const { body: second } = await api.login({ email: user.email, password: PASSWORD, mode: 'json' })
  const spent = user.refreshToken
  const { body: current } = await api.refresh(spent)
  clock.advance({ seconds: 11 })
  const families = async () => [
    await readFamily(database, user.sessionId),
    await readFamily(database, second.session.id),
  ]
  const [before, trail] = [await families(), await readAuditTrail(database, user.sessionId)]

  const token = current.access_token
  const ends = {
    reuse: () => api.refresh(spent),
    logout: () => api.call('/v1/auth/logout', { method: 'POST', token }),
    'logout of all sessions': () => api.call('/v1/auth/logout-all', { method: 'POST', token }),
    'one session': () => api.call(`/v1/sessions/${second.session.id}`, { method: 'DELETE', token }),
    'all others': () => api.call('/v1/sessions', { method: 'DELETE', token }),
    'new password': () =>
      api.call('/v1/me/password', {
        method: 'PUT',
        token,
        body: { current_password: PASSWORD, new_password: 'seven lanterns drift over copper hills' },
      }),
    deletion: () => api.call('/v1/me', { method: 'DELETE', token, body: { password: PASSWORD } }),
  }
  await failRevocations()
  t.teardown(heal)
  for (const [what, end] of Object.entries(ends)) {
    t.match(await end(), UNAVAILABLE, what)
    t.strictSame(await families(), before, what)
    t.strictSame(await readAuditTrail(database, user.sessionId), trail, what)
    for (const access of [token, second.access_token]) t.match(await api.whoami(access), { status: 200 }, what)
  }

  await heal()
  t.match(await api.login({ email: user.email, password: PASSWORD, mode: 'json' }), { status: 200 })
  t.match(await api.refresh(spent), { status: 401, body: { code: 'refresh_token_reused' } })
  t.match(await api.whoami(token), { status: 401, body: { code: 'session_ended' } })
})

t.test('REF-07: operator commands are atomic', async (t) => {
  const user = await api.signUp()
  const operate = (name: string, ...args: string[]) => runCommand(app.operator, name, ['--email', user.email, ...args])
  const commands: [string, ...string[]][] = [
    ['user:ban'],
    ['user:logout'],
    ['user:roles', '--set', 'admin'],
    ['user:password', '--password=seven lanterns drift over copper hills'],
  ]
  const before = await readAllRows(database)
  await failRevocations()
  t.teardown(heal)
  for (const [name, ...args] of commands) {
    await t.rejects(operate(name, ...args), { name: 'CommandError', message: /database is unavailable/ }, name)
    t.strictSame(await readAllRows(database), before, name)
    t.match(await api.whoami(user.accessToken), { status: 200 }, name)
  }
  await heal()
  t.match(await api.login({ email: user.email, password: PASSWORD }), { status: 200 })
  await operate('user:ban')
  t.match(await api.whoami(user.accessToken), { status: 401, body: { code: 'session_ended' } })
})

t.test('REF-07: a login whose family cannot be written ends no other session', async (t) => {
  const strict = await startApp(t, { join: true, clock, settings: { MAX_SESSIONS_PER_USER: '1' } })
  const user = await api.signUp()
  await failRevocations()
  t.teardown(heal)
  t.match(await strict.api.login({ email: user.email, password: PASSWORD, mode: 'json' }), UNAVAILABLE)
  await heal()
  t.match(await strict.api.whoami(user.accessToken), { status: 200 })
  t.match(await api.refresh(user.refreshToken), { status: 200 })
})

t.test('REF-07: a refresh that times out consumes nothing (needs Postgres)', { skip: needsPostgres }, async (t) => {
  const impatient = await startProxiedApp(t, { join: true, clock, limits: { lockMs: 100 } })
  const { refreshToken, sessionId } = await api.signUp()
  await database.transaction(async (tx) => {
    await tx.$executeRaw`SELECT FROM refresh_token_family WHERE id = ${sessionId}::uuid FOR UPDATE`
    t.match(await impatient.api.refresh(refreshToken), UNAVAILABLE)
    t.match(await impatient.api.refresh(refreshToken, { key: 'an-attempt-of-mine' }), UNAVAILABLE)
  })
  t.match(await readFamily(database, sessionId), { generation: 0, endedAt: null })
  t.match(await impatient.api.refresh(refreshToken), { status: 200 })
  t.match(await readFamily(database, sessionId), { generation: 1, endedAt: null })
})
