import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { startApp } from '../support/app.js'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

t.test('TOK-06, TOK-10: an access token has the claims of RFC 9068, and no personal data', async (t) => {
  const { api, config } = await startApp(t, { settings: { AUDIENCE: 'https://api.example.com' } })
  const user = await api.signUp({ name: 'Ada Lovelace' })

  t.match(decodeProtectedHeader(user.accessToken), { alg: 'ES256', typ: 'at+jwt', kid: /^[\w-]{43}$/ })
  const claims = decodeJwt(user.accessToken)
  t.match(claims, {
    iss: config.tokens.issuer,
    aud: 'https://api.example.com',
    sub: user.userId,
    sid: user.sessionId,
    jti: uuid,
    client_id: 'sallyport',
    roles: [],
    scope: '',
    amr: ['pwd'],
    acr: 'aal1',
  })
  t.same(
    Object.keys(claims).sort(),
    'acr amr aud auth_time client_id epoch exp iat iss jti nbf roles scope sid sub'.split(' '),
    'and no other claim',
  )
  t.match(await api.whoami(user.accessToken), { status: 200, body: claims })
})

t.test('TOK-17: auth_time and amr are those of the login, also after refreshes', async (t) => {
  const { api, clock } = await startApp(t)
  const user = await api.signUp()
  const first = decodeJwt(user.accessToken)
  t.equal(first.auth_time, first.iat)

  clock.advance({ hours: 5 })
  const refreshed = await api.refresh(user.refreshToken)
  const second = decodeJwt(refreshed.body.access_token ?? '')
  t.match(second, { auth_time: first.auth_time, amr: ['pwd'], sub: first.sub, sid: first.sid })
  t.ok((second.iat ?? 0) - (first.iat ?? 0) >= 5 * 3600)
  t.not(second.jti, first.jti)
})

t.test('an access token stays under 1 KiB with ten roles', async (t) => {
  const { app, api } = await startApp(t)
  const roles = Array.from({ length: 10 }, (_, index) => `organization.member-${index}`)
  const credentials = { email: 'ada@example.com', password: 'copper lantern drifts over seven hills' }
  const args = [
    '--email',
    credentials.email,
    '--password',
    credentials.password,
    ...roles.map((role) => `--role=${role}`),
  ]
  await runCommand(app.operator, 'user:create', args)

  const login = await api.login({ ...credentials, mode: 'json' })
  t.match(login, { status: 200, body: { user: { roles } } })
  t.match(await api.whoami(login.body.access_token), { status: 200, body: { roles } })
  t.ok(Buffer.byteLength(login.body.access_token ?? '') < 1024)
})

t.test('TOK-09: an access token is refused when it has expired, with five seconds of tolerance', async (t) => {
  const { api, clock } = await startApp(t, { settings: { ACCESS_TOKEN_TTL: '60' } })
  const { accessToken, answer } = await api.signUp()
  t.equal(answer.body.expires_in, 60)
  clock.advance({ seconds: 62 })
  t.match(await api.whoami(accessToken), { status: 200 })
  clock.advance({ seconds: 4 })
  t.match(await api.whoami(accessToken), { status: 401, body: { code: 'token_expired' } })
})

t.test('TOK-09: lowering the lifetime breaks no valid token', async (t) => {
  const generous = await startApp(t, { settings: { ACCESS_TOKEN_TTL: '3600' } })
  const { accessToken } = await generous.api.signUp()
  const strict = await startApp(t, { settings: { ACCESS_TOKEN_TTL: '60' }, join: true, clock: generous.clock })
  generous.clock.advance({ minutes: 59 })
  t.match(await strict.api.whoami(accessToken), { status: 200 })
})

t.test('an access token never outlives its session, whichever expiry is earlier', async (t) => {
  const settings = { SESSION_MAX_TTL_JSON: '1000', SESSION_IDLE_TTL_JSON: '300' }
  const { api, clock } = await startApp(t, { settings })
  const user = await api.signUp()
  t.equal(user.answer.body.expires_in, 300, 'the idle expiry of the session')
  t.equal(user.answer.body.expires_at.slice(0, 19), user.answer.body.refresh_expires_at.slice(0, 19))

  let { refreshToken } = user
  for (let round = 0; round < 3; round += 1) {
    clock.advance({ seconds: 270 })
    refreshToken = (await api.refresh(refreshToken)).body.refresh_token ?? ''
  }
  const last = await api.refresh(refreshToken)
  t.ok(last.body.expires_in <= 190, 'and the absolute expiry')
  const { exp = 0 } = decodeJwt(last.body.access_token ?? '')
  t.ok(exp * 1000 <= Date.parse(last.body.refresh_expires_at))
})
