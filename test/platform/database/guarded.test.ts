import { mock } from 'node:test'
import t from 'tap'
import { guard } from '../../../src/platform/database/guarded.js'
import { Problem } from '../../../src/platform/problem.js'

const deadlineMs = 2_000
const deadlock = Object.assign(new Error('deadlock'), { code: '40P01' })
const broken = Object.assign(new Error('broken'), { code: 'ECONNRESET' })
const unavailable = (cause: unknown) => ({ code: 'database_unavailable', options: { retryAfterSeconds: 1, cause } })

/** Work that fails in the listed ways, one per attempt, and then succeeds. */
function failing(...errors: Error[]) {
  const work = {
    runs: 0,
    run: () => {
      const error = errors[work.runs++]
      return error === undefined ? Promise.resolve('done') : Promise.reject(error)
    },
  }
  return work
}

t.test('REF-20: a deadlock or serialization failure is retried three times, then it is 503', async (t) => {
  const thrice = failing(deadlock, deadlock, deadlock)
  t.equal(await guard(deadlineMs, thrice.run), 'done')
  const often = failing(deadlock, deadlock, deadlock, deadlock)
  await t.rejects(guard(deadlineMs, often.run), unavailable(deadlock))
  t.equal(often.runs, 4)
})

t.test('after a connection fault only idempotent work is retried', async (t) => {
  const once = failing(broken)
  await t.rejects(guard(deadlineMs, once.run), unavailable(broken))
  t.equal(once.runs, 1)
  t.equal(await guard(deadlineMs, failing(broken, broken).run, { safeToRetry: true }), 'done')
})

t.test('all other errors are thrown unchanged, without a retry', async (t) => {
  const problem = new Problem('email_taken', { cause: deadlock })
  for (const error of [problem, new TypeError('a programming error'), Object.assign(new Error(), { code: 'P2002' })]) {
    const work = failing(error)
    await t.rejects(guard(deadlineMs, work.run, { safeToRetry: true }), error)
    t.equal(work.runs, 1)
  }
})

t.test('OPS-03: no request waits longer than the deadline, and a later result has no effect', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let fail: (error: Error) => void = () => undefined
  const never = new Promise<never>((_, reject) => (fail = reject))
  let refused = false
  const waiting = guard(30, () => never).catch((error: unknown) => {
    refused = true
    throw error
  })
  mock.timers.tick(29)
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(refused)
  mock.timers.tick(1)
  await t.rejects(waiting, { code: 'database_unavailable', options: { cause: { name: 'DeadlinePassed' } } })
  // An unhandled rejection would end this process.
  fail(broken)
  await new Promise((resolve) => setImmediate(resolve))
})

t.test('no attempt begins after the deadline', async (t) => {
  let runs = 0
  const endless = guard(20, async () => {
    runs++
    await new Promise((resolve) => setTimeout(resolve, 30))
    throw deadlock
  })
  await t.rejects(endless, { code: 'database_unavailable' })
  await new Promise((resolve) => setTimeout(resolve, 80))
  t.equal(runs, 1)
})
