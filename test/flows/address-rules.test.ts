import { randomUUID } from 'node:crypto'
import t from 'tap'
import { CommandError } from '../../src/commands/command.js'
import { runCommand } from '../../src/commands/commands.js'
import { startApp, type TestApp } from '../support/app.js'
import { needsPostgres, openTestDatabase } from '../support/database.js'
import { startProxiedApp } from '../support/proxied-app.js'
import { until } from '../support/until.js'

const blocked = { status: 403, body: { code: 'address_blocked' } }
const WRONG = 'a password of no account at all'

const run = ({ app }: TestApp, command: string, ...args: string[]) => runCommand(app.operator, command, args)
const block = (app: TestApp, cidr: string, ...args: string[]) => run(app, 'ip:block', '--cidr', cidr, ...args)

t.test('a blocked address can only use the probes, and is served again once the rule is removed', async (t) => {
  const app = await startApp(t)
  const { api } = app
  const { accessToken: token, refreshToken, email } = await api.signUp()
  const from = '198.51.100.77'
  t.match(await block(app, '198.51.100.0/24', '--reason', 'guesses passwords'), [/^198\.51\.100\.0\/24 is blocked/])

  for (const path of ['/v1/whoami', '/.well-known/jwks.json', '/openapi.json', '/docs', '/problems', '/nowhere']) {
    t.match(await api.call(path, { token, from }), blocked, path)
    t.match(await api.call(path, { token, from: '::ffff:198.51.100.77' }), blocked, `${path} over IPv6`)
    t.not((await api.call(path, { token, from: '198.51.101.77' })).status, 403, `${path}, from a neighbouring address`)
  }
  t.match(await api.login({ email, password: WRONG }, { from }), blocked)
  t.match(await api.call('/v1/whoami', { method: 'OPTIONS', from }), blocked)
  for (const path of ['/livez', '/readyz']) t.match(await api.call(path, { from }), { status: 200 }, path)

  await run(app, 'ip:remove', '--cidr', '198.51.100.99/24')
  t.match(await api.call('/v1/whoami', { token, from }), { status: 200 })
  t.match(await api.refresh(refreshToken), { status: 200 }, 'no session has ended')
})

t.test('a rule expires at its time', async (t) => {
  const app = await startApp(t)
  const end = new Date(app.clock.now().getTime() + 3_600_000).toISOString()
  await block(app, '2001:db8::/32', '--until', end)
  const from = '2001:db8:ffff::1'
  t.match(await app.api.call('/livez'), { status: 200 })
  t.match(await app.api.call('/problems', { from }), blocked)
  app.clock.advance({ minutes: 59 })
  await app.app.addressRules.poll()
  t.match(await app.api.call('/problems', { from }), blocked)
  app.clock.advance({ minutes: 1 })
  await app.app.addressRules.poll()
  t.match(await app.api.call('/problems', { from }), { status: 200 })
  t.strictSame(await run(app, 'ip:list'), ['No addresses are blocked or allowed.'])

  await app.app.operations.runMaintenance()
  t.equal(await app.database.query((client) => client.addressRule.count()), 0)
})

t.test('an allowed address is exempt from the limits on addresses, but not from those on accounts', async (t) => {
  const app = await startApp(t)
  const { api } = app
  const from = '203.0.113.7'
  const register = () => api.register({ email: `${randomUUID()}@example.com`, password: 'short' }, { from })
  for (let attempt = 0; attempt < 100; attempt += 1) await register()
  t.match(await register(), { status: 429 })
  await run(app, 'ip:allow', '--cidr', '203.0.113.0/28', '--reason', 'our office')
  t.match(await register(), { status: 422, headers: { ratelimit: undefined } })

  const { email } = await api.signUp()
  const guess = () => api.login({ email, password: WRONG }, { from })
  for (let failures = 0; failures < 10; failures += 1) t.match(await guess(), { status: 401 })
  t.match(await guess(), { status: 429, headers: { ratelimit: /^"account"/ } })

  await block(app, '203.0.113.7')
  t.match(await register(), blocked, 'an address on both lists is blocked')
})

t.test('OPS-01: rules are listed, replaced and audited', async (t) => {
  const app = await startApp(t)
  await block(app, '192.0.2.7', '--reason', 'first')
  await run(app, 'ip:allow', '--cidr', '192.0.2.7/32')
  await block(app, '2001:DB8::/32', '--until', '2999-01-01T00:00:00Z', '--reason', 'for long')
  t.strictSame(await run(app, 'ip:list'), [
    'allow  192.0.2.7/32',
    'block  2001:db8::/32  until 2999-01-01T00:00:00.000Z  for long',
  ])
  await run(app, 'ip:remove', '--cidr', '192.0.2.7')
  const events = await app.database.query((client) =>
    client.auditEvent.findMany({ orderBy: [{ at: 'asc' }, { id: 'asc' }] }),
  )
  t.match(
    events.filter(({ event }) => event.startsWith('address_')),
    [
      { event: 'address_blocked', ip: null, detail: { range: '192.0.2.7/32', reason: 'first' } },
      { event: 'address_allowed', detail: { range: '192.0.2.7/32' } },
      { event: 'address_blocked', detail: { range: '2001:db8::/32', until: '2999-01-01T00:00:00.000Z' } },
      { event: 'address_rule_removed', detail: { range: '192.0.2.7/32', kind: 'allow' } },
    ],
  )
})

t.test('an invalid rule is refused with an explanation', async (t) => {
  const app = await startApp(t)
  const refused: [string[], RegExp][] = [
    [['ip:block'], /^--cidr is required/],
    [['ip:block', '--cidr', '0.0.0.0/0'], /^--cidr: /],
    [['ip:block', '--cidr', '::/0'], /^--cidr: /],
    [['ip:block', '--cidr', 'example.com'], /^--cidr: /],
    [['ip:block', '--cidr', '192.0.2.7', '--until', 'tomorrow'], /^--until: /],
    [['ip:block', '--cidr', '192.0.2.7', '--until', '2020-01-01T00:00:00Z'], /\/until: /],
    [['ip:block', '--cidr', '192.0.2.7', '--reason', ''], /^--reason: /],
    [['ip:block', '192.0.2.7'], /192\.0\.2\.7/],
    [['ip:remove', '--cidr', '192.0.2.7'], /No rule exists for 192\.0\.2\.7\/32/],
  ]
  for (const [[command = '', ...args], message] of refused) {
    const error: unknown = await run(app, command, ...args).catch((thrown: unknown) => thrown)
    t.ok(error instanceof CommandError && message.test(error.message), `${command} ${args.join(' ')}`)
  }
  t.equal(await app.database.query((client) => client.addressRule.count()), 0)
})

t.test('every instance follows the rules, and without the database the last ones stay in force', async (t) => {
  const one = await startApp(t)
  const other = await startApp(t, { join: true })
  const stop = other.app.addressRules.follow()
  t.teardown(stop)
  const ask = async (from: string) => (await other.api.call('/problems', { from })).status
  await block(one, '192.0.2.7')
  await until(async () => (await ask('192.0.2.7')) === 403)
  await run(one, 'ip:remove', '--cidr', '192.0.2.7')
  await until(async () => (await ask('192.0.2.7')) === 200)
})

t.test(
  'OPS-03: without the database the rules stay as they were (needs Postgres)',
  { skip: needsPostgres },
  async (t) => {
    const { app, api, proxy, ...instance } = await startProxiedApp(t)
    await block({ app, api, ...instance }, '192.0.2.7')
    await proxy.stop()
    await t.rejects(app.addressRules.poll())
    t.match(await api.call('/problems', { from: '192.0.2.7' }), blocked)
    t.match(await api.call('/problems', { from: '192.0.2.8' }), { status: 200 })
    await proxy.start()
    await (await openTestDatabase()).query((client) => client.addressRule.deleteMany())
    await until(() =>
      app.addressRules
        .poll()
        .then(() => true)
        .catch(() => false),
    )
    t.match(await api.call('/problems', { from: '192.0.2.7' }), { status: 200 })
  },
)
