// Faults between a device and Sallyport, none of which logs the user out.

import t from 'tap'
import { createMemoryStore, type KeyStore } from '../../../src/sdk/client/client.js'
import { ask } from '../../../src/sdk/client/http.js'
import { PASSWORD } from '../../support/api.js'
import { keepCollectingGarbage } from '../../support/collect-garbage.js'
import { codeOf, startDeviceApp, type Device } from '../../support/sdk-client.js'
import { startStandIn } from '../../support/stand-in.js'

const REFRESH = '/v1/auth/refresh'
const attemptsOf = ({ network }: Device) =>
  network.callsOf(REFRESH).map(({ headers }) => headers.get('idempotency-key') ?? '')
const tokensOf = ({ network }: Device) => network.callsOf(REFRESH).map(({ body }) => body)

t.test('REF-08: a lost response is requested again with the same attempt', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  device.network.loseAnswer(REFRESH)
  await device.client.refresh()
  const [first = '', ...others] = attemptsOf(device)
  t.match(first, /^[0-9a-f]{32}$/)
  t.strictSame(others, [first], 'retried once')
  t.equal(new Set(tokensOf(device)).size, 1, 'with the same token')
  t.strictSame(Object.keys((await device.kept()) ?? {}), ['token'], 'and then the attempt is finished')
  await device.client.refresh()
  t.not(attemptsOf(device).at(-1), first, 'the next attempt is a new one')
  t.match(await device.client.sessions(), [{ id: device.sessionId }])
})

t.test('REF-08: killed after the commit, and offline for a day: the same session', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  for (let lost = 0; lost < 4; lost += 1) device.network.loseAnswer(REFRESH)
  t.equal(await codeOf(device.client.refresh()), 'unreachable')
  t.match(device.client.state, { status: 'signed_in' })
  t.match(await device.kept(), { token: /^spr_/, attempt: attemptsOf(device)[0] ?? '' })

  app.clock.advance({ days: 1 })
  const restarted = device.restart()
  device.network.isDown = true
  t.match(await restarted.restore(), { status: 'signed_in', user: null }, 'according to the store, a user is signed in')
  t.equal(await codeOf(restarted.me()), 'unreachable')
  device.network.isDown = false
  t.match(await restarted.restore(), { status: 'signed_in', session: { id: device.sessionId } })
  t.equal(new Set(attemptsOf(device)).size, 1)
  t.equal(new Set(tokensOf(device)).size, 1)
})

t.test('REF-08: a lost response to a password change is repeated by the next refresh', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  device.network.loseAnswer('/v1/me/password')
  const passwords = { current_password: PASSWORD, new_password: 'seven hills under a lantern' }
  t.equal(await codeOf(device.client.changePassword(passwords)), 'unreachable')
  t.match(await device.kept(), { token: /^spr_/, attempt: /^[0-9a-f]{32}$/ })
  app.clock.advance({ days: 1 })
  await device.restart().restore()
  t.match(await device.kept(), { token: /^spr_/, attempt: undefined })
  t.match(await device.client.sessions(), [{ id: device.sessionId }])
})

t.test('REF-04: an app that was killed before its request was sent continues with the stored attempt', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  device.network.isDown = true
  t.equal(await codeOf(device.client.refresh()), 'unreachable')
  device.network.isDown = false
  await device.restart().restore()
  t.equal(new Set(attemptsOf(device)).size, 1)
})

t.test(
  'if the server is busy, unreachable or not Sallyport, requests are retried with increasing pauses',
  async (t) => {
    const app = await startDeviceApp(t)
    const answers: [string, () => Response][] = [
      ['429', () => new Response(null, { status: 429, headers: { 'retry-after': '2' } })],
      ['500', () => new Response(null, { status: 500 })],
      ['502', () => new Response('<h1>Bad gateway</h1>', { status: 502 })],
      ['503', () => new Response(null, { status: 503, headers: { 'retry-after': '1' } })],
      ['a captive portal', () => new Response('<h1>Welcome to our Wi-Fi</h1>')],
    ]
    for (const [kind, answer] of answers) {
      const device = await app.signUp()
      for (let times = 0; times < 3; times += 1) device.network.answerNext(REFRESH, answer)
      t.match(await device.client.refresh(), { status: 'signed_in' }, kind)
      t.equal(device.pausesMs.length, 3)
      const [first = 0, second = 0, third = 0] = device.pausesMs
      const leastMs = kind === '429' ? 2000 : kind === '503' ? 1000 : 0
      t.ok(first >= leastMs && second >= leastMs && third >= leastMs, `${kind} waits ${device.pausesMs.join(', ')}`)
      t.equal(new Set(attemptsOf(device)).size, 1)
    }

    const device = await app.signUp()
    for (let times = 0; times < 4; times += 1)
      device.network.answerNext(REFRESH, () => new Response(null, { status: 500 }))
    await t.rejects(device.client.refresh(), { name: 'ClientError', status: 500 })
    t.match(device.client.state, { status: 'signed_in' }, 'and the session is not given up')
    t.match(await device.client.refresh(), { status: 'signed_in' })
  },
)

t.test('a permanent refusal is not retried, and ends nothing', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  const problem = { code: 'cross_site_request', status: 403 }
  device.network.answerNext(REFRESH, () => Response.json(problem, { status: 403 }))
  t.equal(await codeOf(device.client.refresh()), 'cross_site_request')
  device.network.answerNext(REFRESH, () => new Response('<h1>Sign in to the proxy</h1>', { status: 401 }))
  t.equal(await codeOf(device.client.refresh()), 'unexpected_answer')
  t.equal(device.pausesMs.length, 0)
  t.match(await device.client.refresh(), { status: 'signed_in' })
})

t.test('REF-03: the end of a session is reported with its reason, and its data is deleted', async (t) => {
  const app = await startDeviceApp(t)
  const ends: [string, string, (device: Device & { sessionId: string }) => Promise<unknown>][] = [
    ['session_ended', 'revoked_by_user', async ({ client, sessionId }) => client.endSession(sessionId)],
    [
      'refresh_token_reused',
      'reuse_detected',
      async (device) => {
        const stolen = await device.kept()
        await device.client.refresh()
        await device.client.refresh()
        // Within the grace period it would count as a request that was overtaken.
        app.clock.advance({ minutes: 1 })
        await device.storage.set(`sallyport.${new URL(app.baseUrl).host.replace(':', '_')}`, JSON.stringify(stolen))
      },
    ],
  ]
  for (const [code, reason, end] of ends) {
    const device = await app.signUp()
    await end(device)
    t.equal(await codeOf(device.client.refresh()), code)
    t.match(device.client.state, { status: 'signed_out', reason })
    t.equal(await device.kept(), null)
    t.equal((await device.client.fetch('/v1/whoami')).status, 401, 'when signed out, no token is sent')
  }
})

t.test('a sign-in or a logout replaces a refresh that hangs, whose late response changes nothing', async (t) => {
  const app = await startDeviceApp(t)
  const takeovers: [string, (device: Device, account: { email: string; password: string }) => Promise<unknown>][] = [
    ['login', ({ client }, account) => client.login(account)],
    ['logout', ({ client }) => client.logout()],
  ]
  for (const [kind, takeOver] of takeovers) {
    const device = await app.signUp()
    const held = device.network.holdAnswer(REFRESH)
    const refresh = codeOf(device.client.refresh())
    const letThrough = await held
    await takeOver(device, device.account)
    t.equal(await refresh, 'superseded', kind)
    const [state, kept] = [device.client.state, await device.kept()]
    letThrough()
    await new Promise(setImmediate)
    t.strictSame(device.client.state, state)
    t.strictSame(await device.kept(), kept)
    t.equal(state.status, kind === 'login' ? 'signed_in' : 'signed_out')
    if (kind === 'login') t.match(await device.client.refresh(), { status: 'signed_in' })
  }
})

t.test('a response without a body times out, also after garbage collection', async (t) => {
  const standIn = await startStandIn(t)
  standIn.handlers.set(REFRESH, (_request, response) => response.writeHead(200).flushHeaders())
  t.teardown(keepCollectingGarbage())
  const giveUp = new AbortController()
  setTimeout(() => giveUp.abort(), 500)
  t.equal(await codeOf(ask(fetch, standIn.url + REFRESH, { method: 'POST' }, giveUp.signal)), 'superseded')
})

t.test('a request of one session is not retried with another', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  const other = await app.signUp()
  await app.api.call('/v1/auth/logout', { method: 'POST', body: { refresh_token: (await device.kept())?.token } })
  const held = device.network.holdAnswer('/v1/whoami')
  const answer = device.client.fetch('/v1/whoami')
  const letThrough = await held
  await device.client.login(other.account)
  letThrough()
  t.equal((await answer).status, 401)
  t.equal(device.network.callsOf('/v1/whoami').length, 1)
})

/** A store that can be made to fail. */
function createFragileStore() {
  const inside = createMemoryStore()
  const fails = { get: false, set: false, delete: false }
  const orFail = <T>(operation: keyof typeof fails, work: () => Promise<T>) =>
    fails[operation] ? Promise.reject(new Error('The disk is full.')) : work()
  const storage: KeyStore = {
    get: (key) => orFail('get', () => inside.get(key)),
    set: (key, value) => orFail('set', () => inside.set(key, value)),
    delete: (key) => orFail('delete', () => inside.delete(key)),
  }
  return { storage, fails }
}

t.test('a store that fails', async (t) => {
  const app = await startDeviceApp(t)
  const account = { email: `${crypto.randomUUID()}@example.com`, password: PASSWORD }
  const { storage, fails } = createFragileStore()
  const device = app.device({ storage })
  await device.client.register(account)

  t.test('before the request: nothing is sent, so nothing is lost', async (t) => {
    fails.set = true
    t.equal(await codeOf(device.client.refresh()), 'storage_failed')
    t.equal(device.network.callsOf(REFRESH).length, 0)
    t.equal((await device.client.fetch('/v1/whoami')).status, 200, 'the access token is still used')
    fails.set = false
    fails.get = true
    t.equal(await codeOf(device.client.refresh()), 'storage_failed')
    t.equal(await codeOf(device.restart().restore()), 'storage_failed')
    fails.get = false
    t.match(await device.client.refresh(), { status: 'signed_in' })
  })

  t.test('after the response: the same attempt returns the token until it can be stored', async (t) => {
    const before = await device.kept()
    const held = device.network.holdAnswer(REFRESH)
    const refresh = device.client.refresh()
    const letThrough = await held
    fails.set = true
    letThrough()
    t.match(await refresh, { status: 'signed_in' }, 'the access token is valid')
    t.match(await device.kept(), { token: before?.token ?? '', attempt: String })
    fails.set = false
    app.clock.advance({ hours: 1 })
    t.match(await device.restart().restore(), { status: 'signed_in' })
    t.equal(new Set(attemptsOf(device).slice(-2)).size, 1)
    t.not((await device.kept())?.token, before?.token)
  })

  t.test('at sign-in: a session that cannot be stored is ended', async (t) => {
    const { state } = device.client
    fails.set = true
    t.equal(await codeOf(device.client.login(account)), 'storage_failed')
    fails.set = false
    t.strictSame(device.client.state, state)
    t.equal((await device.client.sessions()).length, 1)
  })

  t.test('at logout: the user is signed out all the same', async (t) => {
    await app.api.call('/v1/auth/logout', { method: 'POST', body: { refresh_token: (await device.kept())?.token } })
    fails.delete = true
    t.equal(await codeOf(device.client.refresh()), 'session_ended')
    t.match(device.client.state, { status: 'signed_out', reason: 'logout' })
  })
})

t.test('an unreadable record means that no user is signed in', async (t) => {
  const app = await startDeviceApp(t)
  for (const text of ['', '{', 'null', '"spr_"', '[]', '{}']) {
    const device = app.device()
    const key = `sallyport.${new URL(app.baseUrl).host.replace(':', '_')}`
    await device.storage.set(key, text)
    t.match(await device.client.restore(), { status: 'signed_out', reason: null }, text)
    t.equal(device.network.calls.length, 0)
  }
})

t.test('REF-04: if another process with the same store was faster, its token is read and used', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  const before = (await device.kept())?.token
  device.network.answerNext(REFRESH, () =>
    Response.json({ code: 'refresh_superseded', status: 409 }, { status: 409, headers: { 'retry-after': '1' } }),
  )
  const other = app.device({ storage: device.storage })
  const pause = device.pausesMs
  const refresh = device.client.refresh()
  await other.client.restore()
  t.match(await refresh, { status: 'signed_in' })
  t.ok(pause.length <= 1)
  t.not((await device.kept())?.token, before)
  t.match(await device.client.sessions(), [{ id: device.sessionId }])
})

t.test(
  'REF-04: if another process with the same store has signed in, a late response does not undo that',
  async (t) => {
    const app = await startDeviceApp(t)
    const device = await app.signUp()
    const held = device.network.holdAnswer(REFRESH)
    const refresh = device.client.refresh()
    const letThrough = await held
    const other = app.device({ storage: device.storage })
    const state = await other.client.login(device.account)
    const newer = { session: { id: state.status === 'signed_in' ? (state.session?.id ?? '') : '' } }
    const token = (await device.kept())?.token
    letThrough()
    t.match(await refresh, newer)
    t.match(tokensOf(device), [/spr_/, `"${token}"`], 'the newer token was still stored')
    t.match(await device.restart().restore(), newer)
  },
)

t.test('while Sallyport is unreachable, concurrent calls share their attempts', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  device.network.isDown = true
  const calls = Array.from({ length: 10 }, () => codeOf(device.client.refresh()))
  t.strictSame(new Set(await Promise.all(calls)), new Set(['unreachable']))
  t.equal(attemptsOf(device).length, 4)
})
