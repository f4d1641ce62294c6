// A login verifies the password, and opens its session a moment later. Changes in between take effect.

import argon2 from 'argon2'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD, type Api, type SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'
import { createTestClock } from '../support/clock.js'
import { needsPostgres, openTestDatabase } from '../support/database.js'
import { startProxiedApp } from '../support/proxied-app.js'
import { until } from '../support/until.js'

const NEW_PASSWORD = 'seven lanterns drift over copper hills'
const WRONG = { status: 401, body: { code: 'invalid_credentials' } }

// The time limit for hashing is not tested here, so a login may wait for any time on a slow machine.
const unhurried = Object.assign(createTestClock(), { elapsedMs: () => 0 })
const { api, app, clock, database } = await startApp(t, { clock: unhurried })

const login = (instance: Api, { email }: SignedUp, password = PASSWORD) =>
  instance.login({ email, password, mode: 'json' })
const changePassword = (instance: Api, { accessToken }: SignedUp) =>
  instance.call('/v1/me/password', {
    method: 'PUT',
    token: accessToken,
    body: { current_password: PASSWORD, new_password: NEW_PASSWORD },
  })
const remove = (instance: Api, { accessToken }: SignedUp) =>
  instance.call('/v1/me', { method: 'DELETE', token: accessToken, body: { password: PASSWORD } })

const countLive = (userId: string) =>
  database.query((client) => client.refreshTokenFamily.count({ where: { userId, endedAt: null } }))

t.test('REF-22: no login during a password change has a session afterwards', async (t) => {
  const other = await startApp(t, { join: true, clock })
  for (let round = 0; round < 5; round += 1) {
    const user = await api.signUp()
    const logins = [login(other.api, user), login(api, user)]
    const change = changePassword(api, user)
    logins.push(login(other.api, user), login(api, user))
    t.match(await change, { status: 204 })
    for (const answer of await Promise.all(logins)) {
      if (answer.status === 200) {
        t.match(await api.refresh(answer.body.refresh_token), { status: 401, body: { reason: 'password_changed' } })
      } else {
        t.match(answer, WRONG)
      }
    }
    t.equal(await countLive(user.userId), 1)
    t.match(await login(api, user, NEW_PASSWORD), { status: 200 })
  }
})

t.test('REF-22: changes since the password was checked take effect', async (t) => {
  let meanwhile: (() => Promise<unknown>) | undefined
  /** Runs something else as soon as the next password has been checked. */
  const { verify } = argon2
  t.intercept(argon2, 'verify', {
    value: async (...args: Parameters<typeof verify>) => {
      const isRight = await verify(...args)
      const next = meanwhile
      meanwhile = undefined
      await next?.()
      return isRight
    },
  })
  const late = await startApp(t, { join: true, clock })
  const operate = ({ email }: SignedUp, name: string, ...args: string[]) =>
    runCommand(app.operator, name, ['--email', email, ...args])

  const changes: [string, (user: SignedUp) => Promise<unknown>, object, number][] = [
    ['the user changed it', (user) => changePassword(api, user), WRONG, 1],
    ['an operator set another one', (user) => operate(user, 'user:password', `--password=${NEW_PASSWORD}`), WRONG, 0],
    ['the user was deleted', (user) => remove(api, user), WRONG, 0],
    ['the user was banned', (user) => operate(user, 'user:ban'), { status: 403, body: { code: 'account_banned' } }, 0],
  ]
  for (const [what, change, refused, live] of changes) {
    const user = await api.signUp()
    meanwhile = () => change(user)
    t.match(await login(late.api, user), refused, `a login opens no session: ${what}`)
    t.equal(meanwhile, undefined)
    t.equal(await countLive(user.userId), live)
  }
  for (const [what, act] of Object.entries({ 'another change': changePassword, 'a deletion': remove })) {
    const user = await api.signUp()
    meanwhile = () => changePassword(api, user)
    t.match(await act(late.api, user), WRONG, `${what} needs the new one`)
    t.equal(await countLive(user.userId), 1)
  }
})

t.test('REF-22: concurrent logins never leave more sessions than the maximum', async (t) => {
  const settings = { MAX_SESSIONS_PER_USER: '2' }
  const instances = [
    await startApp(t, { join: true, clock, settings }),
    await startApp(t, { join: true, clock, settings }),
  ]
  const user = await api.signUp()
  const answers = await Promise.all(
    instances.flatMap((instance) => Array.from({ length: 6 }, () => login(instance.api, user))),
  )
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(await countLive(user.userId), 2)
})

t.test(
  'REF-22: transactions on a user run in the order in which they lock the row (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const limits = {
      deadlineMs: 30_000,
      lockMs: 30_000,
      statementMs: 30_000,
      silenceMs: 30_000,
      idleInTransactionMs: 30_000,
    }
    const { api, app } = await startProxiedApp(t, { join: true, clock, limits })
    const operate = ({ email }: SignedUp, name: string, ...args: string[]) =>
      runCommand(app.operator, name, ['--email', email, ...args])
    const { transaction } = await openTestDatabase()

    /** The number of statements that wait for a lock. */
    const countWaiting = async () => {
      const rows = await database.query(
        (client) => client.$queryRaw<{ pid: number }[]>`
        SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )
      return rows.length
    }

    /**
     * Starts each operation while the user's row is locked, the next one when the previous one waits for it, and then
     * unlocks it.
     */
    async function inOrder<T>(user: SignedUp, ...starts: (() => Promise<T>)[]): Promise<T[]> {
      const begun: Promise<T>[] = []
      await transaction(async (tx) => {
        await tx.$executeRaw`SELECT FROM "user" WHERE id = ${user.userId}::uuid FOR NO KEY UPDATE`
        for (const start of starts) {
          begun.push(start())
          await until(async () => (await countWaiting()) === begun.length)
        }
      })
      return Promise.all(begun)
    }

    t.test('a login that is hashing while the password changes opens no session', async (t) => {
      const user = await api.signUp()
      const [change, late] = await inOrder<object>(
        user,
        () => changePassword(api, user),
        () => login(api, user),
      )
      t.match(change, { status: 204 })
      t.match(late, WRONG)
      t.equal(await countLive(user.userId), 1)
    })

    t.test('an earlier login opens one, which the password change ends', async (t) => {
      const user = await api.signUp()
      const [early, change] = await inOrder<object>(
        user,
        () => login(api, user),
        () => changePassword(api, user),
      )
      t.match([early, change], [{ status: 200 }, { status: 204 }])
      t.equal(await countLive(user.userId), 1)
    })

    t.test('a login that is hashing while its user is deleted opens no session', async (t) => {
      const user = await api.signUp()
      const [deletion, late] = await inOrder<object>(
        user,
        () => remove(api, user),
        () => login(api, user),
      )
      t.match(deletion, { status: 204 })
      t.match(late, WRONG)
    })

    t.test('a login that is hashing while its user is banned opens no session', async (t) => {
      const user = await api.signUp()
      const [, late] = await inOrder<object>(
        user,
        () => operate(user, 'user:ban'),
        () => login(api, user),
      )
      t.match(late, { status: 403, body: { code: 'account_banned' } })
      t.equal(await countLive(user.userId), 0)
    })

    t.test('a login before the ban opens one, which the ban ends', async (t) => {
      const user = await api.signUp()
      const [early] = await inOrder<object>(
        user,
        () => login(api, user),
        () => operate(user, 'user:ban'),
      )
      t.match(early, { status: 200 })
      t.equal(await countLive(user.userId), 0)
    })

    t.test('a login before an operator ends all sessions opens one, which ends too', async (t) => {
      const user = await api.signUp()
      const [early] = await inOrder<object>(
        user,
        () => login(api, user),
        () => operate(user, 'user:logout'),
      )
      t.match(early, { status: 200 })
      t.equal(await countLive(user.userId), 0)
    })

    t.test('a login that is hashing while an operator sets the password opens no session', async (t) => {
      const user = await api.signUp()
      const [, late] = await inOrder<object>(
        user,
        () => operate(user, 'user:password', `--password=${NEW_PASSWORD}`),
        () => login(api, user),
      )
      t.match(late, WRONG)
      t.equal(await countLive(user.userId), 0)
    })

    t.test('of two concurrent password changes, the later one has the wrong current password', async (t) => {
      const user = await api.signUp()
      const [first, second] = await inOrder<object>(
        user,
        () => changePassword(api, user),
        () => changePassword(api, user),
      )
      t.match([first, second], [{ status: 204 }, WRONG])
    })

    t.test('two concurrent logins leave one session if the maximum is one', async (t) => {
      const strict = await startProxiedApp(t, { join: true, clock, limits, settings: { MAX_SESSIONS_PER_USER: '1' } })
      const user = await api.signUp()
      const [first, second] = await inOrder(
        user,
        () => login(strict.api, user),
        () => login(strict.api, user),
      )
      t.match(await strict.api.refresh(first?.body.refresh_token), { status: 401, body: { reason: 'limit' } })
      t.match(await strict.api.refresh(second?.body.refresh_token), { status: 200 })
    })
  },
)
