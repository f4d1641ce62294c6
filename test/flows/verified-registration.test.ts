import t from 'tap'
import { PASSWORD, type Answer, type Call, type ProblemBody, type TokenBody } from '../support/api.js'
import { startApp, type StartOptions, type Test } from '../support/app.js'
import { createMailbox } from '../support/mailbox.js'
import type { FlowReply } from '../../src/wire/flow-reply.js'

const EMAIL = 'ada@example.com'
const settings = { EMAIL_VERIFICATION: 'required' }

async function start(t: Test, options: StartOptions = {}) {
  const started = await startApp(t, { settings, ...options })
  const { api } = started
  return {
    ...started,
    mailbox: createMailbox(started),
    register: (body: object = {}) =>
      api.call<FlowReply & ProblemBody>('/v1/auth/register', {
        method: 'POST',
        body: { email: EMAIL, password: PASSWORD, mode: 'json', ...body },
      }),
    verify: (body: object): Promise<Answer<TokenBody>> => api.call('/v1/auth/verify-email', { method: 'POST', body }),
  }
}

t.test('an app registers, and types the code from the mail', async (t) => {
  const { api, register, verify, mailbox, clock } = await start(t)
  const begun = await register({ name: 'Ada', device_name: 'Phone' })
  t.match(begun, {
    status: 202,
    headers: { 'cache-control': 'no-store' },
    setCookies: { length: 0 },
    body: { to: 'a•••@example.com', resend_after: 30, flow_token: /^spf_[\w-]{64}$/ },
  })
  const lifeMs = Date.parse(begun.body.expires_at) - clock.now().getTime()
  t.ok(Math.abs(lifeMs - 24 * 60 * 60_000) < 60_000)
  t.match(await api.login({ email: EMAIL, password: PASSWORD }), { status: 401, body: { code: 'invalid_credentials' } })

  const mail = await mailbox.receive(EMAIL)
  t.match(mail, {
    kind: 'register',
    link: /^http:\/\/localhost:3000\/link\/verify-email\?token=spl_[\w-]{64}$/,
    notMeLink: /^http:\/\/localhost:3000\/link\/not-me\?token=spl_/,
    code: /^\d{8}$/,
    confirm: /^\d{4}$/,
  })
  t.equal(mail.params.name, undefined, 'anybody could have typed the name')
  const code = (mail.code ?? '').replace(/(\d{4})/, '$1 ')
  const { flow_token } = begun.body
  const verified = await verify({ code, flow_token })
  t.match(verified, {
    status: 200,
    body: {
      refresh_token: /^spr_/,
      device_token: /^spd_/,
      session: { mode: 'json', device_name: 'Phone' },
      user: { email: EMAIL, name: 'Ada', email_verified: true },
    },
  })
  t.match(await api.whoami(verified.body.access_token), { status: 200, body: { amr: ['pwd', 'email'] } })
  t.match(await api.login({ email: EMAIL, password: PASSWORD }), { status: 200 })
  t.match(await verify({ code, flow_token }), { status: 401, body: { code: 'flow_invalid', reason: 'used' } })
  t.match(await verify({ token: mail.token }), { status: 401, body: { code: 'flow_invalid', reason: 'used' } })
})

t.test('EML-11: a page registers, and its link counts in this browser alone', async (t) => {
  const { api, browser, verify, mailbox } = await start(t)
  const page = browser()
  const begun = await page.call<FlowReply>('/v1/auth/register', {
    method: 'POST',
    body: { email: EMAIL, password: PASSWORD },
  })
  t.match(begun, {
    status: 202,
    setCookies: [/^sallyport_flow=spf_[\w-]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Strict$/],
    body: { flow_token: undefined },
  })
  const { token } = await mailbox.receive(EMAIL)

  for (const elsewhere of [
    await verify({ token }),
    await browser().call('/v1/auth/verify-email', { method: 'POST', body: { token } }),
  ]) {
    t.match(elsewhere, {
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: { code: 'flow_unbound', needs: ['password'] },
    })
  }
  const wrong = { token, password: 'the password of a mailbox owner' }
  t.match(await verify(wrong), { status: 401, body: { code: 'invalid_credentials' } })
  t.match(await api.login({ email: EMAIL, password: PASSWORD }), { status: 401 }, 'there is no user yet')

  const verified = await page.call<TokenBody>('/v1/auth/verify-email', { method: 'POST', body: { token } })
  t.match(verified, { status: 200, body: { session: { mode: 'cookie' }, user: { email_verified: true } } })
  t.ok(page.cookies.has('sallyport_rt'))
  t.equal((await api.whoami(verified.body.access_token)).status, 200)
})

t.test("EML-11: elsewhere, the link needs the registrant's password", async (t) => {
  const { register, verify, mailbox } = await start(t)
  await register()
  const { token } = await mailbox.receive(EMAIL)
  t.match(await verify({ token, password: PASSWORD }), {
    status: 200,
    body: { user: { email: EMAIL, email_verified: true } },
  })
})

t.test('the password of a link is guessed at as rarely as that of an account', async (t) => {
  const { register, verify, mailbox } = await start(t)
  await register()
  const { token } = await mailbox.receive(EMAIL)
  for (let tries = 0; tries < 10; tries += 1) {
    t.match(await verify({ token, password: `wrong number ${tries}` }), {
      status: 401,
      body: { code: 'invalid_credentials' },
    })
  }
  t.match(await verify({ token, password: PASSWORD }), { status: 429, body: { code: 'rate_limited' } })
})

t.test('the owner of a taken address is told by mail, and the registrant is not', async (t) => {
  const { register, verify, mailbox } = await start(t)
  const first = await register()
  await verify({ code: (await mailbox.receive(EMAIL)).code, flow_token: first.body.flow_token })

  const second = await register()
  t.equal(second.status, 202)
  const mail = await mailbox.receive(EMAIL)
  t.match(mail, { kind: 'account_exists', to: EMAIL })
  t.equal(mail.code, undefined)
  t.equal(mail.link, undefined)
  t.match(await verify({ code: '12345678', flow_token: second.body.flow_token }), {
    status: 401,
    body: { code: 'flow_invalid', reason: 'wrong_code', attempts_left: 4 },
  })
})

t.test('an address that became taken meanwhile is told to the owner of the mailbox only', async (t) => {
  const { app, register, verify, mailbox } = await start(t)
  const begun = await register()
  const { code, token } = await mailbox.receive(EMAIL)
  await app.operator.administration.createUser({ email: EMAIL, name: null, password: PASSWORD, roles: [] })
  t.match(await verify({ token }), { status: 401, body: { code: 'flow_unbound' } })
  t.match(await verify({ code, flow_token: begun.body.flow_token }), { status: 409, body: { code: 'email_taken' } })
})

t.test('registrations are refused where they are for invited people, or where no mail is sent', async (t) => {
  const invited = await start(t, { settings: { ...settings, REGISTRATION: 'invite' } })
  t.match(await invited.register(), { status: 403, body: { code: 'registration_closed' } })
})

t.test('a later confirmation: the user is signed in at once, and proves the address when they like', async (t) => {
  const { api, browser, clock, mailbox, verify } = await start(t, { settings: { EMAIL_VERIFICATION: 'later' } })

  t.test('with the code, as who registered', async (t) => {
    const registered = await api.register({ email: EMAIL, password: PASSWORD, mode: 'json' })
    t.match(registered, {
      status: 201,
      body: { flow: { to: 'a•••@example.com', flow_token: /^spf_/ }, user: { email_verified: false } },
    })
    const { code } = await mailbox.receive(EMAIL)
    t.match(await verify({ code, flow_token: registered.body.flow?.flow_token }), { status: 204 })
    const { access_token: token } = registered.body
    t.match(
      await api.call('/v1/me', { token }),
      { status: 200, body: { email_verified: true } },
      'no claim has changed',
    )
    t.match(await api.register({ email: EMAIL, password: PASSWORD }), { status: 409, body: { code: 'email_taken' } })
  })

  t.test('with the link, in the browser that registered', async (t) => {
    const page = browser()
    const email = 'grace@example.com'
    const registered = await page.call('/v1/auth/register', { method: 'POST', body: { email, password: PASSWORD } })
    t.match(registered, { status: 201, body: { flow: { resend_after: 30, flow_token: undefined } } })
    t.ok(page.cookies.has('sallyport_flow'))
    const { token } = await mailbox.receive(email)
    const confirm = (by: typeof page) => by.call('/v1/auth/verify-email', { method: 'POST', body: { token } })
    t.match(await confirm(browser()), { status: 401, body: { code: 'flow_unbound', needs: ['sign_in'] } })
    t.match(await confirm(page), { status: 204 })
  })

  t.test('with another mail, which a signed-in user can ask for at any time', async (t) => {
    const { email, accessToken: token } = await api.signUp()
    await mailbox.deliver()
    clock.advance({ days: 2 })
    const login = await api.login({ email, password: PASSWORD, mode: 'json' })
    const resend = (call: Call) =>
      api.call<FlowReply>('/v1/auth/resend', { method: 'POST', body: { mode: 'json' }, ...call })
    t.match(await resend({}), { status: 401, body: { code: 'flow_invalid', reason: 'expired' } })
    t.match(await resend({ token }), { status: 401 }, 'an expired token signs nobody in')
    const asked = await resend({ token: login.body.access_token })
    t.match(asked, { status: 202, body: { flow_token: /^spf_/ } })
    const mails = await mailbox.deliver()
    const { code } = mails.find(({ kind }) => kind === 'verify_email') ?? {}
    t.match(await verify({ code, flow_token: asked.body.flow_token }), { status: 204 })
    t.match(await resend({ token: login.body.access_token }), { status: 401, body: { reason: 'used' } })
  })

  for (const mode of ['cookie', 'session', 'json'] as const) {
    t.test(`with the link, in another browser that is signed in in mode ${mode}`, async (t) => {
      const { email } = await api.signUp()
      const { token } = await mailbox.receive(email)
      const page = browser()
      const login = await page.call<TokenBody>('/v1/auth/login', {
        method: 'POST',
        body: { email, password: PASSWORD, mode },
      })
      page.cookies.delete('sallyport_at')
      const bearer = mode === 'json' ? login.body.access_token : undefined
      const body = { token }
      const stranger = await api.signUp()
      t.match(await verify(body), { status: 401, body: { code: 'flow_unbound' } })
      t.match(
        await api.call('/v1/auth/verify-email', { method: 'POST', body, token: stranger.accessToken }),
        { status: 401, body: { code: 'flow_unbound', needs: ['sign_in'] } },
        'another user',
      )
      t.match(await page.call('/v1/auth/verify-email', { method: 'POST', body, token: bearer }), { status: 204 })
    })
  }
})
