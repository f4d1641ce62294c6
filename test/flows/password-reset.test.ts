import t from 'tap'
import { PASSWORD, type SignedUp } from '../support/api.js'
import { startApp } from '../support/app.js'
import { NEW_PASSWORD, startRecovery, type Recovery } from '../support/recovery.js'

const invalid = (reason: string) => ({ status: 401, body: { code: 'flow_invalid', reason } })

t.test(
  'a user who forgot the password sets another one by the link, or by the code where it was asked for',
  async (t) => {
    const { api, forgot, reset, mailbox } = await startRecovery(t)
    for (const way of ['link', 'code']) {
      const { email } = await api.signUp()
      const begun = await forgot(email.toUpperCase())
      t.match(begun, {
        status: 202,
        headers: { 'cache-control': 'no-store' },
        setCookies: { length: 0 },
        body: { to: `${email.slice(0, 1)}•••@example.com`, resend_after: 30, flow_token: /^spf_/ },
      })
      const mail = await mailbox.receive(email)
      t.match(mail, { kind: 'reset_password', code: /^\d{8}$/, link: /\/link\/reset-password\?token=spl_/ })
      const { code, token } = mail
      const shown = way === 'link' ? { token } : { code, flow_token: begun.body.flow_token }
      const answer = await reset(shown)
      t.match(answer, { status: 204, setCookies: { length: 0 } })
      t.match(await api.login({ email, password: PASSWORD }), { status: 401 })
      t.match(await api.login({ email, password: NEW_PASSWORD }), { status: 200 })
      t.match(await reset(shown), invalid('used'))
    }
  },
)

t.test('EML-07: a reset ends all sessions, signs nobody in, and is told to the owner', async (t) => {
  const { api, reset, resetMail, mailbox, database } = await startRecovery(t)
  const user = await api.signUp()
  const other = await api.login({ email: user.email, password: PASSWORD, mode: 'json' })
  const { mail } = await resetMail(user.email)
  const { token } = mail
  t.match(await reset({ token }, { headers: { 'user-agent': 'Firefox' } }), { status: 204, body: '' })
  for (const refreshToken of [user.refreshToken, other.body.refresh_token]) {
    t.match(await api.refresh(refreshToken), { status: 401, body: { code: 'session_ended', reason: 'password_reset' } })
  }
  t.match(await api.whoami(user.accessToken), { status: 401, body: { code: 'session_ended' } })
  const notice = await mailbox.receive(user.email)
  t.match(notice, { kind: 'password_reset', notMeLink: /\/link\/not-me\?token=spl_/, confirm: /^\d{4}$/ })
  t.equal(notice.code, undefined)
  const events = await database.query((client) => client.auditEvent.findMany({ where: { event: 'password_reset' } }))
  t.match(events, [{ userId: user.userId, actorKind: 'user', actorId: user.userId }])
})

t.test('EML-12: a reset proves the address, and removes the password that somebody else has set for it', async (t) => {
  const { api, reset, resetMail } = await startRecovery(t)
  const squatted = await api.signUp()
  t.match(squatted.answer.body.user, { email_verified: false })
  const { mail } = await resetMail(squatted.email)
  await reset({ token: mail.token })
  t.match(await api.login({ email: squatted.email, password: PASSWORD }), { status: 401 })
  const login = await api.login({ email: squatted.email, password: NEW_PASSWORD })
  t.match(login, { status: 200, body: { user: { id: squatted.userId, email_verified: true } } })
})

t.test('PWD-04: a password that is refused leaves the link and the code as they were', async (t) => {
  const { api, reset, resetMail } = await startRecovery(t, { estimatesStrength: true })
  const { email } = await api.signUp()
  const { mail, flow_token } = await resetMail(email)
  const { code, token } = mail
  const weak = { status: 422, body: { errors: [{ path: '/new_password' }] } }
  for (const new_password of ['short', 'passwordpassword', `${email} ${email}`]) {
    t.match(await reset({ token, new_password }), weak, new_password)
    t.match(await reset({ code, flow_token, new_password }), weak, new_password)
  }
  t.match(await reset({ code, flow_token }), { status: 204 })
})

t.test(
  'EML-03: link and code are good for ten minutes from the delivery, and for an hour from the request',
  async (t) => {
    const { api, clock, reset, resetMail, forgot, mailbox } = await startRecovery(t)
    const { email } = await api.signUp()
    const first = await resetMail(email)
    clock.advance({ minutes: 11 })
    t.match(await reset({ token: first.mail.token }), invalid('expired'))
    t.match(await reset({ code: first.mail.code, flow_token: first.flow_token }), invalid('expired'))

    await forgot(email)
    clock.advance({ minutes: 45 })
    const late = await mailbox.receive(email)
    clock.advance({ minutes: 9 })
    t.match(await reset({ token: late.token }), { status: 204 })

    const long = await startRecovery(t, { settings: { RESET_TTL: '3600' } })
    const user = await long.api.signUp()
    const { mail } = await long.resetMail(user.email)
    long.clock.advance({ minutes: 55 })
    t.match(await long.reset({ token: mail.token }), { status: 204 })
  },
)

t.test('EML-04: a newer request replaces that of its own holder, and no other', async (t) => {
  const { api, forgot, reset, mailbox } = await startRecovery(t)
  const { email } = await api.signUp()
  const mine = (await forgot(email)).body.flow_token
  const first = await mailbox.receive(email)
  await forgot(email)
  const foreign = await mailbox.receive(email)
  t.match(await reset({ code: '0', flow_token: mine }), invalid('wrong_code'), 'a stranger ends nothing')

  const again = (await forgot(email, { flow_token: mine })).body.flow_token
  const second = await mailbox.receive(email)
  t.match(await reset({ token: first.token }), invalid('superseded'))
  t.match(await reset({ code: first.code, flow_token: mine }), invalid('superseded'))
  t.match(await reset({ code: second.code, flow_token: again }), { status: 204 })
  t.match(await reset({ token: foreign.token }), invalid('superseded'), 'a success ends all of the address')
})

t.test('EML-04: a change of the password ends what was begun before', async (t) => {
  const { api, reset, resetMail } = await startRecovery(t)
  const { email, accessToken: token } = await api.signUp()
  const { mail } = await resetMail(email)
  const body = { current_password: PASSWORD, new_password: NEW_PASSWORD }
  t.match(await api.call('/v1/me/password', { method: 'PUT', token, body }), { status: 204 })
  t.match(await reset({ token: mail.token }), invalid('superseded'))
})

async function inBrowser({ browser, mailbox, api }: Recovery, mode: string, user: SignedUp) {
  const page = browser()
  const asked = await page.call('/v1/auth/forgot-password', { method: 'POST', body: { email: user.email, mode } })
  const { code } = await mailbox.receive(user.email)
  const set = (call: object) =>
    api.call('/v1/auth/reset-password', { method: 'POST', body: { code, new_password: NEW_PASSWORD }, ...call })
  return { page, asked, code, set }
}

t.test('in the cookie modes the browser has the flow, and the cookie counts only from its own site', async (t) => {
  const app = await startRecovery(t)
  for (const mode of ['cookie', 'session']) {
    const user = await app.api.signUp()
    const { page, asked, code, set } = await inBrowser(app, mode, user)
    t.match(asked, { status: 202, body: { flow_token: undefined }, setCookies: { length: 1 } })
    t.match(asked.setCookies[0], /^sallyport_flow=spf_.*HttpOnly; SameSite=Strict$/)
    const cookies = Object.fromEntries(page.cookies)
    t.match(await set({}), invalid('expired'), 'without the cookie')
    t.match(
      await set({ cookies, headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } }),
      { status: 403, body: { code: 'cross_site_request' } },
      'from another site',
    )
    const body = { code, new_password: NEW_PASSWORD }
    t.match(await page.call('/v1/auth/reset-password', { method: 'POST', body }), { status: 204 })
  }
})

t.test('a page of another site begins no flow with a cookie', async (t) => {
  const { api, forgot } = await startRecovery(t)
  const { email } = await api.signUp()
  const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const answer = await forgot(email, { mode: 'cookie' }, { headers })
  t.match(answer, { status: 403, body: { code: 'cross_site_request' }, setCookies: { length: 0 } })
})

t.test('a body has either a link or a code', async (t) => {
  const { reset } = await startRecovery(t)
  for (const body of [{}, { token: 'spl_', code: '1' }, { token: '' }, { token: 'spl_', more: 1 }]) {
    t.match(await reset(body), { status: 422, body: { code: 'validation_failed' } }, JSON.stringify(body))
  }
  t.match(await reset({ token: 'spl_x' }), invalid('expired'))
})

t.test('where no mail is sent, nothing is begun, and the setting is named', async (t) => {
  const settings = { NODE_ENV: 'production', DATABASE_URL: 'postgres://localhost/x', PUBLIC_URL: 'https://id.example' }
  const { api } = await startApp(t, { settings })
  const body = { email: 'ada@example.com', mode: 'json' }
  const asked = await api.call('/v1/auth/forgot-password', { method: 'POST', body })
  t.match(asked, { status: 403, body: { code: 'not_offered', detail: /MAIL_URL/ } })
})

t.test('the mail is in the language that the request asks for, or else in that of the user', async (t) => {
  const { api, forgot, mailbox } = await startRecovery(t)
  const { email, accessToken: token } = await api.signUp()
  await forgot(email, {}, { headers: { 'accept-language': 'es' } })
  t.equal((await mailbox.receive(email)).locale, 'es')
  t.match(await api.call('/v1/me', { method: 'PATCH', token, body: { locale: 'fr' } }), { body: { locale: 'fr' } })
  await forgot(email, {}, { headers: { 'accept-language': 'es' } })
  t.equal((await mailbox.receive(email)).locale, 'fr')
  await forgot(email, { locale: 'ar' })
  t.equal((await mailbox.receive(email)).locale, 'ar')
  t.match(await forgot(email, { locale: 'not a language' }), { status: 422 })
})
