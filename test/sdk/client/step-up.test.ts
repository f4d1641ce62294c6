// Requests of an app for which its user has to authenticate again.

import { decodeJwt } from 'jose'
import t, { type Test as Tap } from 'tap'
import { ClientError, type Client, type StepUpChallenge } from '../../../src/sdk/client/client.js'
import { reauthenticate } from '../../../src/sdk/client/factors.js'
import { changeEmail } from '../../../src/sdk/client/mail.js'
import { PASSWORD } from '../../support/api.js'
import { codeOf, startDeviceApp } from '../../support/sdk-client.js'

const PATH = '/v1/me/email'
const request = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ email: 'ada.king@example.com', mode: 'json' }),
}

/** A signed-in device whose last authentication is too old, and what its callback was asked. */
async function start(t: Tap, answer: (client: Client, challenge: StepUpChallenge) => Promise<unknown>) {
  const app = await startDeviceApp(t)
  const asked: StepUpChallenge[] = []
  const known: { client?: Client } = {}
  const device = await app.signUp({
    origins: ['https://orders.example.com'],
    onStepUp: async (challenge) => {
      asked.push(challenge)
      if (known.client) await answer(known.client, challenge)
    },
  })
  known.client = device.client
  app.clock.advance({ minutes: 16 })
  return { ...app, ...device, asked, sent: () => device.network.callsOf(PATH) }
}

const withPassword = (client: Client) => reauthenticate(client, { password: PASSWORD })

t.test('TOK-17: concurrent requests ask once, and each is repeated once', async (t) => {
  const { client, asked, sent, network, kept, restart } = await start(t, withPassword)
  const before = await kept()
  const answers = await Promise.all([1, 2, 3].map(() => client.fetch(PATH, request)))
  t.strictSame(
    answers.map(({ status }) => status),
    [202, 202, 202],
  )
  t.strictSame(asked, [{ acrValues: [], maxAge: 900, methods: ['password'] }])
  t.equal(sent().length, 6)
  t.strictSame(new Set(sent().map(({ body }) => body)), new Set([request.body]))
  t.equal(network.callsOf('/v1/auth/reauthenticate').length, 1)
  t.not((await kept())?.token, before?.token, 'the refresh before was kept')

  const { accessTokenExpiresAt } = await restart()
    .restore()
    .then((state) => ({ accessTokenExpiresAt: null, ...state }))
  t.ok(accessTokenExpiresAt, 'the session goes on')
  t.equal((await client.fetch(PATH, request)).status, 202, 'and needs no further step-up')
  t.equal(asked.length, 1)
})

t.test('calls of the client step up too, and the new token tells of it', async (t) => {
  const { client, asked, sent, clock } = await start(t, withPassword)
  t.match(await changeEmail(client, { email: 'ada.king@example.com' }), { status: 'check_mail' })
  t.equal(asked.length, 1)
  const [, second] = sent()
  const { auth_time: authTime } = decodeJwt(second?.headers.get('authorization')?.slice(7) ?? '')
  t.ok(clock.now().getTime() / 1000 - Number(authTime) < 60)
})

t.test('a request is never repeated twice', async (t) => {
  const { client, asked, sent } = await start(t, () => Promise.resolve())
  const answer = await client.fetch(PATH, request)
  t.match(await answer.json(), { status: 401, code: 'insufficient_user_authentication' })
  t.equal(sent().length, 2)
  t.equal(asked.length, 1)
})

t.test('a user who declines gets the refusal, and is asked again by the next request', async (t) => {
  const { client, asked, sent } = await start(t, () => Promise.reject(new Error('Not now.')))
  t.equal(await codeOf(changeEmail(client, { email: 'ada.king@example.com' })), 'insufficient_user_authentication')
  t.equal((await client.fetch(PATH, request)).status, 401)
  t.equal(sent().length, 2)
  t.equal(asked.length, 2)
})

t.test('a wrong password ends the step-up, not the session', async (t) => {
  const { client } = await start(t, (client) => reauthenticate(client, { password: 'not the password' }))
  t.equal((await client.fetch(PATH, request)).status, 401)
  t.equal(client.state.status, 'signed_in')
  const error = await reauthenticate(client, { password: 'not the password' }).catch((error: unknown) => error)
  t.ok(error instanceof ClientError)
  t.match(error, { code: 'invalid_credentials', status: 401 })
})

t.test('a stream is not sent twice, so its request asks for nothing', async (t) => {
  const { client, asked, network } = await start(t, withPassword)
  network.answerNext(PATH, () => Response.json({ code: 'insufficient_user_authentication' }, { status: 401 }))
  const body = new ReadableStream({ start: (controller) => controller.close() })
  const init = { ...request, body, duplex: 'half' } as RequestInit
  t.equal((await client.fetch(PATH, init)).status, 401)
  t.strictSame(asked, [])
})

t.test('a request of one user is not repeated as another', async (t) => {
  const { client, sent, api } = await start(t, async (client) => {
    const { email, password } = await api.signUp()
    await client.login({ email, password })
  })
  t.equal((await client.fetch(PATH, request)).status, 401)
  t.equal(sent().length, 1)
})

t.test('RFC 9470: a service that has only the header', async (t) => {
  const { client, asked, network } = await start(t, withPassword)
  const url = 'https://orders.example.com/transfers'
  const refuse = (challenge: string) =>
    network.answerNext(
      '/transfers',
      () => new Response('', { status: 401, headers: { 'www-authenticate': challenge } }),
    )
  refuse('Bearer error="insufficient_user_authentication", acr_values="aal2 phr", max_age="300"')
  network.answerNext('/transfers', () => new Response('done'))
  t.equal(await (await client.fetch(url)).text(), 'done')
  t.strictSame(asked.pop(), { acrValues: ['aal2', 'phr'], maxAge: 300, methods: null })

  refuse('Bearer error=insufficient_user_authentication, acr_values=phr')
  network.answerNext('/transfers', () => new Response('done'))
  t.equal(await (await client.fetch(url)).text(), 'done')
  t.strictSame(asked.pop(), { acrValues: ['phr'], maxAge: null, methods: null })

  refuse('Bearer realm="insufficient_user_authentication"')
  t.equal((await client.fetch(url)).status, 401)
  t.strictSame(asked, [])
})

t.test('without the callback, the service is the one that answers', async (t) => {
  const { signUp, clock } = await startDeviceApp(t)
  const { client, network } = await signUp()
  clock.advance({ minutes: 16 })
  t.equal((await client.fetch(PATH, request)).status, 401)
  t.equal(network.callsOf(PATH).length, 1)
})
