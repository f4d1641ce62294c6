import t from 'tap'
import { runCommand } from '../../src/commands/commands.js'
import { PASSWORD, type TokenBody } from '../support/api.js'
import { startMailApp, wrongCode, type FlowBody } from '../support/flow-calls.js'

const EMAIL = 'ada@example.com'

t.test('an app signs in with a code from a mail', async (t) => {
  const { api, requestCode, verifyCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const asked = await requestCode({ email: EMAIL, mode: 'json', device_name: 'Phone' })
  t.match(asked, { status: 202, body: { to: 'a•••@example.com', resend_after: 30, flow_token: /^spf_/ } })
  const mail = await mailbox.receive(EMAIL)
  t.match(mail, { kind: 'otp', code: /^\d{8}$/, link: /\/link\/otp\?token=spl_/, params: { device: 'Phone' } })
  const { flow_token } = asked.body
  t.match(await verifyCode({ code: wrongCode(mail.code), flow_token }), {
    status: 401,
    body: { code: 'flow_invalid', reason: 'wrong_code', attempts_left: 4 },
  })
  t.match(
    await verifyCode({ code: mail.code }),
    { status: 401, body: { reason: 'expired' } },
    'no code without its token',
  )
  const signedIn = await verifyCode({ code: mail.code, flow_token })
  t.match(signedIn, {
    status: 200,
    body: { device_token: /^spd_/, session: { mode: 'json', device_name: 'Phone' }, user: { email_verified: true } },
  })
  t.match(await api.whoami(signedIn.body.access_token), { body: { amr: ['email'] } })
  t.match(await api.login({ email: EMAIL, password: PASSWORD }), { status: 200 }, 'the password still counts')
})

t.test('EML-11: a link signs in the browser that asked, and never the opener elsewhere', async (t) => {
  const { browser, verifyCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  for (const mode of ['cookie', 'session'] as const) {
    const page = browser()
    const asked = await page.call<FlowBody>('/v1/auth/otp', { method: 'POST', body: { email: EMAIL, mode } })
    t.match(asked, { status: 202, setCookies: [/^sallyport_flow=/], body: { flow_token: undefined } })
    const { token } = await mailbox.receive(EMAIL)
    const other = browser()
    for (const elsewhere of [
      await verifyCode({ token }),
      await other.call('/v1/auth/otp/verify', { method: 'POST', body: { token } }),
    ]) {
      t.match(elsewhere, { status: 401, body: { code: 'flow_unbound', needs: ['code'] } })
    }
    t.equal(other.cookies.size, 0)
    const signedIn = await page.call<TokenBody>('/v1/auth/otp/verify', { method: 'POST', body: { token } })
    t.match(signedIn, { status: 200, body: { session: { mode } } })
    t.ok(page.cookies.has('sallyport_rt'))
  }
})

t.test('two flows of one browser do not overwrite each other, and a newer one supersedes the older', async (t) => {
  const { browser, mailbox, addVerified } = await startMailApp(t)
  const page = browser()
  await addVerified(EMAIL)
  await addVerified('grace@example.com')
  const ask = (email: string) => page.call('/v1/auth/otp', { method: 'POST', body: { email } })
  const verify = (body: object) => page.call<FlowBody>('/v1/auth/otp/verify', { method: 'POST', body })
  await ask(EMAIL)
  const first = await mailbox.receive(EMAIL)
  await ask('grace@example.com')
  const second = await mailbox.receive('grace@example.com')
  await ask(EMAIL)
  const third = await mailbox.receive(EMAIL)
  t.match(await verify({ token: first.token }), { status: 401, body: { reason: 'superseded' } }, 'EML-04')
  t.match(await verify({ code: second.code }), { status: 200, body: { user: { email: 'grace@example.com' } } })
  t.match(await verify({ code: third.code }), { status: 200, body: { user: { email: EMAIL } } })
})

t.test('EML-04: in mode json, the former flow token supersedes its flow', async (t) => {
  const { requestCode, verifyCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const first = await requestCode({ email: EMAIL, mode: 'json' })
  const { code } = await mailbox.receive(EMAIL)
  await requestCode({ email: EMAIL, mode: 'json', flow_token: first.body.flow_token })
  t.match(await verifyCode({ code, flow_token: first.body.flow_token }), {
    status: 401,
    body: { reason: 'superseded' },
  })
})

t.test('a banned user is told once the code was shown, and the flow has ended', async (t) => {
  const { app, requestCode, verifyCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const { body } = await requestCode({ email: EMAIL, mode: 'json' })
  const { code } = await mailbox.receive(EMAIL)
  await runCommand(app.operator, 'user:ban', ['--email', EMAIL])
  const shown = { code, flow_token: body.flow_token }
  t.match(await verifyCode({ ...shown, code: wrongCode(code) }), { status: 401 })
  t.match(await verifyCode(shown), { status: 403, body: { code: 'account_banned' } })
  t.match(await verifyCode(shown), { status: 401, body: { reason: 'used' } })
})

t.test('a code makes an account where it was asked for, and the registration is open', async (t) => {
  const { requestCode, verifyCode, mailbox } = await startMailApp(t)
  await requestCode({ email: EMAIL, mode: 'json' })
  t.strictSame(await mailbox.deliver(), [], 'an unknown address gets no mail')
  const asked = await requestCode({ email: EMAIL, mode: 'json', register: true })
  const { code } = await mailbox.receive(EMAIL)
  t.match(await verifyCode({ code, flow_token: asked.body.flow_token }), {
    status: 200,
    body: { user: { email: EMAIL, email_verified: true } },
  })
  const again = await requestCode({ email: EMAIL, mode: 'json', register: true })
  const next = await mailbox.receive(EMAIL)
  t.match(await verifyCode({ code: next.code, flow_token: again.body.flow_token }), { status: 200 }, 'or signs in')

  const closed = await startMailApp(t, { settings: { REGISTRATION: 'closed' } })
  t.match(await closed.requestCode({ email: EMAIL, register: true }), {
    status: 403,
    body: { code: 'registration_closed' },
  })
})

t.test('an account that was deleted since is not made anew', async (t) => {
  const { app, requestCode, verifyCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const { body } = await requestCode({ email: EMAIL, mode: 'json' })
  const { code } = await mailbox.receive(EMAIL)
  await app.operator.administration.remove(EMAIL)
  t.match(await verifyCode({ code, flow_token: body.flow_token }), { status: 401, body: { code: 'flow_invalid' } })
})

t.test('what is switched off says which setting it is', async (t) => {
  const { requestCode, verifyCode } = await startMailApp(t, { settings: { SIGN_IN_METHODS: 'password' } })
  const refusal = { status: 403, body: { code: 'not_offered', detail: /SIGN_IN_METHODS/ } }
  t.match(await requestCode({ email: EMAIL }), refusal)
  t.match(await verifyCode({ token: 'spl_x' }), refusal)
})

t.test(
  'EML-03: a code is good for ten minutes from the delivery, and a mail for an hour from the request',
  async (t) => {
    const { requestCode, verifyCode, mailbox, clock, addVerified } = await startMailApp(t)
    await addVerified(EMAIL)
    const ask = async (deliveredAfterMinutes: number) => {
      const { body } = await requestCode({ email: EMAIL, mode: 'json' })
      clock.advance({ minutes: deliveredAfterMinutes })
      return { body, mails: await mailbox.deliver() }
    }
    const shortly = await ask(0)
    clock.advance({ minutes: 9 })
    const late = await ask(45)
    const shown = ({ body, mails }: typeof late) => ({ code: mails[0]?.code, flow_token: body.flow_token })
    t.match(await verifyCode(shown(shortly)), { status: 401, body: { reason: 'expired' } })
    clock.advance({ minutes: 9 })
    t.equal((await verifyCode(shown(late))).status, 200, 'it waited out an outage')
    const tooLate = await ask(61)
    t.strictSame(tooLate.mails, [])
    t.match(await verifyCode({ code: '12345678', flow_token: tooLate.body.flow_token }), {
      body: { reason: 'expired' },
    })
  },
)

t.test('a mail is sent again, with the same code and a link that counts as well', async (t) => {
  const { resend, requestCode, verifyCode, mailbox, clock, addVerified, browser } = await startMailApp(t)
  await addVerified(EMAIL)
  const asked = await requestCode({ email: EMAIL, mode: 'json' })
  const { flow_token } = asked.body
  const first = await mailbox.receive(EMAIL)
  t.match(await resend({ flow_token }), { status: 202, body: { to: 'a•••@example.com', flow_token: undefined } })
  t.strictSame(await mailbox.deliver(), [], 'too soon')
  clock.advance({ seconds: 31 })
  const again = await resend({ flow_token })
  t.match(again, { status: 202, body: { expires_at: asked.body.expires_at } })
  t.ok(again.body.resend_after <= 30 && again.body.resend_after > 0)
  await resend({ flow_token })
  const mails = await mailbox.deliver()
  t.equal(mails.length, 1, 'once in thirty seconds')
  t.equal(mails[0]?.code, first.code)
  t.not(mails[0]?.token, first.token)
  for (const { token } of [first, ...mails]) t.match(await verifyCode({ token }), { body: { code: 'flow_unbound' } })
  clock.advance({ minutes: 1 })
  await resend({ flow_token })
  clock.advance({ seconds: 30 })
  await resend({ flow_token })
  const [third, fourth] = await mailbox.deliver()
  t.match(await verifyCode({ token: first.token }), { body: { reason: 'expired' } }, 'the last three links count')
  t.match(await verifyCode({ token: third?.token, flow_token }), { status: 200 })
  t.match(await verifyCode({ token: fourth?.token, flow_token }), { body: { reason: 'used' } })
  t.equal((await resend({ flow_token })).status, 202, 'it has ended')
  t.strictSame(await mailbox.deliver(), [])
  t.match(await resend({ flow_token: 'spf_x' }), { status: 401, body: { code: 'flow_invalid', reason: 'expired' } })

  const page = browser()
  await page.call('/v1/auth/otp', { method: 'POST', body: { email: EMAIL } })
  t.equal((await page.call('/v1/auth/resend', { method: 'POST' })).status, 202)
  t.match(await resend({}), { status: 401, body: { code: 'flow_invalid' } })
})

t.test('EML-12: the proof of an address that was never verified removes what others may have set', async (t) => {
  const { api, requestCode, verifyCode, mailbox } = await startMailApp(t, { settings: { EMAIL_VERIFICATION: 'later' } })
  const squatter = await api.register({ email: EMAIL, password: PASSWORD, mode: 'json' })
  await mailbox.deliver()
  const asked = await requestCode({ email: EMAIL, mode: 'json' })
  const { code } = await mailbox.receive(EMAIL)
  const owner = await verifyCode({ code, flow_token: asked.body.flow_token })
  t.match(owner, { status: 200, body: { user: { id: squatter.body.user.id, email_verified: true } } })
  t.match(await api.refresh(squatter.body.refresh_token), { status: 401, body: { code: 'session_ended' } })
  t.match(await api.whoami(squatter.body.access_token), { status: 401 })
  t.match(await api.login({ email: EMAIL, password: PASSWORD }), { status: 401, body: { code: 'invalid_credentials' } })
  t.equal((await api.refresh(owner.body.refresh_token)).status, 200)
  t.match(
    await api.call('/v1/auth/verify-email', {
      method: 'POST',
      body: { code: '12345678', flow_token: squatter.body.flow?.flow_token },
    }),
    { status: 401, body: { reason: 'superseded' } },
    'the flow of the squatter has ended',
  )
})

t.test('an invited person chooses a password, and has the roles', async (t) => {
  const { app, api, mailbox, register, browser } = await startMailApp(t, { settings: { REGISTRATION: 'invite' } })
  t.match(await register({ email: EMAIL, password: PASSWORD }), { status: 403, body: { code: 'registration_closed' } })
  await runCommand(app.operator, 'user:invite', ['--email', EMAIL, '--role', 'admin', '--role', 'auditor'])
  const mail = await mailbox.receive(EMAIL)
  t.match(mail, { kind: 'invitation', link: /\/link\/invitation\?token=spl_/, code: undefined })
  const accept = (body: object) => api.call<TokenBody>('/v1/auth/accept-invitation', { method: 'POST', body })
  const { token } = mail
  t.match(await accept({ token, password: 'short', mode: 'json' }), { status: 422 })
  t.match(await accept({ token, password: PASSWORD, name: 'Ada', mode: 'json' }), {
    status: 201,
    body: { user: { email: EMAIL, name: 'Ada', email_verified: true, roles: ['admin', 'auditor'] } },
  })
  t.match(await accept({ token, password: PASSWORD, mode: 'json' }), { status: 401, body: { reason: 'used' } })

  await t.rejects(runCommand(app.operator, 'user:invite', ['--email', EMAIL]), { message: /already registered/ })
  const email = 'grace@example.com'
  await runCommand(app.operator, 'user:invite', ['--email', email])
  const first = await mailbox.receive(email)
  await runCommand(app.operator, 'user:invite', ['--email', email])
  const second = await mailbox.receive(email)
  t.match(await accept({ token: first.token, password: PASSWORD }), { status: 401, body: { reason: 'superseded' } })
  const page = browser()
  t.match(
    await page.call('/v1/auth/accept-invitation', {
      method: 'POST',
      body: { token: second.token, password: PASSWORD },
    }),
    { status: 201, body: { session: { mode: 'cookie' }, user: { roles: [] } } },
  )
  t.ok(page.cookies.has('sallyport_rt'))
})

t.test('a sign-in on a device that is not known is told by mail, but not the first', async (t) => {
  const { api, mailbox, browser, requestCode, verifyCode } = await startMailApp(t, {
    settings: { EMAIL_VERIFICATION: 'off' },
  })
  const { email, answer } = await api.signUp()
  t.strictSame(await mailbox.deliver(), [])
  await api.login({ email, password: PASSWORD, mode: 'json', device_token: answer.body.device_token })
  t.strictSame(await mailbox.deliver(), [])
  const agent = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0' }
  const page = browser()
  const login = () =>
    page.call<TokenBody>('/v1/auth/login', { method: 'POST', body: { email, password: PASSWORD }, headers: agent })
  t.equal((await login()).status, 200)
  t.match(await mailbox.deliver(), [
    {
      kind: 'new_sign_in',
      to: email,
      notMeLink: /\/link\/not-me\?token=spl_/,
      confirm: /^\d{4}$/,
      params: { device: 'Firefox on Linux', network: '127.0.0.1' },
    },
  ])
  await login()
  t.strictSame(await mailbox.deliver(), [], 'it is known now')
  const asked = await requestCode({ email, mode: 'json' })
  const { code } = await mailbox.receive(email)
  await verifyCode({ code, flow_token: asked.body.flow_token })
  t.match(await mailbox.deliver(), [{ kind: 'new_sign_in' }])

  const quiet = await startMailApp(t, { settings: { EMAIL_VERIFICATION: 'off', NOTICES: 'credentials' } })
  const user = await quiet.api.signUp()
  await quiet.api.login({ email: user.email, password: PASSWORD, mode: 'json' })
  t.strictSame(await quiet.mailbox.deliver(), [])
})
