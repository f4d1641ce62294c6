// What the outbox of back-channel logouts promises: each is attempted by one instance at a time, for an hour, and a client that
// does not answer holds up no other client, and no end of a session.

import { createServer } from 'node:http'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { operator } from '../../../src/features/audit/audit.js'
import { newClientSchema } from '../../../src/features/clients/clients.js'
import { noCaller } from '../../../src/platform/http/caller.js'
import { createMetrics } from '../../../src/platform/metrics/metrics.js'
import { startApp, type StartOptions, type TestApp } from '../../support/app.js'
import { createClientCalls } from '../../support/client-families.js'
import { openTestDatabase } from '../../support/database.js'
import { findFreePort } from '../../support/free-port.js'
import { listen } from '../../support/listen.js'
import { createKeptLog } from '../../support/logged.js'
import { startLogoutReceiver, type LogoutReceiver } from '../../support/logout-receiver.js'
import { parseMetrics } from '../../support/metrics.js'
import { readAuditTrail } from '../../support/rows.js'
import { watchStatements } from '../../support/statements.js'

type Test = Parameters<typeof startApp>[0]

const settings = { OAUTH: 'on' }

async function start(t: Test, options: StartOptions = {}) {
  const sallyport = await startApp(t, { settings, ...options })
  const receiver = await startLogoutReceiver(t)
  await register(sallyport, 'shop', receiver.uri)
  return { ...sallyport, receiver, deliver: () => sallyport.app.backchannelLogout.deliverDue() }
}

async function register({ app }: Pick<TestApp, 'app'>, clientId: string, uri?: string, others = {}): Promise<void> {
  const metadata = { client_id: clientId, client_name: clientId, backchannel_logout_uri: uri, ...others }
  await app.operator.clients.create(newClientSchema.parse(metadata))
}

/** A user with sessions at these clients, one each, that have then ended; the ids of their families. */
async function endSessions(
  sallyport: Pick<TestApp, 'app' | 'api' | 'clock'>,
  ...clientIds: string[]
): Promise<string[]> {
  const user = await sallyport.api.signUp()
  const clients = createClientCalls(sallyport)
  const ids: string[] = []
  for (const [index, clientId] of clientIds.entries()) {
    const { family } = await clients.open(user, { clientId, rpSid: `${user.userId}-${index}` })
    ids.push(family.id)
  }
  await sallyport.app.operator.administration.endSessions(user.email)
  return ids
}

function readWaiting({ database }: Pick<TestApp, 'database'>) {
  return database.query((client) => client.backchannelLogout.findMany({ orderBy: { id: 'asc' } }))
}

const jtis = ({ tokens }: LogoutReceiver) => tokens.map((token) => decodeJwt(token).jti)

t.test('a logout is written with the end of the session, and gone when the client has accepted it', async (t) => {
  const sallyport = await start(t)
  const [familyId] = await endSessions(sallyport, 'shop')
  t.match(await readWaiting(sallyport), [{ clientId: 'shop', uri: sallyport.receiver.uri, alg: 'RS256', familyId }])
  await sallyport.deliver()
  t.equal(sallyport.receiver.tokens.length, 1)
  t.strictSame(await readWaiting(sallyport), [])
})

t.test('a logout token has the algorithm of the ID tokens of its client', async (t) => {
  const sallyport = await start(t)
  await register(sallyport, 'fast', sallyport.receiver.uri, { id_token_signed_response_alg: 'ES256' })
  await endSessions(sallyport, 'shop', 'fast', 'shop', 'fast')
  await sallyport.deliver()
  const algorithms = sallyport.receiver.tokens.map((token) => [decodeJwt(token).aud, decodeProtectedHeader(token).alg])
  t.strictSame(algorithms.sort(), [
    ['fast', 'ES256'],
    ['fast', 'ES256'],
    ['shop', 'RS256'],
    ['shop', 'RS256'],
  ])
})

t.test('a logout that is rolled back with its cause is not sent', async (t) => {
  const sallyport = await start(t)
  const { app, api, receiver } = sallyport
  const user = await api.signUp()
  await createClientCalls(sallyport).open(user, { clientId: 'shop' })
  const { families, revocations } = app.operator
  const by = { actor: operator, caller: noCaller }
  const undone = revocations.transaction(async (tx, revoke) => {
    await families.endOne(tx, revoke, user.sessionId, { reason: 'banned', by })
    throw new Error('rolled back')
  })
  await t.rejects(undone, { message: 'rolled back' })
  await sallyport.deliver()
  t.strictSame(receiver.tokens, [])
})

t.test(
  'who has not asked to be told is not told: no address, no session, a client that registered itself',
  async (t) => {
    const sallyport = await start(t)
    const { app, receiver } = sallyport
    await register(sallyport, 'untold')
    const itself = { client_id: 'itself', client_name: 'Itself', backchannel_logout_uri: receiver.uri }
    await app.operator.clients.create(newClientSchema.parse(itself), { by: { kind: 'client', id: 'itself' } })
    await endSessions(sallyport, 'untold', 'itself')
    const user = await sallyport.api.signUp()
    await createClientCalls(sallyport).open(user, { clientId: 'shop', rpSid: null })
    await app.operator.administration.endSessions(user.email)
    t.strictSame(await readWaiting(sallyport), [])
  },
)

t.test('a client that fails is told again within a minute, with another token', async (t) => {
  const sallyport = await start(t)
  const { receiver, clock } = sallyport
  receiver.answer((response) => response.writeHead(503).end())
  await endSessions(sallyport, 'shop')
  await sallyport.deliver()
  await sallyport.deliver()
  t.equal(receiver.tokens.length, 1, 'not before the pause')
  receiver.answer((response) => response.writeHead(204).end())
  clock.advance({ minutes: 1 })
  await sallyport.deliver()
  const [first, second, ...others] = jtis(receiver)
  t.strictSame(others, [])
  t.not(first, second)
  t.strictSame(await readWaiting(sallyport), [])
})

t.test('a client that fails for an hour is given up, which is audited and counted', async (t) => {
  const metrics = await createMetrics()
  const sallyport = await start(t, { metrics })
  const { receiver, clock, app, database } = sallyport
  receiver.answer((response) => response.writeHead(400).end())
  const [familyId = ''] = await endSessions(sallyport, 'shop')
  for (let minute = 0; minute < 59; minute += 1) {
    await sallyport.deliver()
    if (minute === 40) t.equal((await readWaiting(sallyport)).length, 1, 'not before')
    clock.advance({ minutes: 1 })
  }
  await app.backchannelLogout.maintain()
  const during = parseMetrics((await metrics.read()).text)
  clock.advance({ minutes: 2 })
  await sallyport.deliver()

  t.strictSame(await readWaiting(sallyport), [])
  t.ok(receiver.tokens.length >= 9, `${receiver.tokens.length} attempts`)
  t.ok((await readAuditTrail(database, familyId)).includes('backchannel_logout_failed'))
  const { value } = parseMetrics((await metrics.read()).text)
  t.equal(value('sallyport_backchannel_logouts_total', 'result="failed"'), 1)
  t.equal(value('sallyport_backchannel_logouts_total', 'result="delivered"'), 0)
  t.equal(value('sallyport_backchannel_logout_attempts_failed_total', 'class="refused"'), receiver.tokens.length)
  t.type(during.value('sallyport_backchannel_logout_oldest_queued_seconds'), 'number')
})

t.test(
  'an instance that dies while the client answers: another one tells the client when the lease has ended',
  async (t) => {
    const sallyport = await start(t)
    const { receiver, clock, database } = sallyport
    await endSessions(sallyport, 'shop')
    const dying = await startApp(t, {
      ...{ settings, clock, join: true },
      database: {
        ...database,
        // The answer of the client is never noted.
        query: (work, options) =>
          receiver.tokens.length > 0 ? Promise.reject(new Error('killed')) : database.query(work, options),
      },
    })
    await dying.app.backchannelLogout.deliverDue()
    t.equal(receiver.tokens.length, 1)

    const restarted = await startApp(t, { settings, clock, join: true })
    await restarted.app.backchannelLogout.deliverDue()
    t.equal(receiver.tokens.length, 1, 'the lease of the dead instance still runs')
    clock.advance({ seconds: 16 })
    await restarted.app.backchannelLogout.deliverDue()
    t.equal(receiver.tokens.length, 2)
    t.strictSame(await readWaiting(sallyport), [])
  },
)

t.test('several instances tell each client once', async (t) => {
  const sallyport = await start(t)
  const { receiver, clock } = sallyport
  await endSessions(sallyport, ...Array<string>(30).fill('shop'))
  const others = await Promise.all([1, 2].map(() => startApp(t, { settings, clock, join: true })))
  await Promise.all([sallyport, ...others].map(({ app }) => app.backchannelLogout.deliverDue()))
  // A client is told of two at once by each instance, which stops where nothing else is left.
  while ((await readWaiting(sallyport)).length > 0) await sallyport.deliver()
  const sids = receiver.tokens.map((token) => decodeJwt(token)['sid'])
  t.equal(sids.length, 30)
  t.equal(new Set(sids).size, 30)
})

t.test('a client that never answers has three seconds, and holds up no other client', async (t) => {
  const sallyport = await start(t)
  const { receiver, clock, database } = sallyport
  let asked = 0
  const port = await listen(
    t,
    createServer(() => (asked += 1)),
  )
  await register(sallyport, 'silent', `http://127.0.0.1:${port}/logout`)
  const [first = ''] = await endSessions(sallyport, ...Array<string>(20).fill('silent'))
  clock.advance({ seconds: 1 })
  await endSessions(sallyport, 'shop')
  const delivery = sallyport.deliver()
  while (receiver.tokens.length === 0) await new Promise(setImmediate)
  t.equal(asked, 2, 'it is asked twice at once, and the other client is told meanwhile')
  await delivery
  t.equal(asked, 2, 'and not again before a pause')
  t.equal((await readWaiting(sallyport)).length, 20)
  t.notOk((await readAuditTrail(database, first)).includes('backchannel_logout_failed'))
})

t.test('redirects are not followed, and a long answer is not read', async (t) => {
  const sallyport = await start(t)
  const elsewhere = await startLogoutReceiver(t)
  sallyport.receiver.answer((response) => response.writeHead(307, { location: elsewhere.uri }).end())
  await endSessions(sallyport, 'shop')
  await sallyport.deliver()
  t.equal(sallyport.receiver.tokens.length, 1)
  t.equal(elsewhere.tokens.length, 0)
  t.match(await readWaiting(sallyport), [{ attempts: 1 }])

  let sent = 0
  sallyport.receiver.answer((response) => {
    const write = () => {
      sent += 1
      if (!response.closed && response.write('x'.repeat(65_536))) setImmediate(write)
    }
    response.writeHead(200).on('drain', write)
    write()
  })
  sallyport.clock.advance({ minutes: 1 })
  await sallyport.deliver()
  t.strictSame(await readWaiting(sallyport), [])
  t.ok(sent < 1000, `${sent} blocks of 64 KiB were sent`)
})

t.test('an end is neither slow nor refused while a client cannot be reached', async (t) => {
  const { log, lines } = createKeptLog()
  const sallyport = await start(t, { log })
  await register(sallyport, 'gone', `http://127.0.0.1:${await findFreePort()}/logout`)
  await endSessions(sallyport, 'gone')
  await sallyport.deliver()
  t.match(await readWaiting(sallyport), [{ attempts: 1 }])
  t.match(
    lines.filter(({ msg }) => msg === 'back-channel logout not accepted yet'),
    [{ client_id: 'gone', code: 'ECONNREFUSED', fault: 'connection', pause_ms: 10_000 }],
  )
})

t.test('a client that is removed is still told of the ends that this causes', async (t) => {
  const sallyport = await start(t)
  const user = await sallyport.api.signUp()
  await createClientCalls(sallyport).open(user, { clientId: 'shop' })
  await sallyport.app.operator.administration.removeClient('shop')
  await sallyport.deliver()
  t.match(
    sallyport.receiver.tokens.map((token) => decodeJwt(token)),
    [{ aud: 'shop', sub: user.userId, sid: 'rp-sid' }],
  )
})

t.test('without the provider, nothing is written, and what was left is purged', async (t) => {
  const sallyport = await start(t)
  await endSessions(sallyport, 'shop')
  const without = await startApp(t, { clock: sallyport.clock, join: true })
  await endSessions(without, 'shop')
  t.equal((await readWaiting(sallyport)).length, 1)
  await without.app.backchannelLogout.deliverDue()
  await without.app.backchannelLogout.maintain()
  t.equal((await readWaiting(sallyport)).length, 1)
  sallyport.clock.advance({ hours: 2, seconds: 1 })
  await without.app.backchannelLogout.maintain()
  t.strictSame(await readWaiting(sallyport), [])
  t.strictSame(sallyport.receiver.tokens, [])
})

t.test('a first-party logout and refresh are one statement each, as before', async (t) => {
  const database = watchStatements(await openTestDatabase())
  const { api, app } = await start(t, { database })
  t.teardown(app.backchannelLogout.start())
  const user = await api.signUp()
  database.take()
  const { body } = await api.refresh(user.refreshToken)
  t.equal(ofRequests(database.take()).length, 1)
  await api.call('/v1/auth/logout', { method: 'POST', body: { refresh_token: body.refresh_token } })
  t.equal(ofRequests(database.take()).length, 1)
})

/** Without those of the delivery, which has a timer of its own. */
const ofRequests = (statements: string[]) => statements.filter((sql) => !sql.startsWith('UPDATE backchannel_logout'))
