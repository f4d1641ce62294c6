// The development inbox, and what the application tells of mail.

import t from 'tap'
import { createMetrics } from '../../../src/platform/metrics/metrics.js'
import { SECRET_KEY, startApp, type TestApp } from '../../support/app.js'
import { createKeptLog } from '../../support/logged.js'
import { createMailBench } from '../../support/mail.js'
import { parseMetrics } from '../../support/metrics.js'

interface InboxBody {
  mails: { id: string; kind: string; to: string; link?: string; code?: string; sent_at: string }[]
}

const here = { headers: { host: 'localhost:3000' } }
const withCodes = { SIGN_IN_METHODS: 'password,otp', EMAIL_VERIFICATION: 'off' }
const requestCode = ({ api }: TestApp, email: string) =>
  api.call('/v1/auth/otp', { method: 'POST', body: { email, mode: 'json' } })

t.test('GET /dev/inbox.json shows each mail as it would arrive, the newest first', async (t) => {
  const test = await startApp(t, { settings: withCodes })
  const { api, app } = test
  const ada = await api.signUp()
  const grace = await api.signUp()
  await app.delivery.deliverDue()
  const before = (await api.call<InboxBody>('/dev/inbox.json', here)).body.mails.length
  await requestCode(test, ada.email)
  await app.delivery.deliverDue()
  await requestCode(test, grace.email)
  await app.delivery.deliverDue()

  const { status, headers, body } = await api.call<InboxBody>('/dev/inbox.json', here)
  t.equal(status, 200)
  t.match(headers['cache-control'], /no-store/)
  t.equal(body.mails.length, before + 2)
  t.match(body.mails.slice(0, 2), [{ to: grace.email }, { to: ada.email }])
  t.match(body.mails[1], {
    id: String,
    kind: 'otp',
    to: ada.email,
    subject: 'Sign in to Sallyport',
    text: /^To sign in to Sallyport/,
    html: /^<!doctype html>/,
    link: /^http:\/\/localhost:3000\/link\/otp\?token=spl_[\w-]+$/,
    code: /^\d{8}$/,
    sent_at: /^\d{4}-.*Z$/,
  })
  const ofAda = await api.call<InboxBody>(`/dev/inbox.json?to=${ada.email.toUpperCase()}`, here)
  t.ok(ofAda.body.mails.length > 0 && ofAda.body.mails.every(({ to }) => to === ada.email))
  t.strictSame((await api.call<InboxBody>('/dev/inbox.json?to=nobody@example.com', here)).body, { mails: [] })
  t.match(await api.call('/dev/inbox.json?from=x', here), { status: 422 })
})

t.test('the inbox is for this machine: not for others, not through proxies, not under a name of others', async (t) => {
  const { api } = await startApp(t, { settings: { TRUST_PROXY: '127.0.0.1' } })
  for (const from of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) {
    t.match(await api.call('/dev/inbox.json', { ...here, from }), { status: 200 }, from)
  }
  for (const from of ['192.0.2.7', '10.0.0.1', '::ffff:192.0.2.7', '2001:db8::1']) {
    t.match(await api.call('/dev/inbox.json', { ...here, from }), { status: 404, body: { code: 'not_found' } }, from)
  }
  const forwarded = { host: 'localhost', 'x-forwarded-for': '192.0.2.7' }
  t.match(await api.call('/dev/inbox.json', { headers: forwarded }), { status: 404 })
  for (const host of ['rebound.example.com', 'localhost.example.com:3000', '127.0.0.1.nip.io']) {
    t.match(await api.call('/dev/inbox.json', { headers: { host } }), { status: 404 }, host)
  }
  for (const host of ['localhost:3000', '127.0.0.1', '[::1]:3000', 'app.localhost']) {
    t.match(await api.call('/dev/inbox.json', { headers: { host } }), { status: 200 }, host)
  }
})

t.test('the inbox does not exist in production, nor beside a mail server, and is in no description', async (t) => {
  const smtp = { MAIL_URL: 'smtp://localhost:2525?tls=off', MAIL_FROM: 'no-reply@example.com' }
  for (const settings of [{ NODE_ENV: 'production', SECRET_KEY }, smtp]) {
    const { api, app } = await startApp(t, { settings })
    t.equal(app.delivery.inbox, null)
    t.match(await api.call('/dev/inbox.json', here), { status: 404, body: { code: 'not_found' } })
  }
  const { api } = await startApp(t)
  t.notMatch(JSON.stringify((await api.call('/openapi.json')).body), '/dev/inbox')
})

t.test('the inbox keeps the newest 200 mails, and the log has a line with link and code of each', async (t) => {
  const { log, lines } = createKeptLog()
  const { delivery, write } = await createMailBench({ log })
  await write(...Array.from({ length: 205 }, (_, index) => ({ email: `user${index}@example.com` })))
  await delivery.deliverDue()
  const kept = delivery.inbox?.list() ?? []
  t.equal(kept.length, 200)
  t.ok(kept.some(({ to }) => to === 'user204@example.com'))
  t.notOk(kept.some(({ to }) => to === 'user0@example.com'))
  const logged = lines.filter(({ msg }) => msg === 'mail in the development inbox')
  t.equal(logged.length, 205)
  t.match(logged[0], { kind: 'otp', to: /^user\d+@example\.com$/, link: /spl_/, code: /^\d{8}$/ })
})

t.test('readyz tells how mail does, and stays ready', async (t) => {
  const ok = await startApp(t)
  t.match(await ok.api.call('/readyz'), { status: 200, body: { status: 'ready', mail: 'ok' } })
  const off = await startApp(t, { settings: { NODE_ENV: 'production', SECRET_KEY } })
  t.match(await off.api.call('/readyz'), { status: 200, body: { status: 'ready', mail: 'off' } })

  const settings = {
    MAIL_URL: 'smtp://127.0.0.1:1?tls=off',
    MAIL_FROM: 'no-reply@example.com',
    EMAIL_VERIFICATION: 'off',
  }
  const test = await startApp(t, { settings: { ...withCodes, ...settings } })
  const { email } = await test.api.signUp()
  await requestCode(test, email)
  await test.app.delivery.deliverDue()
  t.match(await test.api.call('/readyz'), { status: 200, body: { status: 'ready', mail: 'degraded' } })
})

t.test('metrics: mails are counted by kind, failed attempts by class, and the oldest tells its age', async (t) => {
  const metrics = await createMetrics()
  const scrape = async () => parseMetrics((await metrics.read()).text)
  const working = await startApp(t, { settings: withCodes, metrics })
  const { email } = await working.api.signUp()
  t.equal((await scrape()).value('sallyport_mails_sent_total', 'kind="otp"'), 0)
  await requestCode(working, email)
  await working.app.delivery.deliverDue()
  t.equal((await scrape()).value('sallyport_mails_sent_total', 'kind="otp"'), 1)

  const others = await createMetrics()
  const unreachable = { MAIL_URL: 'smtp://127.0.0.1:1?tls=off', MAIL_FROM: 'no-reply@example.com' }
  const broken = await startApp(t, { settings: { ...withCodes, ...unreachable }, metrics: others, join: true })
  await requestCode(broken, email)
  await broken.app.delivery.deliverDue()
  broken.clock.advance({ minutes: 3 })
  await broken.app.operations.runMaintenance()
  const { value } = parseMetrics((await others.read()).text)
  t.equal(value('sallyport_mail_attempts_failed_total', 'class="connection"'), 1)
  t.equal(value('sallyport_mails_failed_total', 'kind="otp"'), 0)
  const age = value('sallyport_mail_oldest_queued_seconds') ?? 0
  t.ok(age >= 180 && age < 300, String(age))
})
