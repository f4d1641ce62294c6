import { createServer, type IncomingMessage } from 'node:http'
import t from 'tap'
import { runCommand } from '../../../src/commands/commands.js'
import { ClientError, createClient, type ClientOptions } from '../../../src/sdk/client/client.js'
import { PASSWORD } from '../../support/api.js'
import type { Test } from '../../support/app.js'
import { listen } from '../../support/listen.js'
import { codeOf, startDeviceApp } from '../../support/sdk-client.js'

t.test('invalid options are named when the client is created', async (t) => {
  const wrong: [Partial<ClientOptions>, RegExp][] = [
    [{ baseUrl: 'auth.example.com' }, /baseUrl/],
    [{ baseUrl: 'ftp://auth.example.com' }, /baseUrl/],
    [{ baseUrl: 'https://auth.example.com/?a=b' }, /baseUrl/],
    [JSON.parse('{"mode":"jwt"}') as Partial<ClientOptions>, /mode/],
    [{ origins: ['https://example.com/'] }, /origins/],
    [{ origins: ['*'] }, /origins/],
  ]
  for (const [options, expected] of wrong) {
    const create = () => createClient({ baseUrl: 'https://auth.example.com', mode: 'json', ...options })
    t.throws(create, { name: 'TypeError', message: expected }, JSON.stringify(options))
  }
})

t.test('sign-up, profile, sessions and logout', async (t) => {
  const app = await startDeviceApp(t)
  const phone = app.device()
  const states: string[] = []
  phone.client.onChange(({ status }) => states.push(status))
  t.match(await phone.client.restore(), { status: 'signed_out', reason: null })

  const email = `${crypto.randomUUID()}@example.com`
  const state = await phone.client.register({ email, password: PASSWORD, name: 'Ada', device_name: 'Phone' })
  t.match(state, { status: 'signed_in', user: { email, name: 'Ada' }, session: { mode: 'json', device_name: 'Phone' } })
  t.match(await phone.client.me(), { email })
  t.match(await phone.client.updateMe({ name: 'Ada King' }), { name: 'Ada King' })
  t.match(phone.client.state, { user: { name: 'Ada King' } })

  const tablet = app.device()
  await tablet.client.login({ email, password: PASSWORD })
  const sessions = await phone.client.sessions()
  t.equal(sessions.length, 2)
  const other = sessions.find(({ current }) => !current)
  t.match(await phone.client.renameSession(other?.id ?? '', 'Tablet'), { device_name: 'Tablet' })
  await phone.client.endSession(other?.id ?? '')
  t.match(await phone.client.sessions({ ended: true }), [{ device_name: 'Tablet', reason: 'revoked_by_user' }])
  t.equal(await codeOf(tablet.client.me()), 'session_ended')
  t.match(tablet.client.state, { status: 'signed_out', reason: 'revoked_by_user' })
  t.equal(await tablet.kept(), null)

  await phone.client.logout()
  t.match(phone.client.state, { status: 'signed_out', reason: 'logout' })
  t.equal(await phone.kept(), null)
  t.strictSame(states, ['signed_out', 'signed_in', 'signed_in', 'signed_in', 'signed_out'])
})

t.test('a refusal says what is wrong, and changes nothing', async (t) => {
  const app = await startDeviceApp(t, { estimatesStrength: true })
  const { client, account, kept } = await app.signUp()
  const { email } = account
  const before = await kept()
  const refusals: [string, () => Promise<unknown>][] = [
    ['invalid_credentials', () => client.login({ email, password: 'something else' })],
    ['email_taken', () => client.register({ email, password: PASSWORD })],
    ['password_too_weak', () => client.register({ email: 'bob@example.com', password: 'aaaaaaaaaaaaaaaa' })],
    ['invalid_credentials', () => client.deleteMe({ password: 'something else' })],
    ['not_found', () => client.endSession(crypto.randomUUID())],
  ]
  for (const [code, refused] of refusals) t.equal(await codeOf(refused()), code)
  t.match(client.state, { status: 'signed_in', user: { email } })
  t.strictSame(await kept(), before)

  const error = await client.register({ email: 'nobody', password: PASSWORD }).catch((thrown: unknown) => thrown)
  t.ok(error instanceof ClientError)
  t.match(error, { code: 'validation_failed', status: 422, errors: [{ path: '/email' }], requestId: String })
})

t.test('an error contains the additional members of its problem, and only those', async (t) => {
  const standard = {
    type: '/problems/token_stale',
    title: 'Stale',
    status: 401,
    code: 'token_stale',
    detail: 'Refresh.',
    instance: '/v1/auth/login',
    request_id: 'request-1',
    reason: 'logout',
    errors: [],
  }
  const refuse = (problem: object) => {
    const answer = async () => new Response(JSON.stringify(problem), { status: 401 })
    const client = createClient({ baseUrl: 'https://auth.example.com', mode: 'json', fetch: answer })
    t.teardown(() => client.close())
    return client.login({ email: 'ada@example.com', password: PASSWORD }).catch((thrown: unknown) => thrown)
  }
  const members = { acr_values: ['aal2'], max_age: 900, attempts_left: 2 }
  const error = await refuse({ ...standard, ...members })
  t.match(error, { code: 'token_stale', requestId: 'request-1', reason: 'logout' })
  t.ok(error instanceof ClientError)
  t.strictSame((error as ClientError).members, members)
  t.strictSame(((await refuse(standard)) as ClientError).members, {})
  t.strictSame(new ClientError('unreachable').members, {}, 'also without a response')
})

t.test('a sign-in ends the current session', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  await device.client.login(device.account)
  const sessions = await device.client.sessions()
  t.match(sessions, [{ current: true }])
  t.equal(sessions.length, 1)
  t.match(await device.client.sessions({ ended: true }), [{ id: device.sessionId, reason: 'logout' }])
})

t.test('REF-14: a password change returns new tokens, and the user stays signed in', async (t) => {
  const app = await startDeviceApp(t)
  const device = await app.signUp()
  const before = await device.kept()
  await device.client.changePassword({ current_password: PASSWORD, new_password: 'seven hills under a lantern' })
  t.equal((await device.client.fetch('/v1/whoami')).status, 200)
  t.equal(device.network.callsOf('/v1/auth/refresh').length, 0)
  t.match(device.client.state, { status: 'signed_in', session: { id: device.sessionId } })
  const after = await device.kept()
  t.strictSame(Object.keys(after ?? {}), ['token'])
  t.not(after?.token, before?.token)
  await device.client.refresh()
  t.match(device.client.state, { status: 'signed_in', session: { id: device.sessionId } })
})

t.test('on all devices: logout-all, other sessions, deletion', async (t) => {
  const app = await startDeviceApp(t)
  const phone = await app.signUp()
  const tablet = app.device()
  await tablet.client.login(phone.account)
  await phone.client.endOtherSessions()
  t.equal(await codeOf(tablet.client.me()), 'session_ended')
  await tablet.client.login(phone.account)
  await tablet.client.logoutAll()
  t.match(tablet.client.state, { status: 'signed_out', reason: 'logout_all' })
  t.equal(await codeOf(phone.client.me()), 'session_ended')
  t.match(phone.client.state, { status: 'signed_out', reason: 'logout_all' })
  await phone.client.login(phone.account)
  await phone.client.deleteMe({ password: PASSWORD })
  t.match(phone.client.state, { status: 'signed_out', reason: 'deleted' })
  t.equal(await codeOf(phone.client.login(phone.account)), 'invalid_credentials')
})

/** Another service, without Sallyport's codes. */
async function startService(t: Test, isGood: (token: string) => boolean) {
  const requests: { authorization: string | undefined; body: string; cookie: string | undefined }[] = []
  const server = createServer((request: IncomingMessage, response) => {
    let body = ''
    request.on('data', (bytes) => (body += String(bytes)))
    request.on('end', () => {
      const { authorization, cookie } = request.headers
      requests.push({ authorization, body, cookie })
      const passes = isGood(authorization?.replace(/^Bearer /, '') ?? '')
      response.writeHead(passes ? 200 : 401, passes ? {} : { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
    })
  })
  return { url: `http://127.0.0.1:${await listen(t, server)}`, requests }
}

t.test('fetch: other services', async (t) => {
  const app = await startDeviceApp(t)
  let refused = ''
  const service = await startService(t, (token) => token !== '' && token !== refused)
  const device = app.device({ origins: [service.url] })
  await device.client.register({ email: `${crypto.randomUUID()}@example.com`, password: PASSWORD })

  t.test('get the access token', async (t) => {
    t.equal((await device.client.fetch(`${service.url}/orders`)).status, 200)
    t.match(service.requests.at(-1)?.authorization, /^Bearer eyJ/)
  })

  t.test('a token that one of them refuses is refreshed, and the request is retried once with its body', async (t) => {
    const bodies: [string, () => [string | Request, RequestInit?]][] = [
      ['text', () => [`${service.url}/orders`, { method: 'POST', body: 'one lantern' }]],
      ['request', () => [new Request(`${service.url}/orders`, { method: 'POST', body: 'one lantern' })]],
    ]
    for (const [kind, create] of bodies) {
      refused = service.requests.at(-1)?.authorization?.replace('Bearer ', '') ?? ''
      const before = service.requests.length
      t.equal((await device.client.fetch(...create())).status, 200, kind)
      const [first, second, ...others] = service.requests.slice(before)
      t.strictSame([first?.body, second?.body], ['one lantern', 'one lantern'], kind)
      t.not(first?.authorization, second?.authorization)
      t.equal(others.length, 0)
    }
  })

  t.test('a stream is not sent twice, but the next request succeeds', async (t) => {
    refused = service.requests.at(-1)?.authorization?.replace('Bearer ', '') ?? ''
    const init = { method: 'POST', body: new Blob(['one lantern']).stream(), duplex: 'half' } as RequestInit
    t.equal((await device.client.fetch(`${service.url}/orders`, init)).status, 401)
    t.equal((await device.client.fetch(`${service.url}/orders`)).status, 200)
  })

  t.test('if it refuses again, its response is returned', async (t) => {
    const stubborn = await startService(t, () => false)
    const client = app.device({ storage: device.storage, origins: [stubborn.url] }).client
    t.equal((await client.fetch(stubborn.url)).status, 401)
    t.equal(stubborn.requests.length, 2)
  })

  t.test('REF-06: no response of another service ends a session', async (t) => {
    device.network.answerNext('/orders', () => Response.json({ code: 'session_ended' }, { status: 401 }))
    t.equal((await device.client.fetch(`${service.url}/orders`)).status, 200)
    t.match(device.client.state, { status: 'signed_in' })
  })

  t.test('an Authorization header of the caller is not changed', async (t) => {
    await device.client.fetch(`${service.url}/orders`, { headers: { authorization: 'Basic YTpi' } })
    t.equal(service.requests.at(-1)?.authorization, 'Basic YTpi')
  })

  t.test('an unlisted origin never gets the token', async (t) => {
    const before = device.network.calls.length
    const { host } = new URL(app.baseUrl)
    const addresses = [
      'https://example.com/',
      '//example.com/v1/whoami',
      '/\\example.com/v1/whoami',
      `http://${host}@example.com/`,
      `${app.baseUrl}@example.com/`,
      `${app.baseUrl}.example.com/`,
      `${app.baseUrl}\\@example.com/`,
      `${app.baseUrl}\n.example.com/`,
      ` ${app.baseUrl}/v1/whoami`,
      'v1/whoami',
      'javascript:alert(1)',
    ]
    for (const address of addresses) {
      await t.rejects(device.client.fetch(address), { name: 'TypeError', message: /origins/ }, JSON.stringify(address))
    }
    await t.rejects(device.client.fetch(new Request('https://example.com/')), { name: 'TypeError' })
    t.equal(device.network.calls.length, before)
  })
})

t.test(
  'fetch: refreshes before the token expires, once for all callers, and uses the current token without a response',
  async (t) => {
    const app = await startDeviceApp(t)
    const device = await app.signUp()
    const refreshes = () => device.network.callsOf('/v1/auth/refresh').length
    t.equal((await device.client.fetch('/v1/whoami')).status, 200)
    t.equal(refreshes(), 0)
    app.clock.advance({ seconds: 595 })
    const answers = await Promise.all(Array.from({ length: 5 }, () => device.client.fetch('/v1/whoami')))
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    )
    t.equal(refreshes(), 1)

    app.clock.advance({ seconds: 595 })
    device.network.answerNext(
      '/v1/auth/refresh',
      () => new Response(null, { status: 503, headers: { 'retry-after': '60' } }),
    )
    t.equal((await device.client.fetch('/v1/whoami')).status, 200, 'the token has five seconds left')
    app.clock.advance({ seconds: 6 })
    device.network.answerNext(
      '/v1/auth/refresh',
      () => new Response(null, { status: 503, headers: { 'retry-after': '60' } }),
    )
    await t.rejects(device.client.fetch('/v1/whoami'), { name: 'ClientError', retryAfterSeconds: 60 })
    t.equal((await device.client.fetch('/v1/whoami')).status, 200)
  },
)

t.test('fetch: when signed out, no token is sent and no refresh is attempted', async (t) => {
  const app = await startDeviceApp(t)
  const { client, network } = app.device()
  t.equal((await client.fetch('/livez')).status, 200)
  t.match(await (await client.fetch('/v1/whoami')).json(), { code: 'token_missing' })
  t.equal(network.callsOf('/v1/auth/refresh').length, 0, 'the store is empty')
})

t.test('a late refresh keeps the reason why the session ended', async (t) => {
  const app = await startDeviceApp(t)
  const { client } = await app.signUp()
  await client.logoutAll()
  // As when the event of the logout arrives in this page or another one.
  t.equal(await codeOf(client.refresh()), 'refresh_token_missing')
  t.match(client.state, { status: 'signed_out', reason: 'logout_all' })
})

t.test(
  'followEvents: a logout on another device is noticed immediately, and changed claims cause a refresh',
  async (t) => {
    const app = await startDeviceApp(t)
    t.teardown(app.app.revocations.follow())
    const phone = await app.signUp()
    const tablet = app.device()
    await tablet.client.login(phone.account)
    const stop = phone.client.followEvents()
    t.teardown(async () => stop())
    const change = () => new Promise((resolve) => phone.client.onChange(resolve))
    const streams = () => phone.network.callsOf('/v1/events').length
    while (streams() === 0) await new Promise(setImmediate)

    const renewed = change()
    const newPassword = 'seven hills under a lantern'
    await runCommand(app.app.operator, 'user:roles', ['--email', phone.account.email, '--set', 'auditor'])
    t.match(await renewed, { status: 'signed_in', user: { roles: ['auditor'] } })
    t.equal(phone.network.callsOf('/v1/auth/refresh').length, 1)
    await phone.client.changePassword({ current_password: PASSWORD, new_password: newPassword })

    await tablet.client.login({ email: phone.account.email, password: newPassword })
    const ended = change()
    await tablet.client.endOtherSessions()
    t.match(await ended, { status: 'signed_out', reason: 'revoked_by_user' })
    t.equal(await phone.kept(), null)

    await phone.client.login({ email: phone.account.email, password: newPassword })
    while (streams() < 2) await new Promise(setImmediate)
    const again = change()
    await tablet.client.logoutAll()
    t.match(await again, { status: 'signed_out', reason: 'logout_all' }, 'it follows the next session too')
  },
)
