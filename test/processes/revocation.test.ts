// Three processes on one Postgres: revocations by one of them or by an operator take effect in all.

import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import type { SignedUp } from '../support/api.js'
import { SECRET_KEY } from '../support/app.js'
import { createEmptyDatabase, needsPostgres } from '../support/database.js'
import { runOperate, startProcess, type ServerProcess } from '../support/process.js'
import { until } from '../support/until.js'

interface Cause {
  what: string
  code: string
  /** Whether a refresh resolves it. */
  refreshable: boolean
  revoke(user: SignedUp, at: ServerProcess): Promise<unknown>
}

t.test('revoked by one, refused by all (needs Postgres)', { skip: needsPostgres }, async (t) => {
  const url = await createEmptyDatabase(t)
  const start = (settings: Record<string, string> = {}) =>
    startProcess(t, { DATABASE_URL: url, SECRET_KEY, HASHING_CONCURRENCY: '2', ...settings })
  const first = await start()
  // The last one gets no notifications, as behind a pooler: it only polls.
  const instances = [first, ...(await Promise.all([start(), start({ DATABASE_PREPARED: 'false' })]))]

  async function operate(...args: string[]): Promise<void> {
    const { code, stderr } = await runOperate(t, args, { DATABASE_URL: url, SECRET_KEY })
    if (code !== 0) throw new Error(stderr)
  }

  t.test('REF-12: a client that an operator disables is refused by all', async (t) => {
    const options = ['--client-id', 'orders', '--client-name', 'Orders', '--introspect']
    const { stdout } = await runOperate(t, ['client:create', ...options], { DATABASE_URL: url, SECRET_KEY })
    const authorization = `Bearer ${/spc_[\w-]{43}/.exec(stdout)?.[0] ?? ''}`
    const ask = ({ api }: ServerProcess) => api.call('/v1/revocations', { headers: { authorization } })
    for (const instance of instances) t.match(await ask(instance), { status: 200 })
    await operate('client:disable', '--client-id', 'orders')
    await Promise.all(instances.map((instance) => until(async () => (await ask(instance)).status === 401)))
    await operate('client:enable', '--client-id', 'orders')
    await Promise.all(instances.map((instance) => until(async () => (await ask(instance)).status === 200)))
  })

  const causes: Cause[] = [
    {
      what: 'REF-12: a logout',
      code: 'session_ended',
      refreshable: false,
      revoke: ({ accessToken: token }, { api }) => api.call('/v1/auth/logout', { method: 'POST', token }),
    },
    {
      what: 'REF-12: a password change',
      code: 'token_stale',
      refreshable: true,
      revoke: ({ accessToken: token, password: current_password }, { api }) => {
        const body = { current_password, new_password: 'seven other hills under a lantern' }
        return api.call('/v1/me/password', { method: 'PUT', token, body })
      },
    },
    {
      what: 'REF-12: a change of roles',
      code: 'token_stale',
      refreshable: true,
      revoke: ({ email }) => operate('user:roles', '--email', email, '--set', 'editor'),
    },
    {
      what: 'REF-12: a ban',
      code: 'session_ended',
      refreshable: false,
      revoke: ({ email }) => operate('user:ban', '--email', email),
    },
    {
      what: 'KEY-04: a withdrawn key',
      code: 'token_stale',
      refreshable: true,
      revoke: ({ accessToken }) => operate('keys:revoke', '--kid', decodeProtectedHeader(accessToken).kid ?? ''),
    },
  ]

  for (const [index, { what, code, refreshable, revoke }] of causes.entries()) {
    t.test(what, async (t) => {
      const at = instances[index % instances.length] ?? first
      const user = await at.api.signUp()
      for (const { api } of instances) t.match(await api.whoami(user.accessToken), { status: 200 })

      await revoke(user, at)
      await Promise.all(
        instances.map(({ api }) => until(async () => (await api.whoami(user.accessToken)).body.code === code)),
      )
      const refreshed = await first.api.refresh(user.refreshToken)
      t.equal(refreshed.status, refreshable ? 200 : 401)
      if (!refreshable) return
      for (const { api } of instances) t.match(await api.whoami(refreshed.body.access_token), { status: 200 })
    })
  }

  t.test('REF-12: one that starts later has them, and none logs an error', async (t) => {
    const user = await first.api.signUp()
    await first.api.call('/v1/auth/logout', { method: 'POST', token: user.accessToken })
    const late = await start()
    t.match(await late.api.whoami(user.accessToken), { status: 401, body: { code: 'session_ended' } })
    // The warning is that of DATABASE_PREPARED=false.
    for (const { said } of instances) t.notMatch(said(), /"level":"(warn(?!.*DATABASE_PREPARED)|error|fatal)"/)
  })
})
