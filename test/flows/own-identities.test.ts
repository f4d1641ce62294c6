// What users do with their own accounts at other providers: link them, see them, and unlink all but the last way in.

import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD, type ProblemBody, type TokenBody } from '../support/api.js'
import { createFactorCalls, type PendingBody, type TotpBody } from '../support/factor-calls.js'
import { locationOf, RETURN_TO } from '../support/social-flow.js'
import { startLinking, type Linking } from '../support/social.js'

const ADA = 'ada@example.com'
const unlinked = { status: 401, body: { code: 'session_ended', reason: 'identity_unlinked' } }
const lastWayIn = { status: 409, body: { code: 'last_way_in' } }

async function register({ api, mailbox }: Linking, email = 'owner@example.com') {
  const { body } = await api.register({ email, password: PASSWORD, mode: 'json' })
  await mailbox.deliver()
  return { ...body, token: body.access_token }
}

/** Asks in a browser for a link; answers the address to which it goes. */
async function ask({ api }: Linking, token: string | undefined, cookies = {}, body: object = {}) {
  const answer = await api.call<ProblemBody & { url: string }>('/v1/me/identities/link', {
    ...{ method: 'POST', token, cookies, body: { provider: 'upstream', return_to: RETURN_TO, ...body } },
  })
  const [, cookie = ''] = /sallyport_social=([^;]+)/.exec(answer.setCookies.join()) ?? []
  return { ...answer, cookie, path: (answer.status === 200 ? answer.body.url : '').replace(/^https?:\/\/[^/]+/, '') }
}

t.test('an app links by an ID token, once, in a session of now', async (t) => {
  const app = await startLinking(t)
  const { token } = await register(app)
  t.same(await app.identitiesOf(token), [])
  const linked = await app.link(token)
  t.match(linked, { status: 201, body: { provider: 'upstream', email: ADA, usable: true, last_used_at: null } })
  t.match(await app.identitiesOf(token), [linked.body])
  t.match(await app.link(token), { status: 201, body: { id: linked.body.id } }, 'what is theirs stays')

  const idToken = await app.upstream.mintIdToken('ada')
  const body = { provider: 'upstream', id_token: idToken }
  const send = () => app.api.call('/v1/me/identities/link', { method: 'POST', token, body })
  t.match(await send(), { status: 201 })
  t.match(await send(), { status: 400, body: { code: 'id_token_invalid' } }, 'a token counts once')
  const [mail] = await app.mailbox.deliver()
  t.match(mail, { kind: 'identity_linked', to: 'owner@example.com' })

  const arrived = await app.arrive()
  t.match(arrived, { status: 200, body: { user: { email: 'owner@example.com' } } })
  const { body: listed } = await app.api.call<{ sessions: object[] }>('/v1/sessions', { token })
  t.match(
    listed.sessions.find((session) => 'identity_id' in session),
    { id: arrived.body.session.id, identity_id: linked.body.id },
  )
})

t.test('attack: a link in a stale session, and in none', async (t) => {
  const app = await startLinking(t)
  const { refresh_token } = await register(app)
  app.clock.advance({ minutes: 16 })
  const { body } = await app.api.refresh(refresh_token)
  const stale = { status: 401, body: { code: 'insufficient_user_authentication' } }
  t.match(await app.link(body.access_token), stale)
  t.match(await ask(app, body.access_token), stale)
  t.match(await app.unlink(body.access_token, body.session.id), stale)
  t.match(await app.link(undefined), { status: 401 })
})

t.test('attack: an identity of another user', async (t) => {
  const app = await startLinking(t)
  const ada = await app.arrive()
  const { token } = await register(app)
  t.match(await app.link(token), { status: 409, body: { code: 'identity_taken' } })
  const [identity] = await app.identitiesOf(ada.body.access_token)
  t.match(await app.unlink(token, identity?.id), { status: 404, body: { code: 'not_found' } })
  t.match(await app.unlink(token, 'none'), { status: 404 })
})

t.test('a browser links by a ticket, and comes back to where it was', async (t) => {
  const app = await startLinking(t)
  const { token } = await register(app)
  const { path, cookie, status } = await ask(app, token)
  t.equal(status, 200)
  const browser = app.surfer()
  browser.cookies.set('sallyport_social', { value: cookie, sameSite: 'lax', line: '' })
  const start = await browser.open(path)
  t.equal(start.status, 303)
  const back = await browser.comeBack(await app.upstream.signInAs('ada', locationOf(start)))
  t.match(back, { status: 303, headers: { location: RETURN_TO } })
  t.notOk(browser.cookies.has('sallyport_rt'), 'it signs no browser in')
  t.match(await app.identitiesOf(token), [{ email: ADA, provider: 'upstream' }])
  t.match(await browser.open(path), { status: 400, body: { code: 'social_attempt_invalid' } }, 'attack: a ticket twice')
})

t.test('attack: CSRF of a link, by the ticket of another browser, and after the session', async (t) => {
  const app = await startLinking(t)
  const [mallory, victim] = [await register(app, 'm@example.com'), await register(app, 'v@example.com')]
  const refused = { status: 400, body: { code: 'social_attempt_invalid' } }

  const { path, cookie } = await ask(app, mallory.token)
  const browser = app.surfer()
  t.match(await browser.open(path), refused, 'a browser without the cookie')
  const theirs = await ask(app, victim.token)
  browser.cookies.set('sallyport_social', { value: theirs.cookie, sameSite: 'lax', line: '' })
  const again = await ask(app, mallory.token)
  t.match(await browser.open(again.path), refused, 'with the cookie of its own')

  const own = app.surfer()
  own.cookies.set('sallyport_social', { value: cookie, sameSite: 'lax', line: '' })
  const { path: late } = await ask(app, mallory.token, { sallyport_social: cookie })
  const start = await own.open(late)
  t.equal(start.status, 303)
  t.match(await app.api.call('/v1/auth/logout', { method: 'POST', token: mallory.token }), { status: 204 })
  const callback = await app.upstream.signInAs('ada', locationOf(start))
  t.match(await own.comeBack(callback), { status: 401, body: { code: 'session_ended' } }, 'the session ended meanwhile')
  t.same(await app.identitiesOf(victim.token), [])
  t.same((await app.count()).identities, 0)
})

t.test('what a link must not lead to', async (t) => {
  const app = await startLinking(t)
  const { token } = await register(app)
  const bodies: [object, object][] = [
    [{ return_to: 'https://evil.example' }, { status: 422, body: { errors: [{ path: '/return_to' }] } }],
    [{ return_to: undefined }, { status: 422 }],
    [{ id_token: 'x' }, { status: 422 }],
    [{ provider: 'other' }, { status: 404 }],
  ]
  for (const [body, expected] of bodies) t.match(await ask(app, token, {}, body), expected, JSON.stringify(body))
})

t.test('unlinking ends the sessions that the identity opened, and no other', async (t) => {
  const app = await startLinking(t)
  const { token, refresh_token } = await register(app)
  const { body: linked } = await app.link(token)
  const { body: other } = await app.link(token, { login: 'bob' })
  const [byAda, byBob] = [await app.arrive(), await app.arrive({ login: 'bob' })]
  await app.mailbox.deliver()
  t.match(await app.unlink(token, linked.id), { status: 204 })

  t.match(await app.api.whoami(byAda.body.access_token), { status: 401, body: { code: 'session_ended' } })
  t.match(await app.api.refresh(byAda.body.refresh_token), unlinked)
  t.match(await app.api.whoami(byBob.body.access_token), { status: 200 })
  t.match(await app.api.refresh(refresh_token), { status: 200 })
  t.match(await app.mailbox.deliver(), [{ kind: 'identity_unlinked', to: 'owner@example.com' }])
  t.match(await app.identitiesOf(token), [{ id: other.id }])
  t.match(await app.unlink(token, linked.id), { status: 404 })
  t.match(await app.arrive(), { status: 200, body: { user: { email: ADA } } }, 'it is a stranger now')
})

t.test('the last way in stays: identities, the password and passkeys count for each other', async (t) => {
  const app = await startLinking(t)
  const { access_token: token } = (await app.arrive()).body
  const [ada] = await app.identitiesOf(token)
  t.match(await app.unlink(token, ada?.id), lastWayIn)
  const { body: second } = await app.link(token, { login: 'bob' })
  t.match(await app.unlink(token, second.id), { status: 204 }, 'another identity is a way in')
  t.match(await app.unlink(token, ada?.id), lastWayIn)

  const next_password = { new_password: PASSWORD }
  t.match(await app.api.call('/v1/me/password', { method: 'PUT', token, body: next_password }), { status: 204 })
  const { body } = await app.api.login({ email: ADA, password: PASSWORD, mode: 'json' })
  const removal = await app.api.call('/v1/me/password', { method: 'DELETE', token: body.access_token })
  t.match(removal, { status: 204 }, 'an identity is a way in beside the password')
  t.match(await app.unlink((await app.arrive()).body.access_token, ada?.id), lastWayIn)
})

t.test('a mailed code is a way in where it is offered, to a verified address', async (t) => {
  const app = await startLinking(t, { settings: { SIGN_IN_METHODS: 'password,otp' } })
  const { access_token: token } = (await app.arrive({ at: app.tenant })).body
  const [claimed] = await app.identitiesOf(token)
  t.match(await app.unlink(token, claimed?.id), lastWayIn)
  const { access_token: owner } = (await app.arrive({ login: 'bob' })).body
  const [proven] = await app.identitiesOf(owner)
  t.match(await app.unlink(owner, proven?.id), { status: 204 })
  t.match(await app.api.whoami(owner), { status: 401, body: { code: 'session_ended' } }, 'this session was its own')
})

t.test('an identity whose provider is gone is no way in, and may go', async (t) => {
  const app = await startLinking(t)
  const { access_token: token } = (await app.arrive()).body
  await app.link(token, { login: 'bob' })
  const [ada, bob] = await app.identitiesOf(token)
  await app.database.query((client) =>
    client.identity.update({ where: { id: bob?.id ?? '' }, data: { provider: 'former' } }),
  )
  t.match((await app.identitiesOf(token))[1], { usable: false, provider_name: 'former' })
  t.match(await app.unlink(token, ada?.id), lastWayIn)
  t.match(await app.unlink(token, bob?.id), { status: 204 })
})

t.test('MFA-07: a second factor is asked for, and only then is anything linked', async (t) => {
  const app = await startLinking(t)
  const calls = createFactorCalls(app)
  const user = await calls.signUpWithTotp()
  const data = { email: ADA, emailVerifiedAt: app.clock.now() }
  await app.database.query((client) => client.user.update({ where: { id: user.userId }, data }))

  const pending = await app.arrive({ claims: { amr: ['otp', 'mfa'] } })
  t.match(pending, { status: 401, body: { code: 'mfa_required', methods: ['totp', 'recovery_code'] } })
  t.equal((await app.count()).identities, 0)
  const { mfa_token } = pending.body as unknown as PendingBody
  const done = await calls.mfa({ mfa_token, code: calls.codeOf(user.secret) })
  t.match(done, { status: 200, body: { user: { id: user.userId } } })
  t.match((await app.api.whoami(done.body.access_token)).body, { amr: ['fed', 'otp', 'mfa'], acr: 'aal2' })
  t.equal((await app.count()).identities, 1)

  app.clock.advance({ seconds: 30 })
  const { mfa_token: held } = (await app.arrive()).body as unknown as PendingBody
  const [identity] = await app.identitiesOf(done.body.access_token)
  t.match(await app.unlink(done.body.access_token, identity?.id), { status: 204 })
  const late = await calls.mfa({ mfa_token: held, code: calls.codeOf(user.secret) })
  t.match(
    late,
    { status: 401, body: { code: 'flow_invalid' } },
    'an identity that was unlinked meanwhile opens nothing',
  )
})

t.test('MFA=required: who signs up enrolls a factor first, and can come back to it', async (t) => {
  const app = await startLinking(t, { settings: { MFA: 'required' } })
  const calls = createFactorCalls(app)
  t.match(await app.arrive(), { status: 401, body: { code: 'mfa_required', enroll: ['totp', 'passkey'] } })
  t.same(await app.count(), { users: 1, identities: 1 })
  const { mfa_token } = (await app.arrive()).body as unknown as PendingBody
  const { body } = await calls.post<TotpBody>('/v1/auth/mfa/enroll/totp', { mfa_token })
  const confirmed = await calls.post<TokenBody>('/v1/auth/mfa/enroll/totp/confirm', {
    ...{ mfa_token, code: calls.codeOf(body.secret) },
  })
  t.match(confirmed, { status: 200, body: { user: { email: ADA } } })
  t.same(await app.count(), { users: 1, identities: 1 })
})

t.test('an address that is taken back takes the identities of the one who changed it with it', async (t) => {
  const app = await startLinking(t)
  const { token } = await register(app, 'owner@example.com')
  await app.database.query((client) => client.user.updateMany({ data: { emailVerifiedAt: app.clock.now() } }))
  await app.link(token)
  t.match(await app.post('/v1/me/email', { email: 'thief@example.com' }, { token }), { status: 202 })
  const change = await app.mailbox.receive('thief@example.com')
  await app.api.call('/v1/auth/verify-email', { method: 'POST', token, body: { token: change.token } })
  const undo = await app.mailbox.receive('owner@example.com')
  const body = { token: undo.token, confirm: undo.confirm, mode: 'json' }
  t.match(await app.post('/v1/auth/undo-email-change', body), { status: 202 })
  t.equal((await app.count()).identities, 0)
})

t.test('operators list identities, and unlink also the last one', async (t) => {
  const app = await startLinking(t)
  const { body } = await app.arrive()
  const run = (name: string, ...args: string[]) => runCommand(app.app.operator, name, ['--email', ADA, ...args])
  const [line = ''] = await run('user:identities')
  t.match(
    line,
    /^[\da-f-]{36} {2}upstream {2}http:\/\/127\.0\.0\.1:\d+ {2}ada {2}ada@example\.com {2}linked .*, last used/,
  )
  await t.rejects(run('user:unlink'), { message: /--id is required/ })
  t.match(await run('user:unlink', '--id', line.slice(0, 36)), [/was unlinked/])
  t.match(await app.api.refresh(body.refresh_token), unlinked)
  await t.rejects(run('user:unlink', '--id', line.slice(0, 36)), /no such linked account/)
  t.match(await run('user:identities'), [/is linked to no account/])
})
