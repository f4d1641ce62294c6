// A client that acts for itself has an access token too. It belongs to no session, and must not be accepted as a
// user's.

import t from 'tap'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { createVerifier } from '../../src/sdk/verifier/verifier.js'
import { buildToken } from '../support/access-token-vectors.js'
import { startApp, type StartOptions, type Test } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { operationsOf, pathOf } from '../support/operations.js'
import { readSigningKey } from '../support/signing-keys.js'

async function start(t: Test, options: StartOptions = {}) {
  const started = await startApp(t, options)
  const { issuer, audience } = started.config.tokens
  const setting = { ...(await readSigningKey(started)), issuer, audience, trap: '', now: started.clock.now() }
  /** A genuine token of a client with any name, for example that of a user. */
  const clientToken = (name: string) => {
    const absent = { sid: '$absent', epoch: '$absent', auth_time: '$absent', amr: '$absent' }
    return buildToken({ claims: { ...absent, sub: name, client_id: name, roles: ['admin'] } }, setting)
  }
  return { ...started, clientToken }
}

t.test(
  "TOK-10: a client's token is accepted on no route that acts for a user, even if the client is named like a user",
  async (t) => {
    const { app, api, clientToken } = await start(t)
    const { accessToken, userId } = await api.signUp()
    const guarded = operationsOf(app.server).filter(({ security }) =>
      security.every((ways) => ways.includes('accessToken') || ways.includes('accessCookie')),
    )
    t.ok(guarded.length >= 8, 'the routes are found')
    for (const operation of guarded) {
      const { method, body, id } = operation
      for (const token of [clientToken('orders'), clientToken(userId)]) {
        const answer = await api.call(pathOf(operation), { method, token, body: body?.example })
        t.match(answer, { status: 403, body: { code: 'forbidden' } }, id)
      }
    }
    t.match(await api.whoami(accessToken), { status: 200 }, 'none of this has ended the session')
  },
)

t.test("TOK-10: a client's token in a cookie was planted, and is ignored", async (t) => {
  const { app, browser, api, clock, config, clientToken } = await start(t)
  const { email, password, userId } = await api.signUp()
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password, mode: 'session' } })
  const planted = `sallyport_at=${clientToken('orders')}`
  const [access = '', refresh = ''] = ['sallyport_at', 'sallyport_rt'].map((n) => `${n}=${page.cookies.get(n) ?? ''}`)
  const { issuer, audience } = config.tokens
  const { port } = await connectTo(t, app.server)
  const verifier = createVerifier({ issuer, audience, url: `http://127.0.0.1:${port}`, clock, cookies: true })
  t.teardown(() => verifier.close())

  const asService = (cookie: string) => verifier.authenticate({ method: 'GET', headers: { cookie } })
  for (const cookie of [`${planted}; ${access}`, `${access}; ${planted}`, `${planted}; ${refresh}`]) {
    t.match(await api.call('/v1/whoami', { headers: { cookie } }), { status: 200, body: { sub: userId } })
    t.match(await asService(cookie), { claims: { sub: userId } })
  }
  t.match(await api.call('/v1/whoami', { headers: { cookie: planted } }), { status: 403, body: { code: 'forbidden' } })
  await t.rejects(asService(planted), { code: 'token_invalid' })
})

t.test("TOK-10: another service accepts a client's token, and can tell that it is not a user's", async (t) => {
  const { app, clock, config, clientToken } = await start(t)
  const { issuer, audience } = config.tokens
  const { port } = await connectTo(t, app.server)
  const verifier = createVerifier({ issuer, audience, url: `http://127.0.0.1:${port}`, clock })
  t.teardown(() => verifier.close())
  const authorization = `Bearer ${clientToken('orders')}`
  const { claims } = await verifier.authenticate({ method: 'POST', headers: { authorization } })
  t.match(claims, { sub: 'orders', client_id: 'orders', sid: undefined })
})

t.test("TOK-10: a client's token is never reported as active, and has no session to end", async (t) => {
  const { credential, sha256 } = createVerifierCredential()
  const { api, clientToken } = await start(t, { settings: { VERIFIER_KEYS: `orders:${sha256}` } })
  const { accessToken, userId, sessionId } = await api.signUp()
  for (const token of [clientToken('orders'), clientToken(userId), clientToken(sessionId)]) {
    const ask = (path: string) =>
      api.call(path, {
        method: 'POST',
        text: String(new URLSearchParams({ token })),
        headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/x-www-form-urlencoded' },
      })
    t.match(await ask('/oauth/introspect'), { status: 200, body: { active: false } })
    t.match(await ask('/oauth/revoke'), { status: 200 })
    t.match(await api.call('/v1/auth/logout', { method: 'POST', token }), { status: 204 })
  }
  t.match(await api.whoami(accessToken), { status: 200 })
})
