// The app of examples/mobile as a real process, killed at every bad moment, without a network, without a disk. Nobody is
// logged out by any of it, and Sallyport sees one session that was never misused.

import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fastify } from 'fastify'
import t from 'tap'
import { createKeyStore } from '../../examples/mobile/key-store.js'
import { PASSWORD } from '../support/api.js'
import { startApp, type Test } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { DONE, NOT_NOW, REFRESH, REFUSED, registerOnPhone, sessionOf, SIGNED_OUT } from '../support/phone-owner.js'
import { readAuditTrail } from '../support/rows.js'

const { app, clock, database } = await startApp(t)
const sallyport = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, app.server)

const register = (t: Test) => registerOnPhone(t, sallyport.port)

function readSessions(email: string) {
  return database.query((client) => client.refreshTokenFamily.findMany({ where: { user: { email } } }))
}

/** The only session that the user ever had lives, at this generation, and nothing was held against it. */
async function expectUnharmed(t: Tap, email: string, generation: number): Promise<string> {
  const [session, ...others] = await readSessions(email)
  t.match({ others, session }, { others: [], session: { generation, endedAt: null } })
  const { id = '' } = session ?? {}
  t.strictSame(await readAuditTrail(database, id), ['user_registered'])
  return id
}

type Tap = Pick<typeof t, 'match' | 'strictSame' | 'equal'>

/** The app is opened and asks a protected route, in the session that was there all along. */
async function expectSignedIn(
  t: Tap,
  { phone, email }: Awaited<ReturnType<typeof registerOnPhone>>,
  generation: number,
) {
  const { code, said } = await phone.run(['whoami'])
  t.equal(code, DONE, said)
  t.equal(sessionOf(said), await expectUnharmed(t, email, generation))
}

t.test('each start of the app goes on with the session, in one place at a time', async (t) => {
  const user = await register(t)
  await expectUnharmed(t, user.email, 0)
  for (const generation of [1, 2, 3]) await expectSignedIn(t, user, generation)
  t.match(await user.phone.run(['profile']), { code: DONE, said: user.email })
  t.match(await user.phone.run(['sessions']), { code: DONE, said: 'Phone' })
  t.match(await user.phone.run(['login', user.email], PASSWORD), { code: REFUSED })
  await expectUnharmed(t, user.email, 6)
})

t.test('the app is killed, and a day later opened again', async (t) => {
  const user = await register(t)
  const nothing = { attempt: undefined }
  const attempt = { attempt: String }
  // The generation in the database at the moment of the kill, and after the next start: where Sallyport has rotated
  // and the app has not kept it, the next start is given the same successor.
  const moments = [
    { at: 'open 1', what: 'before it has written down its attempt', kept: nothing, then: 0, next: 1 },
    { at: 'rename 1', what: 'with its attempt in a draft', kept: nothing, then: 1, next: 2 },
    { at: 'open 2', what: 'with its attempt written down, before it asks', kept: attempt, then: 2, next: 3 },
    { at: 'open 3', what: 'with the answer in its hands', kept: attempt, then: 4, next: 4 },
    { at: 'rename 2', what: 'with the answer in a draft', kept: attempt, then: 5, next: 5 },
    { at: 'open 4', what: 'with the answer written down', kept: nothing, then: 6, next: 7 },
  ]
  for (const { at, what, kept, then, next } of moments) {
    t.test(what, async (t) => {
      t.match(await user.killedAt(at).run(['whoami']), { signal: 'SIGKILL' })
      t.match(await user.readRecord(), kept)
      await expectUnharmed(t, user.email, then)
      clock.advance({ days: 1 })
      await expectSignedIn(t, user, next)
    })
  }

  t.test('while its request is on the way to Sallyport', async (t) => {
    const request = user.network.stopRequest(REFRESH)
    const running = user.phone.open(['whoami'])
    await running.until(request)
    await running.kill()
    await expectUnharmed(t, user.email, 7)
    clock.advance({ days: 1 })
    await expectSignedIn(t, user, 8)
  })

  t.test('while the answer is on the way back', async (t) => {
    const answer = user.network.stopAnswer(REFRESH)
    const running = user.phone.open(['whoami'])
    await running.until(answer)
    await running.kill()
    await expectUnharmed(t, user.email, 9)
    clock.advance({ days: 1 })
    await expectSignedIn(t, user, 9)
  })

  t.test('while it logs out: it has, and says so', async (t) => {
    const answer = user.network.stopAnswer('/v1/auth/logout')
    const running = user.phone.open(['logout'])
    await running.until(answer)
    await running.kill()
    t.match(await user.phone.run(['whoami']), { code: SIGNED_OUT, said: '(logout)' })
  })
})

t.test('an answer that is lost is asked for again at once, and the user notices nothing', async (t) => {
  const user = await register(t)
  const answer = user.network.stopAnswer(REFRESH)
  const running = user.phone.open(['whoami'])
  const { lose } = await running.until(answer)
  lose()
  t.match(await running.ended, { code: DONE })
  await expectUnharmed(t, user.email, 1)
})

t.test('offline for a day: the lost answer of yesterday is asked for with the same attempt key', async (t) => {
  const user = await register(t)
  const { network, phone } = user
  const lost = network.stopAnswer(REFRESH)
  const doomed = phone.open(['whoami'])
  const { headers: before } = await doomed.until(lost)
  await doomed.kill()
  await network.disconnect()
  for (const command of ['whoami', 'logout']) {
    const offline = await phone.run([command])
    t.match(offline, { code: NOT_NOW, said: '(unreachable)' })
    t.match(offline.said, 'You are still signed in.')
  }
  clock.advance({ days: 1 })

  await network.connect()
  const repeated = network.stopAnswer(REFRESH)
  const running = phone.open(['whoami'])
  const { headers: after, deliver } = await running.until(repeated)
  deliver()
  t.match(await running.ended, { code: DONE })
  t.type(before['idempotency-key'], 'string')
  t.equal(after['idempotency-key'], before['idempotency-key'])
  await expectUnharmed(t, user.email, 1)
  await expectSignedIn(t, user, 2)
})

t.test('a network that answers for Sallyport, as a hotel does, is not believed', async (t) => {
  const user = await register(t)
  const hotel = fastify()
  hotel.setNotFoundHandler((_request, reply) => reply.code(200).type('text/html').send('<h1>Welcome</h1>'))
  user.network.leadTo(await hotel.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(() => hotel.close())
  t.match(await user.phone.run(['whoami']), { code: NOT_NOW, said: '(unexpected_answer)' })
  t.match(await user.phone.run(['logout']), { code: NOT_NOW, said: '(unexpected_answer)' })
  user.network.leadTo(`http://127.0.0.1:${sallyport.port}`)
  await expectSignedIn(t, user, 1)
})

t.test('the key store', async (t) => {
  const user = await register(t)

  t.test('takes nothing: nothing is asked for, and the session is there when it takes something again', async (t) => {
    const before = await user.readRecord()
    t.match(await user.withFullDisk().run(['whoami']), { code: NOT_NOW, said: '(storage_failed)' })
    t.strictSame([await user.readRecord(), (await readdir(user.keyStore)).length], [before, 2])
    await expectUnharmed(t, user.email, 0)
    clock.advance({ days: 1 })
    await expectSignedIn(t, user, 1)
  })

  t.test('gives nothing, as while a phone is locked: nobody takes that for no session', async (t) => {
    user.lockKeyStore()
    t.match(await user.phone.run(['whoami']), { code: NOT_NOW, said: '(storage_failed)' })
    user.unlockKeyStore()
    await expectSignedIn(t, user, 2)
  })

  t.test('fails when the answer is there: the app works, and asks for the answer again next time', async (t) => {
    const answer = user.network.stopAnswer(REFRESH)
    const running = user.phone.open(['whoami'])
    const { deliver } = await running.until(answer)
    user.lockKeyStore()
    deliver()
    t.match(await running.ended, { code: DONE })
    user.unlockKeyStore()
    clock.advance({ days: 1 })
    await expectSignedIn(t, user, 3)
    await expectSignedIn(t, user, 4)
  })

  t.test('is for the eyes of one user, and a key is no path', async (t) => {
    const { keyStore } = user
    const [file = ''] = await readdir(keyStore)
    t.strictSame([statSync(keyStore).mode & 0o777, statSync(join(keyStore, file)).mode & 0o777], [0o700, 0o600])
    const store = createKeyStore(join(keyStore, 'inside'))
    for (const key of ['../outside', '..', '.', '/tmp/outside', '']) {
      await t.rejects(store.get(key), TypeError)
      await t.rejects(store.set(key, 'value'), TypeError)
      await t.rejects(store.delete(key), TypeError)
    }
    t.equal(await store.get('a-key'), null)
    await store.set('a-key', 'value')
    t.equal(await store.get('a-key'), 'value')
    await store.delete('a-key')
    t.equal(await store.get('a-key'), null)
  })
})

t.test('a copy of the key store is found at its next use, whoever comes first, and both are told', async (t) => {
  for (const first of ['phone', 'thief']) {
    t.test(`${first} first`, async (t) => {
      const user = await register(t)
      user.copyKeyStoreTo('Thief')
      const thief = user.device('Thief')
      const [earlier, later] = first === 'phone' ? [user.phone, thief] : [thief, user.phone]
      t.match(await earlier.run(['whoami']), { code: DONE })
      clock.advance({ minutes: 1 })

      t.match(await later.run(['whoami']), { code: SIGNED_OUT, said: '(reuse_detected)' })
      t.match(await earlier.run(['whoami']), { code: SIGNED_OUT, said: '(reuse_detected)' })
      const [session] = await readSessions(user.email)
      t.match(session, { endReason: 'reuse_detected', generation: 1 })
      t.ok((await readAuditTrail(database, session?.id ?? '')).includes('refresh_reused'))
      t.match(await user.phone.run(['login', user.email], PASSWORD), { code: DONE })
    })
  }
})

t.test('logged out from another device, the app says so, once', async (t) => {
  const user = await register(t)
  const tablet = user.device('Tablet')
  const phoneSession = await expectUnharmed(t, user.email, 0)
  t.match(await tablet.run(['login', user.email], PASSWORD), { code: DONE })
  t.match(await tablet.run(['end', phoneSession]), { code: DONE })
  t.match(await user.phone.run(['whoami']), { code: SIGNED_OUT, said: '(revoked_by_user)' })
  t.match(await user.phone.run(['whoami']), { code: SIGNED_OUT, said: 'You are not signed in.' })
  t.match(await tablet.run(['logout']), { code: DONE })
  t.match(await tablet.run(['whoami']), { code: SIGNED_OUT, said: 'You are not signed in.' })
})

t.test('what the user types wrong is told as such', async (t) => {
  const user = await register(t)
  const tablet = user.device('Tablet')
  t.match(await tablet.run(['login', user.email], 'another password'), { code: REFUSED, said: '(invalid_credentials)' })
  t.match(await tablet.run(['register', 'no address'], PASSWORD), { code: REFUSED, said: '/email' })
  t.match(await tablet.run(['fly']), { code: REFUSED, said: 'Usage' })
})
