// Attacks on the ways back into an account, and on what its owner can do after one.

import t from 'tap'
import { PASSWORD, type SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'
import { openTestDatabase } from '../support/database.js'
import { dumpTables } from '../support/dump.js'
import { NEW_PASSWORD, startRecovery, type FlowBody, type Recovery } from '../support/recovery.js'
import { watchStatements } from '../support/statements.js'

const invalid = (reason: string) => ({ status: 401, body: { code: 'flow_invalid', reason } })
const endedBy = (reason: string) => ({ status: 401, body: { code: 'session_ended', reason } })
const ATTACKER = { from: '203.0.113.9' }

t.test('PWD-10: forgot-password sends the same statements whoever has the address', async (t) => {
  const log = watchStatements(await openTestDatabase())
  const { api, forgot, database, mailbox } = await startRecovery(t, { database: log })
  const [known, banned, passwordless] = [await api.signUp(), await api.signUp(), await api.signUp()]
  await database.query(async (client) => {
    await client.user.update({ where: { id: banned.userId }, data: { bannedAt: new Date() } })
    await client.user.update({ where: { id: passwordless.userId }, data: { passwordHash: null } })
  })
  const asked = async (email: string) => {
    log.take()
    const { status, body, headers } = await forgot(email)
    return { statements: log.take(), status, members: Object.keys(body), headers: Object.keys(headers).sort() }
  }
  const expected = await asked('nobody@example.com')
  t.equal(expected.status, 202)
  t.ok(expected.statements.length >= 5)
  t.notMatch(expected.statements.join(), /"user"/, 'the request does not ask who has it')
  for (const { email } of [known, banned, passwordless]) t.strictSame(await asked(email), expected)
  // The same once the limit of the address is reached, which counts unknown ones too.
  for (let times = 0; times < 8; times += 1) await Promise.all([forgot(known.email), forgot('nobody@example.com')])
  t.strictSame(await asked(known.email), await asked('nobody@example.com'))
  const recipients = (await mailbox.deliver()).map(({ to }) => to)
  t.same(new Set(recipients), new Set([known.email, banned.email, passwordless.email]))
})

t.test('PWD-10: a flow of an unknown address lives, and counts wrong codes, like any other', async (t) => {
  const { api, forgot, reset, mailbox, clock } = await startRecovery(t)
  const { email } = await api.signUp()
  const answersFor = async (address: string) => {
    const { flow_token } = (await forgot(address)).body
    await mailbox.deliver()
    const answers = []
    for (let times = 0; times < 6; times += 1) {
      const { status, body } = await reset({ code: '00000000', flow_token })
      answers.push([status, body.code, body.reason, body.attempts_left])
    }
    return answers
  }
  const known = await answersFor(email)
  t.strictSame(await answersFor('nobody@example.com'), known)
  t.match(known.slice(3, 5), [
    [401, 'flow_invalid', 'wrong_code', 1],
    [401, 'flow_invalid', 'too_many_attempts', 0],
  ])
  const { flow_token } = (await forgot('nobody@example.com')).body
  await mailbox.deliver()
  clock.advance({ minutes: 11 })
  t.match(await reset({ code: '00000000', flow_token }), invalid('expired'))
})

t.test('EML-05: links are made from the configuration, never from what a request says of its host', async (t) => {
  const settings = { PUBLIC_URL: 'https://id.example.com', TRUST_PROXY: '127.0.0.1' }
  const { api, forgot, mailbox } = await startRecovery(t, { settings })
  const { email } = await api.signUp()
  const headers = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    forwarded: 'host=evil.example',
    'x-original-url': 'https://evil.example/',
    referer: 'https://evil.example/',
  }
  t.match(await forgot(email, {}, { headers }), { status: 202 })
  const mail = await mailbox.receive(email)
  t.match(mail.link, /^https:\/\/id\.example\.com\/link\/reset-password\?token=spl_/)
  t.notMatch(JSON.stringify(mail), /evil/)
})

t.test('EML-06: opening a link, or fetching ahead, consumes nothing', async (t) => {
  const { api, reset, resetMail } = await startRecovery(t)
  const { email } = await api.signUp()
  const { mail } = await resetMail(email)
  const { pathname, search } = new URL(mail.link ?? '')
  for (const path of [`${pathname}${search}`, `/v1/auth/reset-password${search}`]) {
    for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) {
      await api.call(path, { method, headers: { 'sec-purpose': 'prefetch' } })
    }
  }
  t.match(await reset({ token: mail.token }), { status: 204 })
})

t.test('EML-02: of two resets at once with one code, exactly one succeeds', async (t) => {
  const { api, reset, resetMail, database } = await startRecovery(t)
  const { email } = await api.signUp()
  const { mail, flow_token } = await resetMail(email)
  const passwords = Array.from({ length: 4 }, (_, index) => `${NEW_PASSWORD} ${index}`)
  const answers = await Promise.all(
    passwords.map((new_password) => reset({ code: mail.code, flow_token, new_password })),
  )
  t.equal(answers.filter(({ status }) => status === 204).length, 1)
  for (const answer of answers.filter(({ status }) => status !== 204))
    t.match(answer, { body: { code: 'flow_invalid' } })
  const logins = await Promise.all(passwords.map((password) => api.login({ email, password })))
  t.equal(logins.filter(({ status }) => status === 200).length, 1)
  t.equal(await database.query((client) => client.auditEvent.count({ where: { event: 'password_reset' } })), 1)
})

t.test('EML-07: a reset on one instance ends all sessions on the others', async (t) => {
  const one = await startRecovery(t)
  const two = await startApp(t, { join: true, clock: one.clock })
  const user = await one.api.signUp()
  t.match(await two.api.whoami(user.accessToken), { status: 200 })
  const { mail } = await one.resetMail(user.email)
  t.match(await one.reset({ token: mail.token }), { status: 204 })
  t.match(await two.api.refresh(user.refreshToken), endedBy('password_reset'))
  await two.app.revocations.glance()
  t.match(await two.api.whoami(user.accessToken), { status: 401, body: { code: 'session_ended' } })
})

t.test('PWD-13: guesses at passwords and codes do not block the reset', async (t) => {
  const { api, forgot, reset, resetMail } = await startRecovery(t)
  const { email } = await api.signUp()
  for (let times = 0; times < 12; times += 1) await api.login({ email, password: 'wrong' }, ATTACKER)
  t.match(await api.login({ email, password: PASSWORD }), { status: 429 })
  // The attacker's own flows use up the wrong codes of the address.
  for (let flows = 0; flows < 3; flows += 1) {
    const { flow_token } = (await forgot(email, {}, ATTACKER)).body
    for (let times = 0; times < 5; times += 1) await reset({ code: '00000000', flow_token }, ATTACKER)
  }
  const { mail, flow_token } = await resetMail(email)
  t.match(await reset({ code: mail.code, flow_token }), { status: 429 })
  t.match(await reset({ token: mail.token }), { status: 204 }, 'the link is no guess')
  t.match(await api.login({ email, password: NEW_PASSWORD }), { status: 200 }, 'the guesses are forgotten')
})

t.test('PWD-13: others cannot use up the mails of an owner who asks on a known device', async (t) => {
  const { browser, forgot, mailbox, signUpVerified } = await startRecovery(t)
  const { email, answer } = await signUpVerified()
  const page = browser()
  await page.call('/v1/auth/login', { method: 'POST', body: { email, password: PASSWORD } })
  await mailbox.deliver()
  for (let times = 0; times < 7; times += 1) await forgot(email, {}, ATTACKER)
  t.equal((await mailbox.deliver()).length, 4, 'five with that of the registration')
  t.match(await forgot(email), { status: 202 })
  t.equal((await mailbox.deliver()).length, 0, 'without the device')
  t.match(await forgot(email, { device_token: answer.body.device_token }), { status: 202 })
  t.match(await mailbox.deliver(), [{ to: email, link: /reset-password/ }])
  t.match(await page.call('/v1/auth/forgot-password', { method: 'POST', body: { email } }), { status: 202 })
  t.match(await mailbox.deliver(), [{ to: email, link: /reset-password/ }])
  const other = await signUpVerified()
  await forgot(email, { device_token: other.answer.body.device_token })
  t.equal((await mailbox.deliver()).length, 0, 'with the device of another account')
})

t.test('EML-01: a link that was mailed to an address opens no account that has left it', async (t) => {
  const { api, reset, resetMail, database } = await startRecovery(t)
  const { email, userId } = await api.signUp()
  const { mail } = await resetMail(email)
  // As when the address changes while the mail is being made: the flow is still open.
  await database.query((client) => client.user.update({ where: { id: userId }, data: { email: 'new@example.com' } }))
  t.match(await reset({ token: mail.token }), invalid('expired'))
  t.match(await api.login({ email: 'new@example.com', password: PASSWORD }), { status: 200 })
})

t.test('TOK-15: the secrets of a reset open nothing else, and nothing else opens a reset', async (t) => {
  const { api, post, reset, resetMail } = await startRecovery(t)
  const user = await api.signUp()
  const { mail, flow_token = '' } = await resetMail(user.email)
  for (const path of ['/v1/auth/verify-email', '/v1/auth/not-me', '/v1/auth/undo-email-change']) {
    const body = path.endsWith('verify-email') ? { token: mail.token } : { token: mail.token, confirm: '1234' }
    t.match(await post(path, body), invalid('expired'), path)
  }
  for (const token of [flow_token, user.refreshToken, mail.token.replace('spl_', 'spf_')]) {
    t.match(await reset({ token }), invalid('expired'))
  }
  t.match(await reset({ code: mail.code }), invalid('expired'), 'the code without the flow')
  t.match(await reset({ code: mail.code, flow_token: mail.token.replace('spl_', 'spf_') }), invalid('expired'))
  t.match(await api.whoami(mail.token), { status: 401 })
  t.match(await api.refresh(flow_token), { status: 401 })
  t.match(await reset({ token: mail.token }), { status: 204 })
})

t.test('EML-01: the database has none of the secrets that its mails had', async (t) => {
  const { api, database, resetMail } = await startRecovery(t)
  const { email } = await api.signUp()
  const { mail, flow_token = '' } = await resetMail(email)
  const content = JSON.stringify(await dumpTables(database))
  for (const secret of [
    mail.token,
    flow_token,
    mail.code ?? '',
    Buffer.from(mail.token.slice(4), 'base64url').toString('hex'),
  ]) {
    t.notOk(content.includes(secret))
  }
})

const changeTo = async (app: Recovery, token: string | undefined, email: string) => {
  const { body } = await app.api.call<FlowBody>('/v1/me/email', {
    method: 'POST',
    token,
    body: { email, mode: 'json' },
  })
  const { code } = await app.mailbox.receive(email)
  const { flow_token } = body
  t.match(await app.post('/v1/auth/verify-email', { code, flow_token }), { status: 204 })
  return app.mailbox.deliver()
}

/** An attacker who knows the password moves the account to an address of their own. */
async function hijack(app: Recovery, user: SignedUp) {
  const { email, password } = user
  const thief = (await app.api.login({ email, password, mode: 'json' })).body
  const first = await changeTo(app, thief.access_token, 'thief@example.com')
  const { body } = await app.api.refresh(thief.refresh_token)
  const notice = first.find(({ to }) => to === email)
  return { accessToken: body.access_token, refreshToken: body.refresh_token, notice }
}

t.test('EML-08: the former owner takes the account back, whatever the attacker has changed since', async (t) => {
  const app = await startRecovery(t)
  const { api, post, reset, mailbox, clock } = app
  const user = await app.signUpVerified()
  const thief = await hijack(app, user)
  const second = await changeTo(app, thief.accessToken, 'thief-two@example.com')
  const { token, confirm } = thief.notice ?? { token: '', confirm: '' }
  const { body: last } = await api.refresh(thief.refreshToken)
  const change = { current_password: user.password, new_password: NEW_PASSWORD, refresh_token: last.refresh_token }
  const put = { method: 'PUT' as const, token: last.access_token, body: change }
  const changed = await api.call<{ refresh_token: string }>('/v1/me/password', put)
  t.equal(changed.status, 200)
  clock.advance({ days: 6 })

  const undone = await post('/v1/auth/undo-email-change', { token, confirm, mode: 'json' })
  t.match(undone, { status: 202, body: { to: `${user.email.slice(0, 1)}•••@example.com`, flow_token: /^spf_/ } })
  t.match(await api.refresh(changed.body.refresh_token), endedBy('email_change_undone'))
  for (const password of [user.password, NEW_PASSWORD]) {
    for (const email of [user.email, 'thief@example.com', 'thief-two@example.com']) {
      t.match(await api.login({ email, password }), { status: 401 }, 'the passwords of before open nothing')
    }
  }
  const mails = await mailbox.deliver()
  const resetting = mails.find(({ kind }) => kind === 'reset_password')
  t.match(resetting, { to: user.email })
  const answer = await reset({ code: resetting?.code, flow_token: undone.body.flow_token, new_password: PASSWORD })
  t.match(answer, { status: 204 })
  const login = await api.login({ email: user.email, password: PASSWORD })
  t.match(login, { status: 200, body: { user: { id: user.userId, email_verified: true } } })

  const theirs = second.find(({ to }) => to === 'thief@example.com')
  t.match(theirs, { link: /undo-email-change/ })
  const again = { token: theirs?.token ?? '', confirm: theirs?.confirm ?? '', mode: 'json' }
  t.match(await post('/v1/auth/undo-email-change', again), invalid('superseded'), 'the attacker cannot undo the undo')
  t.match(await post('/v1/auth/undo-email-change', { token, confirm }), invalid('used'))
})

t.test('EML-08: an undo whose address has another account by now changes nothing, and is still good', async (t) => {
  const app = await startRecovery(t)
  const { api, post } = app
  const user = await app.signUpVerified()
  const { notice, refreshToken } = await hijack(app, user)
  const squatter = (await api.register({ email: user.email, password: PASSWORD, mode: 'json' })).body
  const body = { token: notice?.token ?? '', confirm: notice?.confirm ?? '', mode: 'json' }
  t.match(await post('/v1/auth/undo-email-change', body), { status: 409, body: { code: 'email_taken' } })
  const { body: alive } = await api.refresh(refreshToken)
  t.match(await api.call('/v1/me', { token: alive.access_token }), { body: { email: 'thief@example.com' } })

  const token = squatter.access_token
  await api.call('/v1/me', { method: 'DELETE', token, body: { password: PASSWORD } })
  t.match(await post('/v1/auth/undo-email-change', body), { status: 202 })
  t.match(await api.refresh(alive.refresh_token), endedBy('email_change_undone'))
})

t.test('a gateway that presses the button without the digits undoes nothing', async (t) => {
  const app = await startRecovery(t)
  const { api, post, clock } = app
  const user = await app.signUpVerified()
  const { notice, accessToken } = await hijack(app, user)
  const { token = '', confirm = '' } = notice ?? {}
  const press = (digits: unknown) => post('/v1/auth/undo-email-change', { token, confirm: digits, mode: 'json' })
  t.match(await press(undefined), { status: 422 })
  const wrong = confirm === '0000' ? '1111' : '0000'
  for (const attempts_left of [4, 3, 2, 1]) {
    t.match(await press(wrong), { status: 401, body: { code: 'flow_invalid', reason: 'wrong_code', attempts_left } })
  }
  t.match(await api.whoami(accessToken), { status: 200 })
  t.match(await press(` ${confirm.slice(0, 2)} ${confirm.slice(2)}`), { status: 202 }, 'the right ones, after all')

  const other = await app.signUpVerified()
  clock.advance({ hours: 2 })
  await app.forgot(other.email)
  const { mail } = await app.resetMail(other.email)
  await app.reset({ token: mail.token })
  const told = await app.mailbox.receive(other.email)
  const notMe = told.notMeToken
  const pressed = (digits: string) => post('/v1/auth/not-me', { token: notMe, confirm: digits, mode: 'json' })
  const other4 = told.confirm === '0000' ? '1111' : '0000'
  for (let times = 0; times < 4; times += 1) t.match(await pressed(other4), invalid('wrong_code'))
  t.match(await pressed(other4), invalid('too_many_attempts'))
  t.match(await pressed(told.confirm ?? ''), invalid('too_many_attempts'))
})

t.test('not-me ends exactly the session that the notice told of, on all instances, and starts a reset', async (t) => {
  const app = await startRecovery(t)
  const { api, post, reset, mailbox, database } = app
  const two = await startApp(t, { join: true, clock: app.clock })
  const user = await app.signUpVerified()
  const { email, password } = user
  const thief = (await api.login({ email, password, mode: 'json' })).body
  const change = { current_password: password, new_password: NEW_PASSWORD, refresh_token: thief.refresh_token }
  const put = { method: 'PUT' as const, token: thief.access_token, body: change }
  const changed = (await api.call<typeof thief>('/v1/me/password', put)).body
  const another = (await api.login({ email, password: NEW_PASSWORD, mode: 'json' })).body
  const notice = (await mailbox.deliver()).find(({ kind }) => kind === 'password_changed')
  const token = notice?.notMeToken ?? ''
  const answer = await post('/v1/auth/not-me', { token, confirm: notice?.confirm, mode: 'json' })
  t.match(answer, { status: 202, body: { flow_token: /^spf_/ } })
  await two.app.revocations.glance()
  for (const { api } of [app, two]) {
    t.match(await api.whoami(changed.access_token), { status: 401, body: { code: 'session_ended' } })
    t.match(await api.whoami(another.access_token), { status: 200 }, 'another session goes on')
  }
  t.match(await api.refresh(changed.refresh_token), endedBy('not_me'))
  const mail = await mailbox.receive(email)
  t.match(await reset({ code: mail.code, flow_token: answer.body.flow_token, new_password: PASSWORD }), { status: 204 })
  const events = await database.query((client) => client.auditEvent.findMany({ where: { event: 'session_disowned' } }))
  t.match(events, [{ userId: user.userId, sessionId: changed.session.id }])
})

t.test('the owner of an address cancels a registration that somebody else began with it', async (t) => {
  const app = await startRecovery(t, { settings: { EMAIL_VERIFICATION: 'required' } })
  const { post, mailbox, database } = app
  const registration = { email: 'ada@example.com', password: PASSWORD, mode: 'json' }
  const { flow_token } = (await post('/v1/auth/register', registration)).body
  const mail = await mailbox.receive('ada@example.com')
  const { token, confirm, code } = mail
  t.match(
    await post('/v1/auth/not-me', { token, confirm: confirm === '0000' ? '1111' : '0000' }),
    invalid('wrong_code'),
  )
  t.match(await post('/v1/auth/not-me', { token, confirm }), { status: 204, setCookies: { length: 0 } })
  t.match(await post('/v1/auth/verify-email', { code, flow_token }), invalid('expired'))
  t.match(await post('/v1/auth/not-me', { token, confirm }), invalid('expired'))
  t.equal(await database.query((client) => client.user.count()), 0)
})
