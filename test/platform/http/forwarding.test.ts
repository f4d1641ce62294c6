import t from 'tap'
import { callerOf } from '../../../src/platform/http/caller.js'
import { createTestClock } from '../../support/clock.js'
import { createKeptLog } from '../../support/logged.js'
import { listen, sendRaw, startSmallApp } from './small-app.js'

const warning = { level: 'warn', msg: /not listed in TRUST_PROXY/ }

t.test('PWD-14: an unlisted proxy is logged once a minute, and not trusted', async (t) => {
  const clock = createTestClock()
  const { log, lines } = createKeptLog()
  const app = await startSmallApp(t, { trustProxy: ['10.0.0.0/24'], logger: log, elapsedMs: clock.elapsedMs })
  const warnings = () => lines.filter(({ level }) => level === 'warn')
  const ask = (remoteAddress: string, headers: Record<string, string>) =>
    app.inject({ url: '/v1/address', remoteAddress, headers })

  for (const peer of ['10.0.0.2', '::ffff:10.0.0.3']) await ask(peer, { 'x-forwarded-for': '203.0.113.7' })
  await ask('192.0.2.7', {})
  t.strictSame(warnings(), [])

  const answer = await ask('192.0.2.7', { 'x-forwarded-for': '203.0.113.7' })
  t.strictSame(answer.json(), { ip: '192.0.2.7' })
  await ask('192.0.2.8', { forwarded: 'for=203.0.113.7' })
  t.match(warnings(), [{ ...warning, peer: '192.0.2.7' }])
  t.equal(warnings().length, 1)
  clock.advance({ seconds: 60 })
  await ask('192.0.2.8', { forwarded: 'for=203.0.113.7' })
  t.equal(warnings().length, 2)
  t.match(warnings()[1], { ...warning, peer: '192.0.2.8' })
})

t.test('PWD-14: without any listed proxy, every forwarding header is logged', async (t) => {
  const { log, lines } = createKeptLog()
  const app = await startSmallApp(t, { logger: log })
  await app.inject({ url: '/v1/address', headers: { 'x-forwarded-for': '' } })
  t.ok(lines.some(({ msg }) => warning.msg.test(msg)))
})

t.test('HTTP-12: the client is the last that is no listed proxy, however proxies write the addresses', async (t) => {
  const { log, lines } = createKeptLog()
  const app = await startSmallApp(t, {
    logger: log,
    trustProxy: ['127.0.0.1', '10.0.0.0/24', '2001:db8:1::/48', '::1'],
    routes: (app) => {
      app.get('/v1/caller', { config: { access: 'public' } }, (request) => ({ ip: callerOf(request).ip }))
    },
  })
  const table: [header: string | string[], ip: string | null][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    [' 203.0.113.7 ', '203.0.113.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['2001:DB8:0:0::7', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['[2001:db8::7]:51234', '2001:db8::7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
    // Proxies behind each other, with what the client itself has claimed at the beginning.
    ['198.51.100.1, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    ['198.51.100.1,203.0.113.7:4711,10.0.0.2:443', '203.0.113.7'],
    ['198.51.100.1 ,\t203.0.113.7\t, [2001:db8:1::2]:443 , ::ffff:10.0.0.3', '203.0.113.7'],
    ['203.0.113.7, , 10.0.0.2,', '203.0.113.7'],
    [['198.51.100.1', '203.0.113.7', '10.0.0.2:80'], '203.0.113.7'],
    ['10.0.0.4, 10.0.0.2', '10.0.0.4'],
    // Without an address of the client, there is none.
    ['unknown', null],
    ['203.0.113.7, unknown', null],
    ['_hidden, 10.0.0.2', null],
    ['203.0.113.7:port', null],
    ['', '127.0.0.1'],
    [' , ', '127.0.0.1'],
  ]
  const client = await listen(app)
  for (const [header, ip] of table) {
    const sent = [header].flat().map((value) => `X-Forwarded-For: ${value}`)
    const { text } = await sendRaw(client, ['GET /v1/caller HTTP/1.0', ...sent, '', ''].join('\r\n'))
    t.match(text, `{"ip":${JSON.stringify(ip)}}`, String(header))
    t.match(lines.at(-1), { remote_address: ip ?? String }, 'in the log too')
  }
  const { text } = await sendRaw(client, 'GET /v1/caller HTTP/1.0\r\nForwarded: for=203.0.113.7\r\n\r\n')
  t.match(text, '{"ip":"127.0.0.1"}', 'Forwarded (RFC 7239) is not read')
})
