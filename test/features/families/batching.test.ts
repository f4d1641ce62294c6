import fc from 'fast-check'
import t from 'tap'
import { createBatching } from '../../../src/features/families/batching.js'

interface Work {
  subject: string
  name: string
  isAwaited(): boolean
}

const work = (subject: string, name = subject): Work => ({ subject, name, isAwaited: () => true })
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** A batching whose batches complete when the test says so, and a list of their contents. */
function createStepped({ concurrency = 1, maxBatchSize = 10 } = {}) {
  const batches: string[][] = []
  const unfinished: { succeed(): void; fail(error: Error): void }[] = []
  const batching = createBatching<Work, string>({
    concurrency,
    maxBatchSize,
    doAll: (batch) => {
      const names = batch.map(({ name }) => name)
      batches.push(names)
      return new Promise((resolve, reject) => {
        unfinished.push({ succeed: () => resolve(names.map((name) => `${name} done`)), fail: reject })
      })
    },
  })
  const next = () => unfinished.shift() ?? { succeed: () => undefined, fail: () => undefined }
  return { batching, batches, succeed: () => next().succeed(), fail: (error: Error) => next().fail(error) }
}

t.test('concurrent items share a batch, and each gets its own result', async (t) => {
  const { batching, batches, succeed } = createStepped()
  const results = Promise.all([batching.add(work('a')), batching.add(work('b')), batching.add(work('c'))])
  await nextTurn()
  succeed()
  t.strictSame(await results, ['a done', 'b done', 'c done'])
  t.strictSame(batches, [['a', 'b', 'c']])
})

t.test('items that arrive while all slots are busy form the next batch, and batches are bounded', async (t) => {
  const { batching, batches, succeed } = createStepped({ maxBatchSize: 2 })
  const first = batching.add(work('a'))
  await nextTurn()
  const rest = Promise.all(['b', 'c', 'd'].map((subject) => batching.add(work(subject))))
  await nextTurn()
  t.strictSame(batches, [['a']])
  succeed()
  await first
  await nextTurn()
  t.strictSame(batches, [['a'], ['b', 'c']])
  succeed()
  await nextTurn()
  succeed()
  t.strictSame(await rest, ['b done', 'c done', 'd done'])
})

t.test('REF-02: two items of one family are never processed concurrently, in one batch or in two', async (t) => {
  const { batching, batches, succeed } = createStepped({ concurrency: 2 })
  const results = Promise.all([
    batching.add(work('a', 'a1')),
    batching.add(work('a', 'a2')),
    batching.add(work('b', 'b1')),
  ])
  await nextTurn()
  t.strictSame(batches, [['a1', 'b1']], 'a slot is free, but the second waits for the verdict of the first')
  succeed()
  await nextTurn()
  succeed()
  t.strictSame(await results, ['a1 done', 'a2 done', 'b1 done'])
  t.strictSame(batches, [['a1', 'b1'], ['a2']])
})

t.test('REF-08: each item of a failed batch is retried alone, and one that fails alone fails', async (t) => {
  const { batching, batches, succeed, fail } = createStepped()
  const results = Promise.allSettled([batching.add(work('a')), batching.add(work('b'))])
  await nextTurn()
  fail(new Error('the connection broke'))
  await nextTurn()
  t.strictSame(batches, [['a', 'b'], ['a'], ['b']])
  succeed()
  fail(new Error('b is at fault'))
  t.match(await results, [{ value: 'a done' }, { reason: { message: 'b is at fault' } }])

  const after = batching.add(work('b'))
  await nextTurn()
  succeed()
  t.equal(await after, 'b done', 'the next item of its family is processed')
})

t.test('OPS-10: an item whose client has disconnected is not processed', async (t) => {
  const { batching, batches, succeed } = createStepped()
  let isAwaited = true
  const first = batching.add(work('a'))
  await nextTurn()
  void batching.add({ ...work('b'), isAwaited: () => isAwaited })
  const last = batching.add(work('c'))
  isAwaited = false
  succeed()
  await first
  await nextTurn()
  succeed()
  await last
  t.strictSame(batches, [['a'], ['c']])
})

t.test('every item is processed once, in any order and within the bounds', async (t) => {
  const anyArrival = fc.record({ subject: fc.constantFrom('a', 'b', 'c', 'd'), isTogether: fc.boolean() })
  const anyBounds = fc.record({
    concurrency: fc.integer({ min: 1, max: 3 }),
    maxBatchSize: fc.integer({ min: 1, max: 3 }),
  })
  const property = fc.asyncProperty(
    fc.array(anyArrival),
    anyBounds,
    async (arrivals, { concurrency, maxBatchSize }) => {
      const inWork = new Map<string, number>()
      let batchesInWork = 0
      const broken: string[] = []
      const batching = createBatching<Work, string>({
        concurrency,
        maxBatchSize,
        async doAll(batch) {
          batchesInWork += 1
          if (batchesInWork > concurrency) broken.push('too many batches')
          if (batch.length > maxBatchSize) broken.push('the batch is too large')
          for (const { subject } of batch) inWork.set(subject, (inWork.get(subject) ?? 0) + 1)
          if ([...inWork.values()].some((count) => count > 1)) broken.push('one subject twice')
          await nextTurn()
          for (const { subject } of batch) inWork.set(subject, (inWork.get(subject) ?? 0) - 1)
          batchesInWork -= 1
          return batch.map(({ name }) => name)
        },
      })
      const results: Promise<string>[] = []
      for (const [index, { subject, isTogether }] of arrivals.entries()) {
        results.push(batching.add(work(subject, String(index))))
        if (!isTogether) await nextTurn()
      }
      const done = await Promise.all(results)
      return broken.length === 0 && done.every((name, index) => name === String(index))
    },
  )
  t.notOk((await fc.check(property, { seed: 2026, numRuns: 300 })).failed)
})
