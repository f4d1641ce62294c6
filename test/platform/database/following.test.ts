// When shared data is read again. The clock does not advance, so anything that happens is not caused by polling.

import { mock } from 'node:test'
import t from 'tap'
import type { Signal } from '../../../src/platform/database/signals.js'
import { follow } from '../../../src/platform/database/following.js'
import { createKeptLog } from '../../support/logged.js'

type Reading = 'load' | 'poll' | 'glance'

/** Follows a source that is read when the test says so. */
function startFollowing(t: { teardown(work: () => Promise<void>): void }, { glances = false } = {}) {
  mock.timers.enable({ apis: ['setTimeout'] })
  const readings: Reading[] = []
  let finish: (error?: Error) => void = () => undefined
  let signal: (signal: Signal) => void = () => undefined
  let listening = true
  const read = (reading: Reading) => () => {
    readings.push(reading)
    return new Promise<void>((resolve, reject) => {
      finish = (error) => (error ? reject(error) : resolve())
    })
  }
  const { log, lines } = createKeptLog()
  const stop = follow({
    source: { load: read('load'), poll: read('poll'), ...(glances && { glance: read('glance') }) },
    name: 'the news',
    waking: {
      line: { channel: 'news', sender: 'this process' },
      signals: {
        send: () => undefined,
        listen: (_line, onSignal) => {
          signal = onSignal
          return () => Promise.resolve(void (listening = false))
        },
      },
    },
    log,
  })
  t.teardown(async () => {
    finish()
    await stop()
    mock.timers.reset()
  })
  return {
    readings,
    lines,
    stop,
    isListening: () => listening,
    signal: (missed = false) => signal({ missed }),
    /** Completes the read in progress, and runs what follows from it. */
    async finish(error?: Error) {
      finish(error)
      await settle()
    },
    async pass(ms: number) {
      mock.timers.tick(ms)
      await settle()
    },
  }
}

/** Runs everything that waits for no time. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

t.test('without signals it is read every half second, one read at a time', async (t) => {
  const { readings, finish, pass } = startFollowing(t)
  t.strictSame(readings, ['poll'], 'immediately')
  await pass(5_000)
  t.equal(readings.length, 1, 'not before the first has ended')
  await finish()
  t.equal(readings.length, 1)
  await pass(499)
  t.equal(readings.length, 1)
  await pass(1)
  t.strictSame(readings, ['poll', 'poll'])
})

t.test('a signal triggers a read immediately, also one that arrives during a read', async (t) => {
  const { readings, finish, signal } = startFollowing(t)
  await finish()
  signal()
  await settle()
  t.equal(readings.length, 2, 'no time has passed')
  signal()
  signal()
  await settle()
  t.equal(readings.length, 2)
  await finish()
  t.equal(readings.length, 3, 'the read may have been too early for the signal')
  await finish()
  t.equal(readings.length, 3, 'once for both')
})

t.test('at signals only the latest is read, but for one poll in each half second', async (t) => {
  // A whole number: sums of fractions are rounded.
  let nowMs = 1000
  const { restore } = t.intercept(performance, 'now', { value: () => nowMs })
  t.teardown(restore)
  const { readings, finish, signal, pass } = startFollowing(t, { glances: true })
  await finish()
  for (const passedMs of [100, 399, 1, 100]) {
    nowMs += passedMs
    signal()
    await settle()
    await finish()
  }
  await pass(500)
  await finish()
  t.strictSame(readings, ['poll', 'glance', 'glance', 'poll', 'glance', 'poll'])
})

t.test('after missed signals, everything is read', async (t) => {
  const { readings, finish, signal, pass } = startFollowing(t)
  await finish()
  signal(true)
  await settle()
  await finish()
  await pass(500)
  t.strictSame(readings, ['poll', 'load', 'poll'])
})

t.test('missed signals that are reported during a read are handled afterwards', async (t) => {
  const { readings, finish, signal } = startFollowing(t)
  signal(true)
  await finish()
  t.strictSame(readings, ['poll', 'load'])
})

t.test('after a failure everything is read until it succeeds; both are logged once', async (t) => {
  const { readings, lines, finish, pass } = startFollowing(t)
  for (let i = 0; i < 3; i++) {
    await finish(new Error('no database'))
    await pass(500)
  }
  await finish()
  await pass(500)
  t.strictSame(readings, ['poll', 'load', 'load', 'load', 'poll'])
  t.match(lines, [
    { level: 'warn', msg: 'reading the news failed' },
    { level: 'info', msg: 'reading the news works again' },
  ])
  t.equal(lines.length, 2)
})

t.test('stopping waits for the read in progress, and nothing is read afterwards', async (t) => {
  const { readings, finish, pass, signal, stop, isListening } = startFollowing(t)
  let stopped = false
  const done = stop().then(() => (stopped = true))
  await settle()
  t.notOk(stopped)
  await finish()
  await done
  t.notOk(isListening())
  signal()
  await pass(5_000)
  t.equal(readings.length, 1)
})
