// Links, codes and the tokens of who asked for them: each is good for one thing, once, and for its holder alone.

import t from 'tap'
import { PASSWORD } from '../support/api.js'
import { dumpTables } from '../support/dump.js'
import { startMailApp, wrongCode } from '../support/flow-calls.js'
import { createKeptLog } from '../support/logged.js'

const EMAIL = 'ada@example.com'

t.test('EML-02: of two that show one code at the same time, exactly one is signed in', async (t) => {
  const { requestCode, verifyCode, register, verifyEmail, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  for (let round = 0; round < 3; round += 1) {
    const { body } = await requestCode({ email: EMAIL, mode: 'json' })
    const { code, token } = await mailbox.receive(EMAIL)
    const { flow_token } = body
    const answers = await Promise.all([
      verifyCode({ code, flow_token }),
      verifyCode({ code, flow_token }),
      verifyCode({ token, flow_token }),
    ])
    const refused = answers.filter(({ status }) => status !== 200)
    t.equal(refused.length, 2)
    for (const answer of refused) t.match(answer, { status: 401, body: { code: 'flow_invalid', reason: 'used' } })
  }
  const registered = await register({ email: 'grace@example.com', password: PASSWORD, mode: 'json' })
  const { code } = await mailbox.receive('grace@example.com')
  const shown = { code, flow_token: registered.body.flow_token }
  const statuses = (await Promise.all([verifyEmail(shown), verifyEmail(shown)])).map(({ status }) => status)
  t.same(statuses.sort(), [200, 401])
})

t.test('EML-02: two registrations of one address, confirmed at the same time, make one user', async (t) => {
  const { register, verifyEmail, mailbox } = await startMailApp(t)
  const begun = [
    await register({ email: EMAIL, password: PASSWORD, mode: 'json' }),
    await register({ email: EMAIL, password: PASSWORD, mode: 'json' }),
  ]
  const mails = await mailbox.deliver()
  const answers = await Promise.all(
    begun.map(({ body }, index) => verifyEmail({ code: mails[index]?.code, flow_token: body.flow_token })),
  )
  t.same(answers.map(({ status }) => status).sort(), [200, 401])
  t.match(
    answers.find(({ status }) => status === 401),
    { body: { code: 'flow_invalid', reason: 'superseded' } },
  )
})

t.test('a flow compares five codes, however many arrive at once and without rate limits', async (t) => {
  const { requestCode, verifyCode, mailbox, addVerified, database } = await startMailApp(t, {
    settings: { RATE_LIMIT: 'off' },
  })
  await addVerified(EMAIL)
  const { body } = await requestCode({ email: EMAIL, mode: 'json' })
  const mail = await mailbox.receive(EMAIL)
  const { flow_token } = body
  const code = wrongCode(mail.code)
  const answers = await Promise.all(Array.from({ length: 20 }, () => verifyCode({ code, flow_token })))
  t.ok(answers.every(({ status }) => status === 401))
  const compared = await database.query((client) =>
    client.auditEvent.aggregate({ where: { event: 'flow_code_wrong' }, _sum: { times: true } }),
  )
  t.equal(compared._sum.times, 5)
  const closed = { status: 401, body: { code: 'flow_invalid', reason: 'too_many_attempts' } }
  t.match(await verifyCode({ code: mail.code, flow_token }), closed)
  t.match(await verifyCode({ token: mail.token, flow_token }), closed, 'and the link')
})

t.test('the last try may be the right one', async (t) => {
  const { requestCode, verifyCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const { body } = await requestCode({ email: EMAIL, mode: 'json' })
  const { code } = await mailbox.receive(EMAIL)
  const { flow_token } = body
  for (let tries = 0; tries < 4; tries += 1) await verifyCode({ code: wrongCode(code), flow_token })
  t.equal((await verifyCode({ code, flow_token })).status, 200)
})

t.test('wrong codes of an address are limited over all its flows, whoever has it', async (t) => {
  const { requestCode, verifyCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  for (const email of [EMAIL, 'unknown@example.com']) {
    for (let flow = 0; flow < 2; flow += 1) {
      const { flow_token } = (await requestCode({ email, mode: 'json' })).body
      const [mail] = await mailbox.deliver()
      for (let tries = 0; tries < 5; tries += 1) await verifyCode({ code: wrongCode(mail?.code ?? '1'), flow_token })
    }
    const { flow_token } = (await requestCode({ email, mode: 'json' })).body
    t.match(await verifyCode({ code: '12345678', flow_token }), { status: 429, body: { code: 'rate_limited' } }, email)
  }
})

t.test("EML-04: an attacker's requests do not end the owner's flow, and a sixth is void", async (t) => {
  const { requestCode, verifyCode, mailbox, addVerified } = await startMailApp(t, { settings: { RATE_LIMIT: 'off' } })
  await addVerified(EMAIL)
  const own = await requestCode({ email: EMAIL, mode: 'json' })
  const { code } = await mailbox.receive(EMAIL)
  for (let asked = 0; asked < 8; asked += 1) await requestCode({ email: EMAIL, mode: 'json' })
  t.equal((await mailbox.deliver()).length, 4, 'five at once, with that of the owner')
  t.equal((await verifyCode({ code, flow_token: own.body.flow_token })).status, 200)
})

t.test("EML-11: an attacker who asked has no use for a link that the owner's mail gateway opens", async (t) => {
  const { register, requestCode, verifyCode, verifyEmail, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const asked = await requestCode({ email: EMAIL, mode: 'json' })
  const link = await mailbox.receive(EMAIL)
  t.match(await verifyCode({ token: link.token }), { status: 401, body: { code: 'flow_unbound' } }, 'the gateway')
  t.match(await verifyCode({ flow_token: asked.body.flow_token, code: '12345678' }), { status: 401 }, 'the attacker')
  const other = await requestCode({ email: 'unknown@example.com', mode: 'json' })
  t.match(
    await verifyCode({ token: link.token, flow_token: other.body.flow_token }),
    { status: 401, body: { code: 'flow_unbound' } },
    'the token of another flow does not hold it',
  )
  await register({ email: 'grace@example.com', password: PASSWORD, mode: 'json' })
  const registration = await mailbox.receive('grace@example.com')
  t.match(await verifyEmail({ token: registration.token }), { status: 401, body: { needs: ['password'] } })
})

t.test('TOK-15: no secret of a flow stands for another, and none opens anything else', async (t) => {
  const { api, register, requestCode, verifyCode, verifyEmail, resend, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const otp = (await requestCode({ email: EMAIL, mode: 'json' })).body.flow_token
  const otpMail = await mailbox.receive(EMAIL)
  const registration = (await register({ email: 'grace@example.com', password: PASSWORD, mode: 'json' })).body
    .flow_token
  const registerMail = await mailbox.receive('grace@example.com')
  const invalid = { status: 401, body: { code: 'flow_invalid', reason: 'expired' } }

  t.match(await verifyEmail({ token: otpMail.token, flow_token: otp }), invalid, 'a link of another kind')
  t.match(await verifyEmail({ code: otpMail.code, flow_token: otp }), invalid, 'a code of another kind')
  t.match(await verifyCode({ token: registerMail.token, flow_token: registration }), invalid)
  t.match(await verifyCode({ code: registerMail.code, flow_token: registration }), invalid)
  t.match(await verifyCode({ token: otp }), invalid, "the holder's token is no link")
  t.match(await verifyCode({ code: otpMail.code, flow_token: otpMail.token }), invalid, "a link is no holder's token")
  t.match(await verifyCode({ token: otpMail.code }), invalid)
  t.match(await resend({ flow_token: otpMail.token }), invalid)
  const invite = { token: otpMail.token, password: PASSWORD }
  t.match(await api.call('/v1/auth/accept-invitation', { method: 'POST', body: invite }), invalid)
  for (const secret of [otp, registration, otpMail.token, registerMail.token, otpMail.code].map(String)) {
    t.match(await api.whoami(secret), { status: 401, body: { code: 'token_invalid' } })
    t.match(await api.refresh(secret), { status: 401, body: { code: 'refresh_token_invalid' } })
  }
  const { body } = await api.login({ email: EMAIL, password: PASSWORD, mode: 'json' })
  for (const token of [body.access_token, body.refresh_token, body.device_token]) {
    t.match(await verifyCode({ token: token?.slice(0, 200) }), invalid)
    t.match(await verifyCode({ code: otpMail.code, flow_token: token?.slice(0, 200) }), invalid)
  }
  t.equal((await verifyCode({ code: otpMail.code, flow_token: otp })).status, 200, 'nothing of this has ended it')
})

t.test('EML-01, OPS-02: neither the database nor the log has a secret of a flow', async (t) => {
  const { log, lines } = createKeptLog()
  const { register, requestCode, resend, verifyCode, mailbox, clock, addVerified, database } = await startMailApp(t, {
    log,
  })
  await addVerified(EMAIL)
  const asked = await requestCode({ email: EMAIL, mode: 'json' })
  const registered = await register({ email: 'grace@example.com', password: PASSWORD, mode: 'json' })
  clock.advance({ seconds: 31 })
  await resend({ flow_token: asked.body.flow_token })
  const mails = await mailbox.deliver()
  t.equal(mails.length, 3)
  await verifyCode({ code: wrongCode(mails[0]?.code), flow_token: asked.body.flow_token })
  const secrets = [
    ...[asked.body.flow_token, registered.body.flow_token, PASSWORD],
    ...mails.flatMap(({ token, code, notMeToken }) => [token, code, notMeToken]),
  ].flatMap((secret) => (secret === undefined || secret === '' ? [] : [secret]))
  t.ok(secrets.length > 8)
  const rows = JSON.stringify(await dumpTables(database))
  // The development inbox says in the log what it holds.
  const logged = lines.filter(({ msg }) => msg !== 'mail in the development inbox').map((line) => JSON.stringify(line))
  for (const secret of secrets) {
    const forms = [secret, Buffer.from(secret.slice(4), 'base64url').toString('hex')]
    for (const form of forms.filter((text) => text.length >= 8)) {
      t.notOk(rows.includes(form), 'the database')
      t.notOk(logged.join().includes(form), 'the log')
    }
  }
})

t.test('EML-05: links are built from the settings, never from the request', async (t) => {
  const { requestCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', origin: 'http://localhost:3000' }
  await requestCode({ email: EMAIL, mode: 'json' }, { headers })
  const { link, text, html } = await mailbox.receive(EMAIL)
  t.match(link, /^http:\/\/localhost:3000\/link\/otp\?token=/)
  t.notMatch(text + html, /evil/)
})

t.test('EML-06: a GET or HEAD consumes nothing', async (t) => {
  const { api, requestCode, verifyCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const { body } = await requestCode({ email: EMAIL, mode: 'json' })
  const { token } = await mailbox.receive(EMAIL)
  for (const path of ['otp/verify', 'verify-email', 'accept-invitation', 'resend']) {
    for (const method of ['GET', 'HEAD'] as const) {
      t.equal((await api.call(`/v1/auth/${path}?token=${token}`, { method })).status, 405, `${method} ${path}`)
    }
  }
  t.equal((await verifyCode({ token, flow_token: body.flow_token })).status, 200)
})

t.test('EML-10: one address a request', async (t) => {
  const { register, requestCode, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const addresses: unknown[] = [
    [EMAIL, 'evil@example.com'],
    `${EMAIL},evil@example.com`,
    `${EMAIL};evil@example.com`,
    `${EMAIL}\r\nBcc: evil@example.com`,
    `evil@example.com <${EMAIL}>`,
    { email: EMAIL },
  ]
  for (const email of addresses) {
    t.equal((await requestCode({ email, mode: 'json' })).status, 422)
    t.equal((await register({ email, password: PASSWORD, mode: 'json' })).status, 422)
  }
  t.strictSame(await mailbox.deliver(), [])
})

t.test('WEB-05: another site neither begins nor ends a flow with the cookies of a browser', async (t) => {
  const { browser, mailbox, addVerified } = await startMailApp(t)
  await addVerified(EMAIL)
  const page = browser()
  const from = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const refused = { status: 403, body: { code: 'cross_site_request' }, setCookies: { length: 0 } }
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    page.call(`/v1/auth/${path}`, { method: 'POST', body, headers })
  t.match(await post('otp', { email: EMAIL }, from), refused)
  t.match(await post('register', { email: EMAIL, password: PASSWORD }, from), refused)
  await post('otp', { email: EMAIL })
  const { code, token } = await mailbox.receive(EMAIL)
  t.match(await post('otp/verify', { code }, from), refused)
  t.match(await post('otp/verify', { token }, from), refused)
  t.match(await post('resend', {}, from), refused)
  t.match(await post('verify-email', { code }, from), refused)

  // Signing a victim in to the attacker's account: the attacker knows all secrets of a flow of their own.
  const attacker = browser()
  await attacker.call('/v1/auth/otp', { method: 'POST', body: { email: EMAIL } })
  const own = await mailbox.receive(EMAIL)
  const shown = { token: own.token, flow_token: attacker.cookies.get('sallyport_flow') }
  t.match(await browser().call('/v1/auth/otp/verify', { method: 'POST', body: shown, headers: from }), refused)
  t.match(await post('otp/verify', { code }), { status: 200 })
})
