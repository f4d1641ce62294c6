// NOTIFY and LISTEN: how other processes on the same Postgres are notified, and how they learn that they may have
// missed a notification.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import t from 'tap'
import { createSignals, type Signal } from '../../../src/platform/database/signals.js'
import { needsPostgres, openTestDatabase } from '../../support/database.js'
import { startTcpProxy } from '../../support/tcp-proxy.js'
import { until } from '../../support/until.js'

const ours = { channel: 'a "channel" of the test', sender: 'this process' }
const theirs = { ...ours, sender: 'another process' }

t.test('signals', { skip: needsPostgres }, async (t) => {
  const { url = '' } = await openTestDatabase()
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  // A pool ends before its connections do, and dropping the database then cuts them.
  pool.on('error', () => undefined)
  t.teardown(() => pool.end())

  /** Signals whose listener connects to the server through a proxy; sending bypasses it. */
  async function startSignals(silenceMs = 30_000) {
    const proxy = await startTcpProxy(url)
    t.teardown(() => proxy.stop())
    const warnings: string[] = []
    const log = { warn: (_details: unknown, text: string) => warnings.push(text) }
    const signals = createSignals({ url: proxy.url, pool, silenceMs, log: log as never })
    return { proxy, signals, warnings }
  }

  function listenTo(t: { teardown(work: () => Promise<void>): void }, signals: ReturnType<typeof createSignals>) {
    const heard: Signal[] = []
    const stop = signals.listen(ours, (signal) => heard.push(signal))
    t.teardown(stop)
    const count = (missed: boolean) => heard.filter((signal) => signal.missed === missed).length
    return {
      stop,
      connections: () => count(true),
      notifications: () => count(false),
      /** Waits until the listener has connected this many times. */
      connected: (times = 1) => until(() => Promise.resolve(count(true) >= times)),
    }
  }

  t.test('a listener is first told that it may have missed signals, and then receives each signal', async (t) => {
    const { signals } = await startSignals()
    const [one, two] = [listenTo(t, signals), listenTo(t, signals)]
    await Promise.all([one.connected(), two.connected()])
    t.equal(one.notifications(), 0)
    signals.send(theirs)
    await until(() => Promise.resolve(one.notifications() === 1 && two.notifications() === 1))
    signals.send({ channel: 'another channel', sender: 'another process' })
    signals.send(theirs)
    await until(() => Promise.resolve(one.notifications() === 2 && two.notifications() === 2))
    t.equal(one.connections(), 1)
  })

  t.test('a listener is not woken by its own signals', async (t) => {
    const { signals } = await startSignals()
    const listener = listenTo(t, signals)
    await listener.connected()
    signals.send(ours)
    signals.send(theirs)
    await until(() => Promise.resolve(listener.notifications() === 1))
    signals.send(ours)
    signals.send(theirs)
    await until(() => Promise.resolve(listener.notifications() >= 2))
    t.equal(listener.notifications(), 2)
  })

  t.test('many signals are combined into few, and one is sent after the last', async (t) => {
    const { signals } = await startSignals()
    const listener = listenTo(t, signals)
    await listener.connected()

    for (let i = 0; i < 1000; i++) signals.send(theirs)
    // The first, and one for the 999 that were sent while it was in transit.
    await until(() => Promise.resolve(listener.notifications() === 2))

    signals.send(theirs)
    await until(() => Promise.resolve(listener.notifications() >= 3))
    t.equal(listener.notifications(), 3, 'nothing was left over')
  })

  t.test('a listener whose connection is cut reconnects, and is told that it may have missed signals', async (t) => {
    const { signals, proxy, warnings } = await startSignals()
    const listener = listenTo(t, signals)
    await listener.connected()
    proxy.cut()
    await listener.connected(2)
    signals.send(theirs)
    await until(() => Promise.resolve(listener.notifications() === 1))

    await proxy.stop()
    await until(() => Promise.resolve(warnings.length >= 1))
    await proxy.start()
    await listener.connected(3)
    signals.send(theirs)
    await until(() => Promise.resolve(listener.notifications() === 2))
  })

  t.test('a silent server is detected, and the listener reconnects when it responds', async (t) => {
    const { signals, proxy } = await startSignals(500)
    const listener = listenTo(t, signals)
    await listener.connected()
    proxy.freeze()
    signals.send(theirs)
    // The old connection stays silent permanently.
    proxy.passNewConnections()
    await listener.connected(2)
    t.equal(listener.notifications(), 0, 'signals that were missed meanwhile are reported')
    signals.send(theirs)
    await until(() => Promise.resolve(listener.notifications() === 1))
  })

  t.test('a failed signal is logged, and the next one is sent', async (t) => {
    const proxy = await startTcpProxy(url)
    const proxied = new pg.Pool({ connectionString: proxy.url, max: 1 })
    proxied.on('error', () => undefined)
    t.teardown(async () => {
      await proxied.end()
      await proxy.stop()
    })
    let warned = 0
    const signals = createSignals({ url, pool: proxied, silenceMs: 30_000, log: { warn: () => (warned += 1) } })
    const listener = listenTo(t, signals)
    await listener.connected()
    await proxy.stop()
    signals.send(theirs)
    await until(() => Promise.resolve(warned === 1))
    await proxy.start()
    signals.send(theirs)
    await until(() => Promise.resolve(listener.notifications() === 1))
  })

  t.test('stopping closes a connection, a silent one, and the wait for a server that is down', async (t) => {
    const { signals, proxy, warnings } = await startSignals()
    const listener = listenTo(t, signals)
    await listener.connected()
    await listener.stop()
    await until(() => Promise.resolve(proxy.connections === 0))

    const silent = listenTo(t, signals)
    await silent.connected()
    proxy.freeze()
    await silent.stop()
    proxy.thaw()

    await proxy.stop()
    const hopeless = listenTo(t, signals)
    await until(() => Promise.resolve(warnings.length === 1))
    await hopeless.stop()
    await proxy.start()
    t.equal(hopeless.connections(), 0)
  })

  t.test('a process that has stopped listening exits', async (t) => {
    const script = `
      import pg from 'pg'
      import { createSignals } from ${JSON.stringify(new URL('../../../src/platform/database/signals.ts', import.meta.url).href)}
      const url = process.env.DATABASE_URL
      const pool = new pg.Pool({ connectionString: url })
      const signals = createSignals({ url, pool, silenceMs: 600_000, log: console })
      const stop = signals.listen({ channel: 'any', sender: 'child' }, () => void stop().then(() => pool.end()).then(() => console.log('stopped')))`
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', script]
    const env = { PATH: process.env.PATH, DATABASE_URL: url }
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (bytes) => (said += String(bytes)))
    const [code] = (await once(child, 'close')) as [number | null]
    t.strictSame({ code, said }, { code: 0, said: 'stopped\n' })
  })
})
