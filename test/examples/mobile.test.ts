// The app of examples/mobile as a real process, killed at every critical moment, without a network, without storage. It
// is never logged out, and Sallyport sees one session without reuse.

import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fastify } from 'fastify'
import { Secret, TOTP } from 'otpauth'
import t from 'tap'
import { createKeyStore } from '../../examples/mobile/key-store.js'
import { PASSWORD } from '../support/api.js'
import { startApp, type Test } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { createTestClock } from '../support/clock.js'
import {
  DONE,
  NOT_NOW,
  REFRESH,
  REFUSED,
  registerOnPhone,
  SECOND_STEP,
  sessionOf,
  SIGNED_OUT,
} from '../support/phone-owner.js'
import { readAuditTrail } from '../support/rows.js'
import { createSurfer, locationOf, providersOf } from '../support/social-flow.js'
import { startUpstream } from '../support/upstream-provider.js'

const clock = createTestClock()
const upstream = await startUpstream(t, { clock })
const entries = [upstream.entry({ name: 'Acme', authoritative: true })]
const settings = { RETURN_TO: 'com.example.app:/signed-in', ...providersOf(t, entries, upstream.clientSecret) }
const { app, api, config, database } = await startApp(t, { clock, settings })
const sallyport = await connectTo({ teardown: (work) => t.teardown(async () => work()) }, app.server)

const register = (t: Test) => registerOnPhone(t, sallyport.port)

function readSessions(email: string) {
  return database.query((client) => client.refreshTokenFamily.findMany({ where: { user: { email } } }))
}

/** The user's only session is active, at this generation, and without any reuse. */
async function expectUnharmed(t: Tap, email: string, generation: number): Promise<string> {
  const [session, ...others] = await readSessions(email)
  t.match({ others, session }, { others: [], session: { generation, endedAt: null } })
  const { id = '' } = session ?? {}
  t.strictSame(await readAuditTrail(database, id), ['user_registered'])
  return id
}

type Tap = Pick<typeof t, 'match' | 'strictSame' | 'equal'>

/** Starts the app and calls a protected route, in the original session. */
async function expectSignedIn(
  t: Tap,
  { phone, email }: Awaited<ReturnType<typeof registerOnPhone>>,
  generation: number,
) {
  const { code, said } = await phone.run(['whoami'])
  t.equal(code, DONE, said)
  t.equal(sessionOf(said), await expectUnharmed(t, email, generation))
}

t.test('each start of the app continues the session, with one process at a time', async (t) => {
  const user = await register(t)
  await expectUnharmed(t, user.email, 0)
  for (const generation of [1, 2, 3]) await expectSignedIn(t, user, generation)
  t.match(await user.phone.run(['profile']), { code: DONE, said: user.email })
  t.match(await user.phone.run(['sessions']), { code: DONE, said: 'Phone' })
  t.match(await user.phone.run(['login', user.email], PASSWORD), { code: REFUSED })
  await expectUnharmed(t, user.email, 6)
})

t.test('the app is killed, and started again a day later', async (t) => {
  const user = await register(t)
  const nothing = { attempt: undefined }
  const attempt = { attempt: String }
  // The generation in the database at the moment of the kill, and after the next start: if Sallyport has rotated and
  // the app has not stored it, the next start gets the same successor.
  const moments = [
    { at: 'open 1', what: 'before it has stored its attempt', kept: nothing, then: 0, next: 1 },
    { at: 'rename 1', what: 'with its attempt in a draft', kept: nothing, then: 1, next: 2 },
    { at: 'open 2', what: 'with its attempt stored, before the request', kept: attempt, then: 2, next: 3 },
    { at: 'open 3', what: 'with the response received', kept: attempt, then: 4, next: 4 },
    { at: 'rename 2', what: 'with the response in a draft', kept: attempt, then: 5, next: 5 },
    { at: 'open 4', what: 'with the response stored', kept: nothing, then: 6, next: 7 },
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

  t.test('while its request is in transit', async (t) => {
    const request = user.network.stopRequest(REFRESH)
    const running = user.phone.open(['whoami'])
    await running.until(request)
    await running.kill()
    await expectUnharmed(t, user.email, 7)
    clock.advance({ days: 1 })
    await expectSignedIn(t, user, 8)
  })

  t.test('while the response is in transit', async (t) => {
    const answer = user.network.stopAnswer(REFRESH)
    const running = user.phone.open(['whoami'])
    await running.until(answer)
    await running.kill()
    await expectUnharmed(t, user.email, 9)
    clock.advance({ days: 1 })
    await expectSignedIn(t, user, 9)
  })

  t.test('during a logout: the session has ended, and the app says so', async (t) => {
    const answer = user.network.stopAnswer('/v1/auth/logout')
    const running = user.phone.open(['logout'])
    await running.until(answer)
    await running.kill()
    t.match(await user.phone.run(['whoami']), { code: SIGNED_OUT, said: '(logout)' })
  })
})

t.test('a lost response is requested again immediately, and the user notices nothing', async (t) => {
  const user = await register(t)
  const answer = user.network.stopAnswer(REFRESH)
  const running = user.phone.open(['whoami'])
  const { lose } = await running.until(answer)
  lose()
  t.match(await running.ended, { code: DONE })
  await expectUnharmed(t, user.email, 1)
})

t.test('offline for a day: the lost response is requested with the same attempt key', async (t) => {
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

t.test('responses of a captive portal are not accepted', async (t) => {
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

  t.test('cannot be written: no request is sent, and the session continues when it can be written again', async (t) => {
    const before = await user.readRecord()
    t.match(await user.withFullDisk().run(['whoami']), { code: NOT_NOW, said: '(storage_failed)' })
    // The session, the known device, and the mail that waits for its code.
    t.strictSame([await user.readRecord(), (await readdir(user.keyStore)).length], [before, 3])
    await expectUnharmed(t, user.email, 0)
    clock.advance({ days: 1 })
    await expectSignedIn(t, user, 1)
  })

  t.test('cannot be read, as on a locked phone: the app does not conclude that there is no session', async (t) => {
    user.lockKeyStore()
    t.match(await user.phone.run(['whoami']), { code: NOT_NOW, said: '(storage_failed)' })
    user.unlockKeyStore()
    await expectSignedIn(t, user, 2)
  })

  t.test('fails after the response: the app works, and requests the response again next time', async (t) => {
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

  t.test('is readable by one user only, and a key is not a path', async (t) => {
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

t.test('a second factor: the app is killed between the password and the code', async (t) => {
  const user = await register(t)
  const begun = await user.phone.run(['totp'])
  t.match(begun, { code: DONE, said: 'otpauth://totp/' })
  const secret = /secret=([A-Z2-7]+)/.exec(begun.said)?.[1] ?? ''
  const id = /confirm ([0-9a-f-]{36})/.exec(begun.said)?.[1] ?? ''
  const codeNow = () => TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: clock.now().getTime() })
  const confirmed = await user.phone.run(['confirm', id, codeNow()])
  t.match(confirmed, { code: DONE, said: 'Your recovery codes' })
  const recoveryCode = /^ {2}(\S+)$/m.exec(confirmed.said)?.[1] ?? ''
  t.match(await user.phone.run(['logout']), { code: DONE })
  clock.advance({ seconds: 60 })

  t.match(await user.phone.run(['login', user.email], PASSWORD), { code: SECOND_STEP, said: 'totp, recovery_code' })
  t.match(await user.phone.run(['whoami']), { code: SIGNED_OUT, said: 'Type a code of your second factor' })
  t.match(await user.phone.run(['code', '000000']), { code: REFUSED, said: '(flow_invalid)' })
  t.match(await user.phone.run(['code', codeNow()]), { code: DONE, said: 'Welcome back' })
  t.match(await user.phone.run(['whoami']), { code: DONE })

  t.match(await user.phone.run(['logout']), { code: DONE })
  t.match(await user.phone.run(['login', user.email], PASSWORD), { code: SECOND_STEP })
  t.match(await user.phone.run(['recover', recoveryCode]), { code: DONE, said: 'That recovery code is used up.' })
})

t.test('another provider: the link arrives after the app was killed, and signs in; so does an ID token', async (t) => {
  const surfer = createSurfer({ api, config }, upstream)
  const user = await register(t)
  const tablet = user.device('Tablet')
  t.match(await tablet.run(['providers']), { code: DONE, said: 'upstream  Acme' })
  const browsing = tablet.open(['browse', 'upstream'])
  const said = String(await browsing.says('com.example.app%3A%2Fsigned-in'))
  await browsing.kill()
  const { pathname, search } = new URL(/http\S+/.exec(said)?.[0] ?? '')
  const start = await surfer.open(pathname + search, { isCrossSite: true })
  const link = locationOf(await surfer.comeBack(await upstream.signInAs('ada', locationOf(start))))
  t.match(link, /^com\.example\.app:\/signed-in\?code=/)

  t.match(await user.device('Thief').run(['opened', link]), { code: DONE, said: 'not of a sign-in' })
  t.match(await tablet.run(['whoami']), { code: SIGNED_OUT })
  t.match(await tablet.run(['opened', link]), { code: DONE, said: 'Welcome, ada@example.com.' })
  const session = sessionOf((await tablet.run(['whoami'])).said)
  t.match(session, String)

  const watch = user.device('Watch')
  const token = await upstream.mintIdToken('ada')
  t.match(await watch.run(['token', 'upstream', token]), { code: DONE, said: 'Welcome, ada@example.com.' })
  t.match(await watch.run(['sessions']), { code: DONE, said: 'Tablet' })
  t.match(await user.device('Thief').run(['token', 'upstream', token]), { code: REFUSED, said: '(id_token_invalid)' })
})

t.test('a copy of the key store is detected at the next use by either, and both get the reason', async (t) => {
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

t.test('logged out from another device, the app says so once', async (t) => {
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

t.test('invalid input is reported as such', async (t) => {
  const user = await register(t)
  const tablet = user.device('Tablet')
  t.match(await tablet.run(['login', user.email], 'another password'), { code: REFUSED, said: '(invalid_credentials)' })
  t.match(await tablet.run(['register', 'no address'], PASSWORD), { code: REFUSED, said: '/email' })
  t.match(await tablet.run(['fly']), { code: REFUSED, said: 'Usage' })
})
