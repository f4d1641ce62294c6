// Delivery to a hook over https, here over http on the loopback interface.

import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'
import t, { type Test } from 'tap'
import { listen } from '../../support/listen.js'
import { CODE, createMailBench, LINK } from '../../support/mail.js'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

interface Received {
  headers: Record<string, string>
  body: string
}

/** A hook that answers with the statuses one after another, and then with 204. */
async function startHook(t: Test, ...statuses: number[]) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)])
      received.push({ headers: Object.fromEntries(headers), body: Buffer.concat(chunks).toString() })
      response.writeHead(statuses.shift() ?? 204, { location: '/elsewhere' }).end()
    })
  })
  const port = await listen(t, server)
  const settings = { MAIL_URL: `http://127.0.0.1:${port}/hook?key=hunter2`, MAIL_HOOK_SECRET: SECRET }
  return { received, settings, server }
}

t.test('a hook gets the mail as JSON, signed as Standard Webhooks says', async (t) => {
  const { received, settings } = await startHook(t)
  const { delivery, write, rows } = await createMailBench({ settings })
  await write({ locale: 'fr', params: { device: 'Firefox' } })
  await delivery.deliverDue()
  const [row] = await rows()
  t.match(row, { state: 'sent' })
  const { headers = {}, body = '' } = received[0] ?? {}
  const verified = new Webhook(SECRET).verify(body, headers)
  t.match(verified, {
    id: row?.id,
    kind: 'otp',
    locale: 'fr',
    to: 'ada@example.com',
    from: { name: 'Example', address: 'no-reply@example.com' },
    subject: 'Connexion à Sallyport',
    text: /4071 8236/,
    html: /<html lang="fr" dir="ltr">/,
    params: { device: 'Firefox', link: LINK, code: CODE },
  })
  t.match(headers, { 'webhook-id': row?.id, 'content-type': 'application/json' })
  t.throws(() => new Webhook(SECRET).verify(body.replace('ada@', 'eve@'), headers), 'it signs the body')
  t.throws(() => new Webhook(`whsec_${Buffer.alloc(32, 8).toString('base64')}`).verify(body, headers))
})

t.test(
  'a hook that is busy or broken gets the mail again, with the same id; one that refuses it does not',
  async (t) => {
    for (const status of [408, 425, 429, 500, 503]) {
      const { received, settings } = await startHook(t, status)
      const { delivery, write, rows, clock } = await createMailBench({ settings })
      await write({})
      await delivery.deliverDue()
      t.match(await rows(), [{ state: 'queued', lastCode: String(status) }])
      clock.advance({ seconds: 6 })
      await delivery.deliverDue()
      t.match(await rows(), [{ state: 'sent' }])
      t.equal(received[0]?.headers['webhook-id'], received[1]?.headers['webhook-id'])
    }
    for (const status of [302, 400, 401, 404, 410, 422]) {
      const { received, settings } = await startHook(t, status)
      const { delivery, write, rows } = await createMailBench({ settings })
      await write({})
      await delivery.deliverDue()
      t.match(await rows(), [{ state: 'failed', lastCode: String(status) }])
      t.equal(received.length, 1, 'no redirect is followed')
    }
  },
)

t.test('a hook that cannot be reached pauses the transport, and its URL is not stored', async (t) => {
  const { settings, server } = await startHook(t)
  server.close()
  const { delivery, write, rows, counted } = await createMailBench({ settings })
  await write({}, {}, {}, {}, {}, {}, {}, {}, {}, {})
  await delivery.deliverDue()
  t.ok(counted.length >= 5 && counted.length <= 6)
  t.equal(delivery.health(), 'degraded')
  const tried = (await rows()).filter(({ lastCode }) => lastCode !== null)
  t.equal(tried.length, counted.length, 'the others wait, whichever they are')
  for (const row of tried) t.match(row, { lastCode: 'ECONNREFUSED', lastError: 'The hook could not be reached.' })
  t.notMatch(JSON.stringify(await rows()), /hunter2/)
})
