// When what many processes share is read again. Time stands still here: what happens without it is not the poll's doing.

import { mock } from 'node:test'
import t from 'tap'
import type { Signal } from '../../../src/platform/database/signals.js'
import { follow } from '../../../src/platform/database/following.js'
import { createKeptLog } from '../../support/logged.js'

type Reading = 'load' | 'poll'

/** Follows something that is read when the test says so. */
function startFollowing(t: { teardown(work: () => Promise<void>): void }) {
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
    source: { load: read('load'), poll: read('poll') },
    name: 'the news',
    waking: {
      channel: 'news',
      signals: {
        send: () => undefined,
        listen: (_channel, onSignal) => {
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
    /** Ends the reading that is under way, and lets what follows from it happen. */
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

/** Lets everything happen that waits for no time. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

t.test('without any signal it is read every half second, never twice at once', async (t) => {
  const { readings, finish, pass } = startFollowing(t)
  t.strictSame(readings, ['poll'], 'at once')
  await pass(5_000)
  t.equal(readings.length, 1, 'not before the first has ended')
  await finish()
  t.equal(readings.length, 1)
  await pass(499)
  t.equal(readings.length, 1)
  await pass(1)
  t.strictSame(readings, ['poll', 'poll'])
})

t.test('a signal has it read at once, and so does one that comes while it is read', async (t) => {
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
  t.equal(readings.length, 3, 'what was read may have been too early for the signal')
  await finish()
  t.equal(readings.length, 3, 'once for both')
})

t.test('where signals may have been missed, everything is read', async (t) => {
  const { readings, finish, signal, pass } = startFollowing(t)
  await finish()
  signal(true)
  await settle()
  await finish()
  await pass(500)
  t.strictSame(readings, ['poll', 'load', 'poll'])
})

t.test('a miss that is told while it is read is not forgotten', async (t) => {
  const { readings, finish, signal } = startFollowing(t)
  signal(true)
  await finish()
  t.strictSame(readings, ['poll', 'load'])
})

t.test('after a failure everything is read, until it succeeds; both are told once', async (t) => {
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

t.test('a stop waits for the reading that is under way, and nothing is read after it', async (t) => {
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
