// Standard OAuth clients, which know nothing of Sallyport but its endpoints.

import t, { type Test as Tap } from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { createVerifierCredential } from '../../src/features/clients/clients.js'
import { Problem } from '../../src/platform/problem.js'
import type { Answer } from '../support/api.js'
import { startApp, type StartOptions, type Test } from '../support/app.js'

const { credential, sha256 } = createVerifierCredential()
const basic = `Basic ${Buffer.from(`orders:${credential}`).toString('base64')}`
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const inactive = { active: false }

async function startWithVerifier(t: Test, options: StartOptions = {}) {
  const started = await startApp(t, { ...options, settings: { VERIFIER_KEYS: `orders:${sha256}` } })
  const post = (path: string, parameters: Record<string, string>, headers: Record<string, string> = {}) =>
    started.api.call<Record<string, unknown>>(path, {
      method: 'POST',
      text: String(new URLSearchParams(parameters)),
      headers: { authorization: basic, ...form, ...headers },
    })
  return {
    ...started,
    post,
    introspect: async (token: string, hint?: string) =>
      post('/oauth/introspect', { token, ...(hint === undefined ? {} : { token_type_hint: hint }) }),
    revoke: (token: string) => post('/oauth/revoke', { token }),
  }
}

t.test('an active token is returned with all its claims', async (t) => {
  const { api, introspect } = await startWithVerifier(t)
  const { accessToken, refreshToken, userId, sessionId } = await api.signUp()
  const { body: claims } = await api.whoami(accessToken)
  t.match(await introspect(accessToken), { status: 200, headers: { 'cache-control': 'no-store' } })
  t.strictSame((await introspect(accessToken)).body, { active: true, token_type: 'Bearer', ...claims })
  t.strictSame((await introspect(accessToken, 'refresh_token')).body.active, true, 'a wrong hint changes nothing')
  t.strictSame((await introspect(refreshToken)).body, {
    active: true,
    sub: userId,
    sid: sessionId,
    client_id: 'sallyport',
    exp: Number((await introspect(refreshToken)).body.exp),
  })
})

t.test('an inactive token reveals nothing, whatever the reason', async (t) => {
  const { api, clock, introspect } = await startWithVerifier(t)
  const [ended, changed, idle] = [await api.signUp(), await api.signUp(), await api.signUp()]
  await api.call('/v1/auth/logout', { method: 'POST', token: ended.accessToken })
  const { password: current_password, accessToken: token } = changed
  const body = { current_password, new_password: 'seven other hills under a lantern' }
  await api.call('/v1/me/password', { method: 'PUT', token, body })
  const dead = [
    ended.accessToken,
    ended.refreshToken,
    changed.accessToken,
    credential,
    'nonsense',
    `${idle.accessToken}x`,
  ]
  for (const text of dead) t.strictSame((await introspect(text)).body, inactive)

  t.match((await introspect(changed.refreshToken)).body, { active: true }, 'the session itself continues')
  clock.advance({ minutes: 11 })
  t.strictSame((await introspect(idle.accessToken)).body, inactive, 'expired')
  clock.advance({ days: 31 })
  t.strictSame((await introspect(idle.refreshToken)).body, inactive, 'idle')
})

t.test(
  'REF-12: introspection queries the database: a session that another instance has ended is inactive',
  async (t) => {
    const { api, clock, introspect } = await startWithVerifier(t)
    const other = await startApp(t, { join: true, clock })
    const { accessToken } = await api.signUp()
    t.match((await introspect(accessToken)).body, { active: true })

    t.match(await other.api.call('/v1/auth/logout', { method: 'POST', token: accessToken }), { status: 204 })
    t.match(await api.whoami(accessToken), { status: 200 }, 'this instance has not been notified yet')
    t.strictSame((await introspect(accessToken)).body, inactive)
  },
)

t.test('REF-03: introspection of a used refresh token ends nothing, and does not use a current one', async (t) => {
  const { api, introspect, clock } = await startWithVerifier(t)
  const { refreshToken } = await api.signUp()
  const { body } = await api.refresh(refreshToken)
  clock.advance({ minutes: 1 })
  t.strictSame((await introspect(refreshToken)).body, inactive)
  t.match((await introspect(body.refresh_token ?? '')).body, { active: true })
  t.match(await api.refresh(body.refresh_token), { status: 200 }, 'nothing has ended')
})

t.test(
  'REF-12: revoking any genuine token ends its session, and the response is the same for any other text',
  async (t) => {
    const { api, clock, revoke } = await startWithVerifier(t)
    const byAccess = await api.signUp()
    clock.advance({ minutes: 11 })
    const [byRefresh, other] = [await api.signUp(), await api.signUp()]
    const answers = [
      await revoke(byAccess.accessToken),
      await revoke(byRefresh.refreshToken),
      await revoke(byRefresh.refreshToken),
      await revoke('nonsense'),
    ]
    for (const answer of answers) t.match(answer, { status: 200, body: '' })
    const ended = { status: 401, body: { code: 'session_ended', reason: 'logout' } }
    t.match(await api.refresh(byAccess.refreshToken), ended, 'an expired access token identifies its session too')
    t.match(await api.refresh(byRefresh.refreshToken), ended)
    t.match(await api.whoami(byRefresh.accessToken), { status: 401, body: { code: 'session_ended' } })
    t.match(await api.refresh(other.refreshToken), { status: 200 })
  },
)

t.test(
  'RFC 6749, 5.2: only verifiers are admitted, and others get a challenge in the scheme that they used',
  async (t) => {
    const { api, post } = await startWithVerifier(t)
    const { accessToken } = await api.signUp()
    const challenges: [authorization: string, challenge: string][] = [
      [`Bearer ${accessToken}`, 'Bearer realm="sallyport", error="invalid_token"'],
      [basic.slice(0, -4), 'Basic realm="sallyport"'],
      [`Digest ${credential}`, 'Basic realm="sallyport"'],
    ]
    for (const path of ['/oauth/introspect', '/oauth/revoke']) {
      for (const [authorization, challenge] of challenges) {
        const answer = await post(path, { token: accessToken }, { authorization })
        t.strictSame(refusalOf(t, answer), { status: 401, error: 'invalid_client' }, authorization)
        t.equal(answer.headers['www-authenticate'], challenge)
      }
      const unauthenticated = await api.call<Refusal>(path, { method: 'POST', text: 'token=x', headers: form })
      t.strictSame(refusalOf(t, unauthenticated), { status: 401, error: 'invalid_client' })
      t.equal(unauthenticated.headers['www-authenticate'], 'Basic realm="sallyport"', 'the scheme in the metadata')
      t.match(await post(path, { token: accessToken }, { authorization: `Bearer ${credential}` }), { status: 200 })
    }
  },
)

interface Refusal {
  error: string
  error_description: string
}

/** The parts of a refusal that a standard client reads, after checking its form. */
function refusalOf(t: Tap, { status, headers, body }: Answer<object>): { status: number; error: string } {
  const { error, error_description, ...others } = body as Refusal
  t.match(headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  t.match(error_description, /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/, 'in allowed characters only')
  t.strictSame(others, {}, 'and nothing else')
  return { status, error }
}

t.test('HTTP-03, HTTP-04: a body is a form in UTF-8, with each parameter once', async (t) => {
  const { api } = await startWithVerifier(t)
  const send = (text: string, type = 'application/x-www-form-urlencoded') =>
    api.call<object>('/oauth/introspect', {
      method: 'POST',
      text,
      headers: { authorization: basic, 'content-type': type },
    })
  t.match(await send('token=a&other=ignored'), { status: 200, body: inactive })
  t.match(await send('token=a', 'application/x-www-form-urlencoded; charset=UTF-8'), { status: 200 })
  const refused: [text: string, type?: string][] = [
    ['token=a&token=b'],
    ['token='],
    ['__proto__=x'],
    [''],
    [`token=${'a'.repeat(9000)}`],
    [`token=${'a'.repeat(17_000)}`],
    ['{"token":"a"}', 'application/json'],
    ['token=a', 'text/plain'],
    ['token=a', 'application/x-www-form-urlencoded; charset=latin1'],
  ]
  for (const [text, type] of refused) {
    t.strictSame(refusalOf(t, await send(text, type)), { status: 400, error: 'invalid_request' }, text.slice(0, 40))
  }
  t.match((await send('other=a')).body, { error_description: /^token: / }, 'the invalid parameter is named')
  t.match((await send('token=a', 'text/plain')).body, { error_description: /x-www-form-urlencoded/ })
})

t.test('RFC 6749, 5.2: server errors, and refused clients', async (t) => {
  const { app, post, api } = await startWithVerifier(t)
  const { accessToken: token } = await api.signUp()
  const jar = { cookie: 'sallyport_rt=x', origin: 'https://evil.example' }
  t.match(await post('/oauth/introspect', { token }, jar), { status: 200 }, 'WEB-04: by its credential, not by cookies')
  await runCommand(app.operator, 'ip:block', ['--cidr', '127.0.0.1'])
  t.strictSame(refusalOf(t, await post('/oauth/introspect', { token })), { status: 403, error: 'access_denied' })
  await runCommand(app.operator, 'ip:remove', ['--cidr', '127.0.0.1'])
  t.match(
    await api.call('/oauth/introspect'),
    { status: 405, body: { code: 'method_not_allowed' } },
    'is not an OAuth route',
  )
  t.match(await api.whoami('x'), { status: 401, body: { code: 'token_invalid' } }, 'other routes respond with problems')

  const failing = new Problem('database_unavailable', { retryAfterSeconds: 3 })
  app.operator.families.parse = () => {
    throw failing
  }
  const unavailable = await post('/oauth/introspect', { token })
  t.strictSame(refusalOf(t, unavailable), { status: 503, error: 'temporarily_unavailable' })
  t.equal(unavailable.headers['retry-after'], '3')
  app.operator.families.parse = () => {
    throw new Error('a secret')
  }
  const broken = await post('/oauth/revoke', { token })
  t.strictSame(refusalOf(t, broken), { status: 500, error: 'server_error' })
  t.notMatch(JSON.stringify(broken.body), /secret/)
})

t.test('the metadata list the existing endpoints', async (t) => {
  const { api, config } = await startWithVerifier(t)
  const { status, headers, body } = await api.call<Record<string, unknown>>('/.well-known/oauth-authorization-server')
  t.match({ status, headers }, { status: 200, headers: { 'cache-control': 'public, max-age=300' } })
  t.equal(body.issuer, config.tokens.issuer)
  for (const member of ['jwks_uri', 'introspection_endpoint', 'revocation_endpoint'] as const) {
    const path = String(body[member]).replace(config.server.publicUrl, '')
    t.not((await api.call(path, { method: member === 'jwks_uri' ? 'GET' : 'POST' })).status, 404, path)
  }
})
