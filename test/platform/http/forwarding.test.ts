import t from 'tap'
import { createTestClock } from '../../support/clock.js'
import { createKeptLog } from '../../support/logged.js'
import { startSmallApp } from './small-app.js'

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
