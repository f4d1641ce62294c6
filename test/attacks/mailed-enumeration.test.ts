// Which addresses are registered must not show in anything that the routes do or answer which send mails: the same
// statements in the same order, and so the same time.

import t from 'tap'
import { PASSWORD, type Answer } from '../support/api.js'
import { openTestDatabase } from '../support/database.js'
import { startMailApp, type FlowBody, type MailApp } from '../support/flow-calls.js'
import { watchStatements } from '../support/statements.js'

/** A user of each kind, and an address that nobody has. */
async function addEach({ addVerified, database }: MailApp): Promise<Record<string, string>> {
  const emails = {
    ordinary: 'a@example.com',
    banned: 'b@example.com',
    passwordless: 'c@example.com',
    unverified: 'd@example.com',
  }
  for (const email of Object.values(emails)) await addVerified(email)
  await database.query(async (client) => {
    await client.user.update({ where: { email: emails.banned }, data: { bannedAt: new Date('2026-01-01') } })
    await client.user.update({ where: { email: emails.passwordless }, data: { passwordHash: null } })
    await client.user.update({ where: { email: emails.unverified }, data: { emailVerifiedAt: null } })
  })
  return { unknown: 'e@example.com', ...emails }
}

/** The parts of a response that could reveal something: not the count of a network, nor times, which begin elsewhere. */
function visible({ status, headers, body, setCookies }: Answer<FlowBody>) {
  const without = (members: object, names: string[]) =>
    Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))
  return {
    status,
    headers: without(headers, ['date', 'x-request-id', 'ratelimit', 'set-cookie']),
    body: {
      ...without(body, ['request_id', 'to', 'flow_token', 'expires_at', 'resend_after']),
      flow_token: typeof body.flow_token,
      expires_at: typeof body.expires_at,
      resend_after: typeof body.resend_after,
    },
    setCookies: setCookies.length,
  }
}

const routes: Record<string, (app: MailApp, email: string) => Promise<Answer<FlowBody>>> = {
  register: ({ register }, email) => register({ email, password: PASSWORD, mode: 'json' }),
  'register in mode cookie': ({ register }, email) => register({ email, password: PASSWORD }),
  otp: ({ requestCode }, email) => requestCode({ email, mode: 'json' }),
  'otp, which may register': ({ requestCode }, email) => requestCode({ email, mode: 'json', register: true }),
}

for (const [route, call] of Object.entries(routes)) {
  t.test(
    `PWD-10: ${route} does and answers the same for every address, and so do resend and a wrong code`,
    async (t) => {
      const database = watchStatements(await openTestDatabase())
      const app = await startMailApp(t, { database })
      const { clock, mailbox } = app
      const observed: Record<string, unknown> = {}
      for (const [who, email] of Object.entries(await addEach(app))) {
        database.take()
        const asked = await call(app, email)
        const steps = [{ answer: visible(asked), statements: database.take() }]
        t.equal(asked.status, 202, who)
        t.ok((steps[0]?.statements.length ?? 0) > 3)
        const { flow_token } = asked.body
        const verify = route.startsWith('otp') ? app.verifyCode : app.verifyEmail
        const cookie = asked.setCookies[0]?.split(';')[0]?.split('=')[1] ?? ''
        const shown = { flow_token: flow_token ?? cookie }
        // The same whether or not the mail was sent meanwhile.
        for (const between of [() => Promise.resolve([]), mailbox.deliver]) {
          await between()
          database.take()
          const wrong = await verify({ code: '00000000', ...shown })
          steps.push({ answer: visible(wrong), statements: database.take() })
        }
        clock.advance({ seconds: 40 })
        const resent = await app.resend(shown)
        steps.push({ answer: visible(resent), statements: database.take() })
        await mailbox.deliver()
        database.take()
        const repeated = await app.resend(shown)
        steps.push({ answer: visible(repeated), statements: database.take() })
        observed[who] = steps
      }
      const { unknown, ...others } = observed
      for (const [who, steps] of Object.entries(others)) t.same(steps, unknown, who)
    },
  )
}

t.test('PWD-10: a flow that no mail follows lives as long, and its codes count down alike', async (t) => {
  const { clock, mailbox, requestCode, verifyCode, addVerified, database } = await startMailApp(t)
  await addVerified('known@example.com')
  const unknown = await requestCode({ email: 'unknown@example.com', mode: 'json' })
  t.strictSame(await mailbox.deliver(), [])
  const known = await requestCode({ email: 'known@example.com', mode: 'json' })
  // A mail server may take its time.
  clock.advance({ seconds: 30 })
  t.equal((await mailbox.deliver()).length, 1)
  const flows = await database.query((client) => client.flow.findMany())
  const lives = flows.map(({ createdAt, expiresAt }) => expiresAt.getTime() - createdAt.getTime())
  t.same(lives, [600_000, 600_000])
  for (const attempts_left of [4, 3, 2, 1]) {
    for (const { flow_token } of [unknown.body, known.body]) {
      // No code has nine digits.
      const wrong = await verifyCode({ code: '123456789', flow_token })
      t.match(wrong, { status: 401, body: { reason: 'wrong_code', attempts_left } })
    }
  }
  for (const { flow_token } of [unknown.body, known.body]) {
    const last = await verifyCode({ code: '123456789', flow_token })
    t.match(last, { status: 401, body: { reason: 'too_many_attempts', attempts_left: 0 } })
  }
})

t.test('PWD-10: what is over a limit is answered alike, and mails nothing', async (t) => {
  const { clock, mailbox, requestCode, addVerified, database } = await startMailApp(t)
  for (const email of ['known@example.com', 'unknown@example.com']) {
    await addVerified('known@example.com').catch(() => undefined)
    const ask = (from: string) => requestCode({ email, mode: 'json' }, { from })
    const answers: Answer<FlowBody>[] = []
    for (let asked = 0; asked < 7; asked += 1) answers.push(await ask(`192.0.2.${asked}`))
    t.same(new Set(answers.map((answer) => JSON.stringify(visible(answer)))).size, 1)
  }
  t.equal((await mailbox.deliver()).length, 5, 'an address gets five an hour')
  const states = await database.query((client) => client.mail.groupBy({ by: ['state'], _count: true }))
  t.same(Object.fromEntries(states.map(({ state, _count }) => [state, _count])), { sent: 5, void: 9 })

  clock.advance({ hours: 2 })
  const sent: number[] = []
  for (let address = 0; address < 35; address += 1) {
    await addVerified(`user${address}@example.com`)
    await requestCode({ email: `user${address}@example.com`, mode: 'json' }, { from: '198.51.100.7' })
  }
  sent.push((await mailbox.deliver()).length)
  t.same(sent, [30], 'a network asks for thirty an hour')
})

t.test('PWD-10: an address gets fifteen mails a day', async (t) => {
  const { clock, mailbox, requestCode, addVerified } = await startMailApp(t)
  await addVerified('known@example.com')
  let received = 0
  for (let hour = 0; hour < 5; hour += 1) {
    for (let asked = 0; asked < 5; asked += 1) await requestCode({ email: 'known@example.com', mode: 'json' })
    received += (await mailbox.deliver()).length
    clock.advance({ hours: 1, seconds: 1 })
  }
  t.equal(received, 15)
})

t.test('PWD-13: mails that others ask for do not use up those of a known device', async (t) => {
  const { api, mailbox, requestCode, addVerified } = await startMailApp(t, { settings: { NOTICES: 'credentials' } })
  await addVerified('known@example.com')
  const login = { email: 'known@example.com', password: PASSWORD, mode: 'json' }
  const { device_token } = (await api.login(login)).body
  for (let asked = 0; asked < 6; asked += 1) await requestCode({ email: 'known@example.com', mode: 'json' })
  t.equal((await mailbox.deliver()).length, 5)
  await requestCode({ email: 'known@example.com', mode: 'json', device_token })
  t.equal((await mailbox.deliver()).length, 1)
})
