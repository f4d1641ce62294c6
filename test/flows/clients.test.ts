// Registered clients: who may introspect and follow the feed, and how fast a client that is disabled or loses a secret is
// refused. Each request is HTTP; operators use commands.

import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { startApp, type TestApp } from '../support/app.js'
import { openTestDatabase } from '../support/database.js'
import { connectTo } from '../support/client.js'
import { createClientCalls } from '../support/client-families.js'
import { addSecret, registerClient } from '../support/client-tokens.js'
import { openFeed } from '../support/feed-reader.js'
import { readFamily } from '../support/rows.js'
import { watchStatements } from '../support/statements.js'
import { until } from '../support/until.js'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const bearer = (secret: string) => `Bearer ${secret}`
const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
const refused = { status: 401, body: { code: 'invalid_client' } }

/** Runs a command as an operator does. */
const run = ({ app }: TestApp, name: string, ...args: string[]) => runCommand(app.operator, name, args)

const list = ({ api }: TestApp, authorization: string) =>
  api.call<{ clients: { client_id: string; epoch: number }[] }>('/v1/revocations', { headers: { authorization } })

t.test('a client that may introspect is a verifier, by its secret alone or by HTTP Basic', async (t) => {
  const app = await startApp(t)
  const { api } = app
  const { accessToken } = await api.signUp()
  const secret = await registerClient(app, 'orders', '--introspect')
  const other = await registerClient(app, 'billing', '--introspect')
  const service = await registerClient(app, 'worker', '--grant-types', 'client_credentials')

  for (const authorization of [bearer(secret), basic('orders', secret)]) {
    t.match(await list(app, authorization), { status: 200 })
    const text = String(new URLSearchParams({ token: accessToken }))
    const answer = await api.call('/oauth/introspect', { method: 'POST', text, headers: { authorization, ...form } })
    t.match(answer, { status: 200, body: { active: true } })
  }
  const wrong = [
    bearer(service),
    basic('worker', service),
    basic('orders', other),
    basic('unknown', secret),
    basic('', secret),
    bearer(`${secret}x`),
    bearer(`spc_${'x'.repeat(43)}`),
    basic('orders', `spc_${'x'.repeat(43)}`),
    bearer('orders'),
  ]
  for (const authorization of wrong) t.match(await list(app, authorization), refused, authorization)
})

t.test('a client that ends a session is named in the audit trail', async (t) => {
  const app = await startApp(t)
  const { accessToken, sessionId } = await app.api.signUp()
  const authorization = bearer(await registerClient(app, 'orders', '--introspect'))
  const text = String(new URLSearchParams({ token: accessToken }))
  await app.api.call('/oauth/revoke', { method: 'POST', text, headers: { authorization, ...form } })
  const where = { sessionId, event: 'session_ended' }
  const event = await app.database.query((client) => client.auditEvent.findFirst({ where }))
  t.match(event, { actorKind: 'client', actorId: 'orders' })
})

t.test('a known client costs no query', async (t) => {
  const database = watchStatements(await openTestDatabase())
  const app = await startApp(t, { database })
  const secret = await registerClient(app, 'orders', '--introspect')
  for (const authorization of [bearer(secret), basic('orders', secret)]) {
    t.match(await list(app, authorization), { status: 200 })
    database.take()
    t.match(await list(app, authorization), { status: 200 })
    t.strictSame(database.take(), [])
  }
  t.match(await list(app, basic('orders', 'nonsense')), refused)
  t.match(await list(app, bearer('nonsense')), refused)
  t.strictSame(database.take(), [], 'and neither does what is no secret')
})

t.test('a client that is disabled is refused until it is enabled, and so is one that was removed', async (t) => {
  const app = await startApp(t)
  const secret = await registerClient(app, 'orders', '--introspect')
  const ways = [bearer(secret), basic('orders', secret)]
  const all = async (expected: object) => {
    for (const authorization of ways) t.match(await list(app, authorization), expected)
  }
  await all({ status: 200 })
  await run(app, 'client:disable', '--client-id', 'orders')
  await all(refused)
  await run(app, 'client:enable', '--client-id', 'orders')
  await all({ status: 200 })
  await run(app, 'client:remove', '--client-id', 'orders')
  await all(refused)
  const again = await registerClient(app, 'orders', '--introspect')
  await all(refused)
  t.match(await list(app, basic('orders', again)), { status: 200 }, 'its successor has a secret of its own')
})

t.test('two secrets are valid while one replaces the other', async (t) => {
  const app = await startApp(t)
  const first = await registerClient(app, 'orders', '--introspect')
  const second = await addSecret(app, 'orders')
  for (const secret of [first, second]) t.match(await list(app, bearer(secret)), { status: 200 })
  await t.rejects(addSecret(app, 'orders'), { message: /^--client-id: .* two secrets .* --withdraw-old/ })

  t.match(await run(app, 'client:rotate-secret', '--client-id', 'orders', '--withdraw-old'), [/refused/, String])
  for (const authorization of [bearer(first), basic('orders', first)]) t.match(await list(app, authorization), refused)
  t.match(await list(app, bearer(second)), { status: 200 })
  const again = await run(app, 'client:rotate-secret', '--client-id', 'orders', '--withdraw-old')
  t.match(again, [/^orders has no old secret\. Nothing was changed/])
  t.match(await list(app, bearer(second)), { status: 200 })
})

t.test('another instance hears of each change', async (t) => {
  const one = await startApp(t)
  const two = await startApp(t, { join: true, clock: one.clock })
  const first = await registerClient(one, 'orders', '--introspect')
  t.match(await list(two, basic('orders', first)), { status: 200 }, 'a new client')
  const second = await addSecret(one, 'orders')
  t.match(await list(two, basic('orders', second)), { status: 200 }, 'a new secret')

  await run(one, 'client:rotate-secret', '--client-id', 'orders', '--withdraw-old')
  t.match(await list(two, basic('orders', first)), { status: 200 }, 'nothing was heard yet')
  await two.app.revocations.poll()
  for (const authorization of [bearer(first), basic('orders', first)]) t.match(await list(two, authorization), refused)
  t.match(await list(two, bearer(second)), { status: 200 })

  for (const [command, expected] of [
    ['client:disable', refused],
    ['client:enable', { status: 200 }],
    ['client:remove', refused],
  ] as const) {
    await run(one, command, '--client-id', 'orders')
    await two.app.revocations.poll()
    t.match(await list(two, bearer(second)), expected, command)
  }
})

t.test('an instance that hears nothing any more reads a client at each use', async (t) => {
  const one = await startApp(t)
  const two = await startApp(t, { join: true, clock: one.clock })
  const secret = await registerClient(one, 'orders', '--introspect')
  const introspect = ({ api }: TestApp) =>
    api.call('/oauth/introspect', {
      method: 'POST',
      text: 'token=x',
      headers: { authorization: bearer(secret), ...form },
    })
  t.match(await introspect(two), { status: 200 })
  await run(one, 'client:disable', '--client-id', 'orders')
  one.clock.advance({ seconds: 6 })
  t.match(await introspect(two), { status: 401, body: { error: 'invalid_client' } })
})

t.test(
  'a client that is disabled or removed loses its families, also those that an interrupted run left',
  async (t) => {
    const app = await startApp(t)
    const { families } = app.app.operator
    const calls = createClientCalls(app)
    const user = await app.api.signUp()
    const openedFor = async (clientId: string) => (await calls.open(user, { clientId })).family.id
    await registerClient(app, 'orders')
    const [first, others] = [await openedFor('orders'), await openedFor('bills')]
    await run(app, 'client:disable', '--client-id', 'orders')
    t.match(await readFamily(app.database, first), { endReason: 'revoked_by_admin' })

    const left = await openedFor('orders')
    t.match(await run(app, 'client:disable', '--client-id', 'orders'), [/disabled already/])
    t.match(await readFamily(app.database, left), { endReason: 'revoked_by_admin' })

    await run(app, 'client:enable', '--client-id', 'orders')
    const last = await openedFor('orders')
    await run(app, 'client:remove', '--client-id', 'orders')
    t.match(await readFamily(app.database, last), { endReason: 'revoked_by_admin' })
    for (const id of [others, user.sessionId]) t.match(await readFamily(app.database, id), { endedAt: null })
    t.match(await families.listApps(user.userId), [{ clientId: 'bills' }])
  },
)

t.test('the stream of a verifier ends when its client is disabled', async (t) => {
  const app = await startApp(t)
  const { port } = await connectTo(t, app.app.server)
  const secrets = [
    await registerClient(app, 'orders', '--introspect'),
    await registerClient(app, 'billing', '--introspect'),
  ]
  const [orders, billing] = await Promise.all(
    secrets.map((secret) => openFeed(t, port, '/v1/revocations/stream', { authorization: bearer(secret) })),
  )
  for (const feed of [orders, billing]) await feed?.next(({ event }) => event === 'beat')
  await run(app, 'client:disable', '--client-id', 'orders')
  await until(() => Promise.resolve(orders?.ended() === true))
  const entry = await billing?.next(({ event }) => event === 'clients')
  t.match(entry?.data, { clients: [{ client_id: 'orders', epoch: Number, expires_at: Number }] })
  t.equal(billing?.ended(), false)
})

t.test('a verifier may call in the name of a browser with the secret of a client', async (t) => {
  const app = await startApp(t)
  const { email, password } = await app.api.signUp()
  const page = app.browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  const cookies = { sallyport_rt: page.cookies.get('sallyport_rt') ?? '' }
  const agentOf = async () => {
    const family = await app.database.query((client) =>
      client.refreshTokenFamily.findFirstOrThrow({ where: { mode: 'session' } }),
    )
    return family.userAgent
  }
  const before = await agentOf()
  const renew = (headers: Record<string, string>) =>
    app.api.call('/v1/whoami', { cookies, headers: { 'user-agent': 'a service', ...headers } })
  const secret = await registerClient(app, 'orders', '--introspect')
  t.match(await renew({ 'x-sallyport-verifier': secret }), { status: 200 })
  t.equal(await agentOf(), before, "the browser's is kept")
  t.match(await renew({ 'x-sallyport-verifier': `spc_${'x'.repeat(43)}` }), { status: 200 })
  t.equal(await agentOf(), 'a service')
})
