import { once } from 'node:events'
import t from 'tap'
import { createProcessLock, createTabLock, type Hold, type Lock } from '../../../src/sdk/client/lock.js'
import { readPlatform } from '../../../src/sdk/client/platform.js'
import { codeOf } from '../../support/sdk-client.js'

const locks = readPlatform().navigator?.locks
const needsWebLocks = locks ? false : 'needs Web Locks: Node 24, or the browser tests'

/** Work that the test ends, and that records when it began. */
function createWork(log: string[], name: string) {
  const ended = new AbortController()
  const holds: Hold[] = []
  const work = async (hold: Hold) => {
    log.push(name)
    holds.push(hold)
    if (!ended.signal.aborted) await once(ended.signal, 'abort')
    return name
  }
  return { work, end: () => ended.abort(), holds }
}

/** Longer than it takes to hand over a lock. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

const kinds: [string, string | false, () => Lock][] = [
  ['within a process', false, createProcessLock],
  ['across tabs', needsWebLocks, () => (locks ? createTabLock(locks, crypto.randomUUID()) : createProcessLock())],
]
for (const [kind, skip, create] of kinds) {
  t.test(`a lock ${kind}`, { skip }, async (t) => {
    t.test('has one holder at a time, in order of arrival', async (t) => {
      const lock = create()
      const log: string[] = []
      const [a, b, c] = [createWork(log, 'a'), createWork(log, 'b'), createWork(log, 'c')]
      const runs = [lock.run(a.work), lock.run(b.work), lock.run(c.work)]
      await settle()
      t.strictSame(log, ['a'])
      a.end()
      await settle()
      t.strictSame(log, ['a', 'b'])
      b.end()
      c.end()
      t.strictSame(await Promise.all(runs), ['a', 'b', 'c'])
      t.strictSame(
        [a, b, c].map(({ holds }) => holds[0]?.waited),
        [false, true, true],
      )
    })

    t.test('is released after work that failed', async (t) => {
      const lock = create()
      await t.rejects(
        lock.run(() => Promise.reject(new Error('No.'))),
        { message: 'No.' },
      )
      t.equal(await lock.run(({ waited }) => Promise.resolve(waited)), false)
    })

    t.test('can be stolen from its holder, which is notified', async (t) => {
      const lock = create()
      const log: string[] = []
      const [slow, queued, thief] = [createWork(log, 'slow'), createWork(log, 'queued'), createWork(log, 'thief')]
      const lost = codeOf(lock.run(slow.work))
      await settle()
      const waiting = lock.run(queued.work)
      const stolen = lock.run(thief.work, { steal: true })
      t.equal(await lost, 'superseded')
      t.equal(slow.holds[0]?.signal.aborted, true)
      await settle()
      t.strictSame(log, ['slow', 'thief'], 'waiting callers keep waiting')
      slow.end()
      await settle()
      t.strictSame(log, ['slow', 'thief'], 'work that has lost the lock returns nothing')
      thief.end()
      queued.end()
      t.strictSame(await Promise.all([stolen, waiting]), ['thief', 'queued'])
      t.equal(thief.holds[0]?.signal.aborted, false)
    })

    t.test('can be stolen again from its new holder', async (t) => {
      const lock = create()
      const log: string[] = []
      const [login, logout] = [createWork(log, 'login'), createWork(log, 'logout')]
      const lost = codeOf(lock.run(login.work, { steal: true }))
      await settle()
      const last = lock.run(logout.work, { steal: true })
      t.equal(await lost, 'superseded')
      logout.end()
      t.equal(await last, 'logout')
      login.end()
    })
  })
}
