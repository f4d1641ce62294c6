// Delivery by SMTP: real conversations with a mail server in this process.

import { generateKeyPairSync, verify } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { listen } from '../../support/listen.js'
import { CODE, createMailBench, LINK } from '../../support/mail.js'
import { startMailServer, trustMailServer, type MailServer } from '../../support/mail-server.js'
import { createKeptLog } from '../../support/logged.js'

const urlOf = ({ port }: MailServer) => ({ MAIL_URL: `smtp://localhost:${port}` })

trustMailServer(t)

t.test('a mail is sent over STARTTLS, with its headers, as text and as HTML', async (t) => {
  const server = await startMailServer(t)
  const settings = { ...urlOf(server), MAIL_REPLY_TO: 'help@example.com' }
  const { delivery, write, rows, source, counted } = await createMailBench({ settings })
  await write({ locale: 'de-AT,en;q=0.5', params: { device: 'Firefox on Windows', network: '192.0.2.7' } })
  await delivery.deliverDue()

  const [mail] = server.mails
  const [row] = await rows()
  t.match(mail, {
    messageId: `<${row?.id}@example.com>`,
    subject: 'Anmeldung bei Sallyport',
    from: { name: 'Example', address: 'no-reply@example.com' },
    to: [{ name: '', address: 'ada@example.com' }],
    replyTo: [{ address: 'help@example.com' }],
  })
  const headers = new Map(mail?.headers.map(({ key, value }) => [key, value]))
  for (const [name, value] of [
    ['auto-submitted', 'auto-generated'],
    ['x-auto-response-suppress', 'All'],
    ['content-language', 'de'],
    ['x-entity-ref-id', row?.id],
  ] as const) {
    t.equal(headers.get(name), value, name)
  }
  t.notOk(headers.has('list-unsubscribe'))
  for (const text of [mail?.text, mail?.html]) {
    t.ok(text && text.includes('4071 8236') && text.includes(LINK) && text.includes('Firefox on Windows'))
  }
  t.match(row, { state: 'sent', attempts: 1, sentAt: Date, claimedUntil: null, lastCode: null })
  t.equal(source.settledMails.length, 1)
  t.strictSame(counted, ['sent otp'])
  t.equal(delivery.health(), 'ok')

  await delivery.deliverDue()
  t.equal(server.mails.length, 1, 'once')
})

t.test(
  'OPS-02: neither link nor code is in the outbox or in the log, even where the server repeats them',
  async (t) => {
    const { log, lines } = createKeptLog()
    const server = await startMailServer(t)
    server.refuseData({ code: 451, text: `4.7.1 The link ${LINK} and ${CODE} and 4071 8236 look like spam` })
    const { delivery, write, rows } = await createMailBench({ settings: urlOf(server), log })
    await write({})
    await delivery.deliverDue()
    server.refuseData({ code: 554, text: `5.7.1 ${LINK}` })
    const [row] = await rows()
    t.match(row, {
      state: 'queued',
      lastCode: '451',
      lastError: /^451 4\.7\.1 The link \[link\] and \[code\] and \[code\] look/,
    })
    for (const text of [JSON.stringify(await rows()), JSON.stringify(lines)]) {
      // The whole code: its first digits may occur in a random id.
      t.notMatch(text, /spl_|4071 ?8236|token=/)
    }
  },
)

t.test('EML-03: with the server down for 20 minutes, the mail arrives', async (t) => {
  const server = await startMailServer(t)
  const { delivery, write, rows, clock, counted } = await createMailBench({ settings: urlOf(server) })
  await server.stop()
  await write({})
  const pauses: number[] = []
  for (let minutes = 0; minutes < 20; minutes += 1) {
    await delivery.deliverDue()
    const [row] = await rows()
    pauses.push(row?.attempts ?? 0)
    clock.advance({ minutes: 1 })
  }
  t.strictSame([...new Set(pauses)], [1, 2, 3, 4, 5, 6].slice(0, new Set(pauses).size))
  t.match(await rows(), [{ state: 'queued', lastCode: 'ESOCKET' }])
  t.equal(delivery.health(), 'degraded')

  await server.start()
  clock.advance({ minutes: 15 })
  await delivery.deliverDue()
  t.match(await rows(), [{ state: 'sent', lastCode: null, lastError: null }])
  t.equal(server.mails.length, 1)
  t.equal(delivery.health(), 'ok')
  t.equal(counted.at(-1), 'sent otp')
})

t.test('each pause is as long as the one before or longer, until the mail is too old', async (t) => {
  const server = await startMailServer(t)
  server.refuseRecipients({ code: 451, text: '4.7.1 Greylisted' })
  const { delivery, write, rows, clock, counted } = await createMailBench({ settings: urlOf(server) })
  await write({})
  const seconds: number[] = []
  for (;;) {
    await delivery.deliverDue()
    const [row] = await rows()
    if (row?.state !== 'queued') break
    const pauseMs = row.nextAt.getTime() - clock.now().getTime()
    seconds.push(Math.round(pauseMs / 1000))
    clock.advance({ seconds: Math.ceil(pauseMs / 1000) })
  }
  t.strictSame(seconds, [5, 30, 120, 300, 900, 1800])
  t.match(await rows(), [{ state: 'failed', lastCode: '451', lastError: '451 4.7.1 Greylisted' }])
  t.equal(counted.at(-1), 'failed otp')
  t.equal(delivery.health(), 'ok', 'the server works, and only does not want this mail')
})

t.test('notices are tried for a day, and a mail that waited longer than it is good for is not sent', async (t) => {
  const server = await startMailServer(t)
  const { delivery, write, rows, clock } = await createMailBench({ settings: urlOf(server) })
  await write({ kind: 'otp' }, { kind: 'new_sign_in', email: 'grace@example.com' })
  clock.advance({ hours: 2 })
  await delivery.deliverDue()
  t.match(await rows(), [
    { kind: 'otp', state: 'failed', lastCode: 'EXPIRED' },
    { kind: 'new_sign_in', state: 'sent' },
  ])
  t.equal(server.mails.length, 1)
})

t.test('an address that does not exist is not tried again', async (t) => {
  const server = await startMailServer(t)
  server.refuseRecipients({ code: 550, text: '5.1.1 No such user' })
  const { delivery, write, rows, counted } = await createMailBench({ settings: urlOf(server) })
  await write({})
  await delivery.deliverDue()
  t.match(await rows(), [{ state: 'failed', attempts: 1, lastCode: '550', lastError: '550 5.1.1 No such user' }])
  t.strictSame(counted, ['attempt refused', 'failed otp'])
})

t.test(
  'after five faults of the connection, the transport pauses for 30 seconds, and then tries one mail',
  async (t) => {
    const server = await startMailServer(t)
    const { delivery, write, rows, clock, counted } = await createMailBench({ settings: urlOf(server) })
    await server.stop()
    await write(...Array.from({ length: 20 }, () => ({})))
    await delivery.deliverDue()
    const attempts = counted.length
    t.ok(attempts >= 5 && attempts <= 6, 'the two that were on their way')
    clock.advance({ seconds: 20 })
    await delivery.deliverDue()
    t.equal(counted.length, attempts, 'a pause')
    clock.advance({ seconds: 11 })
    await delivery.deliverDue()
    t.equal(counted.length, attempts + 1, 'one attempt, and another pause')

    await server.start()
    clock.advance({ seconds: 31 })
    await delivery.deliverDue()
    clock.advance({ minutes: 10 })
    await delivery.deliverDue()
    t.equal(server.mails.length, 20)
    t.ok((await rows()).every(({ state }) => state === 'sent'))
  },
)

t.test('without STARTTLS nothing is sent, all mails wait, and the log says so', async (t) => {
  const { log, lines } = createKeptLog()
  const server = await startMailServer(t, { disabledCommands: ['STARTTLS'] })
  const { delivery, write, rows, clock } = await createMailBench({ settings: urlOf(server), log })
  await write({}, {}, {}, {})
  await delivery.deliverDue()
  t.equal(server.mails.length, 0)
  t.ok(server.connections <= 2)
  t.ok((await rows()).every(({ state }) => state === 'queued'))
  t.match(
    lines.find(({ level }) => level === 'error'),
    { code: 'ETLS', msg: /no mail can be sent/ },
  )
  clock.advance({ minutes: 4 })
  await delivery.deliverDue()
  t.ok(server.connections <= 2, 'a pause of five minutes')
  t.equal(delivery.health(), 'degraded')
})

t.test('a server with a certificate that is not trusted gets no mail', async (t) => {
  const server = await startMailServer(t)
  const { delivery, write, counted } = await createMailBench({
    // The certificate is for localhost and 127.0.0.1.
    settings: { MAIL_URL: `smtp://ip6-localhost.localhost:${server.port}` },
  })
  await write({})
  await delivery.deliverDue()
  t.equal(server.mails.length, 0)
  t.match(counted, [/^attempt (setting|connection)$/])
})

t.test('a wrong password pauses all mails and logs an alarm, without the password', async (t) => {
  const { log, lines } = createKeptLog()
  const server = await startMailServer(t, {
    authOptional: false,
    onAuth: ({ username, password }, _session, done) =>
      password === 'right+wörd' ? done(null, { user: username }) : done(new Error('Invalid credentials')),
  })
  const url = (password: string) => ({ MAIL_URL: `smtp://ada%40example.com:${password}@localhost:${server.port}` })
  const wrong = await createMailBench({ settings: url('hunter2'), log })
  await wrong.write({}, {}, {})
  await wrong.delivery.deliverDue()
  t.match(wrong.counted.slice(0, 1), ['attempt setting'])
  t.match(await wrong.rows(), [{ state: 'queued' }, { state: 'queued' }, { state: 'queued' }])
  t.ok(lines.some(({ level }) => level === 'error'))
  t.notMatch(JSON.stringify([lines, await wrong.rows()]), /hunter2|aHVudGVyMg|AGFkY/)

  const right = await createMailBench({ settings: url('right%2Bw%C3%B6rd'), beside: wrong })
  right.clock.advance({ minutes: 1 })
  await right.delivery.deliverDue()
  t.equal(server.mails.length, 3)
})

t.test('implicit TLS, and no TLS on loopback', async (t) => {
  const implicit = await startMailServer(t, { secure: true })
  const open = await startMailServer(t, { disabledCommands: ['STARTTLS'] })
  const urls = [`smtps://localhost:${implicit.port}`, `smtp://localhost:${open.port}?tls=off`]
  for (const MAIL_URL of urls) {
    const { delivery, write } = await createMailBench({ settings: { MAIL_URL } })
    await write({})
    await delivery.deliverDue()
  }
  t.strictSame([implicit.mails.length, open.mails.length], [1, 1])
})

t.test('MAIL_DKIM signs each mail', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-dkim-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const keyFile = join(folder, 'key.pem')
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const server = await startMailServer(t)
  const settings = { ...urlOf(server), MAIL_DKIM: `example.com:mail2026:${keyFile}` }
  const { delivery, write } = await createMailBench({ settings })
  await write({})
  await delivery.deliverDue()
  const [mail] = server.mails
  const line = mail?.headerLines.find(({ key }) => key === 'dkim-signature')?.line ?? ''
  t.match(line, /d=example\.com;[^]*s=mail2026;/)

  // RFC 6376, section 3.7: the signature covers the listed headers, each in one line, and its own without the value.
  const relaxed = (header: string) =>
    header.replaceAll(/\r?\n/g, '').replace(/^([^:]+?)\s*:\s*([^]*?)\s*$/, (_, name: string, value: string) => {
      return `${name.toLowerCase()}:${value.replaceAll(/\s+/g, ' ')}`
    })
  const signed = (/\sh=([^;]+);/.exec(line)?.[1] ?? '').replaceAll(/\s/g, '').toLowerCase().split(':')
  t.ok(['from', 'to', 'subject', 'message-id'].every((name) => signed.includes(name)))
  const headers = signed.map((name) => relaxed(mail?.headerLines.find(({ key }) => key === name)?.line ?? ''))
  const own = relaxed(line).replace(/b=[^;]*$/, 'b=')
  const signature = Buffer.from(/ b=([^;]+)$/.exec(relaxed(line))?.[1] ?? '', 'base64')
  t.ok(verify('sha256', Buffer.from([...headers, own].join('\r\n')), publicKey, signature))

  const missing = createMailBench({ settings: { ...settings, MAIL_DKIM: `example.com:mail2026:${keyFile}x` } })
  await t.rejects(missing, /The key of MAIL_DKIM, .* cannot be read/)
})

t.test('MAIL_OAUTH signs in with a token of the provider, and not with a password', async (t) => {
  const grants: string[] = []
  const provider = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => grants.push(text))
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ access_token: 'the-token', expires_in: 3600, token_type: 'Bearer' }))
    })
  })
  const port = await listen(t, provider)
  const server = await startMailServer(t, {
    authOptional: false,
    authMethods: ['XOAUTH2'],
    onAuth: ({ accessToken, username }, _session, done) =>
      accessToken === 'the-token' ? done(null, { user: username }) : done(null, { data: { status: '401' } }),
  })
  const { delivery, write } = await createMailBench({
    settings: {
      MAIL_URL: `smtp://ada%40example.com@localhost:${server.port}`,
      MAIL_OAUTH: `client-id:client-secret:1//refresh:http://127.0.0.1:${port}/token`,
    },
  })
  await write({}, {})
  await delivery.deliverDue()
  t.equal(server.mails.length, 2)
  const { grant_type, client_id, client_secret, refresh_token } = Object.fromEntries(new URLSearchParams(grants[0]))
  t.strictSame(
    { grant_type, client_id, client_secret, refresh_token },
    {
      ...{ grant_type: 'refresh_token', refresh_token: '1//refresh' },
      ...{ client_id: 'client-id', client_secret: 'client-secret' },
    },
  )
})
