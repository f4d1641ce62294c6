import t from 'tap'
import { FIRST_PARTY_CLIENT } from '../../src/wire/claims.js'
import { createVerifier } from '../../src/sdk/verifier/verifier.js'
import { PASSWORD } from '../support/api.js'
import { startApp } from '../support/app.js'
import { connectTo } from '../support/client.js'
import { issueToken, ownClaims } from '../support/client-tokens.js'
import { readAuditTrail, readFamily } from '../support/rows.js'

t.test('a refresh token that was issued to another client is refused', async (t) => {
  const { api, database, browser } = await startApp(t)
  const { email, refreshToken, sessionId } = await api.signUp()
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password: PASSWORD, mode: 'session' } })
  const cookie = page.cookies.get('sallyport_rt') ?? ''
  const belongTo = (clientId: string) =>
    database.query((client) => client.refreshTokenFamily.updateMany({ data: { clientId } }))

  await belongTo('another')
  const before = await readFamily(database, sessionId)
  for (const key of [undefined, 'an-attempt-of-mine']) {
    const answer = await api.refresh(refreshToken, key === undefined ? {} : { key })
    t.match(answer, { status: 401, body: { code: 'refresh_token_invalid' } })
  }
  t.same(await readFamily(database, sessionId), before, 'nothing has changed')
  t.strictSame((await readAuditTrail(database, sessionId)).slice(1), ['refresh_wrong_client', 'refresh_wrong_client'])

  const renewal = await api.call('/v1/whoami', { cookies: { sallyport_rt: cookie } })
  t.match(renewal, { status: 401, setCookies: [], body: { code: 'token_missing' } }, 'like a cookie of another mode')

  await belongTo('sallyport')
  t.match(await api.refresh(refreshToken), { status: 200 })
  t.match(await api.call('/v1/whoami', { cookies: { sallyport_rt: cookie } }), { status: 200 })
})

t.test(
  "TOK-10: no route of Sallyport's own takes a token that another client was issued, whatever its audience",
  async (t) => {
    const app = await startApp(t)
    const { accessToken, userId, sessionId, refreshToken } = await app.api.signUp()
    const { issuer, audience } = app.config.tokens
    const ours = { sub: userId, sid: sessionId, epoch: Date.now() + 60_000, client_id: FIRST_PARTY_CLIENT }
    t.match(await app.api.whoami(await issueToken(app, ours)), { status: 200 }, 'the token is otherwise good')
    for (const aud of [audience, issuer, [audience], ['https://orders.example.com', audience]]) {
      for (const client of [{ client_id: 'shop' }, { client_id: 'shop', client_epoch: 1 }]) {
        const token = await issueToken(app, { ...ours, ...client, aud })
        for (const path of ['/v1/whoami', '/v1/me', '/v1/sessions', '/v1/gateway']) {
          t.match(await app.api.call(path, { token }), { status: 403, body: { code: 'forbidden' } }, path)
        }
        const logout = await app.api.call('/v1/auth/logout', { method: 'POST', token })
        t.equal(logout.status, 204)
      }
      const own = await issueToken(app, { ...ownClaims('worker', 1), aud })
      t.match(await app.api.whoami(own), { status: 403, body: { code: 'forbidden' } })
    }
    t.match(await app.api.whoami(accessToken), { status: 200 }, 'and none of them ends the session')
    t.match(await app.api.refresh(refreshToken), { status: 200 })
  },
)

t.test('TOK-10: a token that another client was issued is no session in a cookie, here and in a service', async (t) => {
  const app = await startApp(t)
  const { userId, sessionId } = await app.api.signUp()
  const { issuer, audience } = app.config.tokens
  const { port } = await connectTo(t, app.app.server)
  const url = `http://127.0.0.1:${port}`
  const verifier = createVerifier({ issuer, audience, url, clock: app.clock, cookies: true })
  t.teardown(() => verifier.close())
  const ours = { sub: userId, sid: sessionId, epoch: Date.now() + 60_000 }
  const cookieOf = async (client_id: string) => `sallyport_at=${await issueToken(app, { ...ours, client_id })}`
  const authenticate = (cookie: string) => verifier.authenticate({ method: 'GET', headers: { cookie } })

  const planted = await cookieOf('shop')
  t.match(await app.api.call('/v1/whoami', { headers: { cookie: planted } }), { status: 403 })
  await t.rejects(authenticate(planted), { code: 'token_invalid' })
  const genuine = await cookieOf(FIRST_PARTY_CLIENT)
  for (const cookie of [genuine, `${planted}; ${genuine}`]) {
    t.match(await app.api.call('/v1/whoami', { headers: { cookie } }), { status: 200 })
    t.match(await authenticate(cookie), { claims: { sub: userId } })
  }
})
