import t from 'tap'
import { createBoundedQueue, type QueueRefusal } from '../../src/platform/bounded-queue.js'

const patient = { concurrency: 1, maxWaiting: 10, patienceMs: 60_000, clock: { elapsedMs: () => 0 } }

/** Lets the started work begin. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** Work that ends when the test says so, and records when it began. */
function createWork() {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    named: (name: string) => () =>
      new Promise<string>((resolve) => {
        begun.push(name)
        ends.set(name, () => resolve(name))
      }),
    end: (name: string) => ends.get(name)?.(),
  }
}

t.test('PWD-08: work beyond the concurrency runs in order of arrival', async (t) => {
  const queue = createBoundedQueue({ ...patient, concurrency: 2 })
  const { begun, named, end } = createWork()
  const all = ['a', 'b', 'c', 'd', 'e'].map((name) => queue.run(named(name)))
  t.strictSame(begun, ['a', 'b'])
  t.match(queue, { working: 2, waiting: 3 })

  end('b')
  t.equal(await all[1], 'b')
  await settled()
  t.strictSame(begun, ['a', 'b', 'c'])
  for (const name of ['a', 'c']) end(name)
  await Promise.all([all[0], all[2]])
  await settled()
  t.strictSame(begun, ['a', 'b', 'c', 'd', 'e'])
  for (const name of ['d', 'e']) end(name)
  t.strictSame(await Promise.all(all), ['a', 'b', 'c', 'd', 'e'])
  t.match(queue, { working: 0, waiting: 0 })
})

t.test('PWD-08: work beyond the queue is refused immediately, with the time that the queue needs', async (t) => {
  let nowMs = 0
  const observed: (QueueRefusal | number)[] = []
  const observer = {
    began: (waitedMs: number) => observed.push(waitedMs),
    refused: (refusal: QueueRefusal) => observed.push(refusal),
  }
  const queue = createBoundedQueue({ ...patient, maxWaiting: 2, clock: { elapsedMs: () => nowMs }, observer })
  const { named, end } = createWork()
  const [a, b, c] = ['a', 'b', 'c'].map((name) => queue.run(named(name)))
  await t.rejects(
    queue.run(named('d')),
    { code: 'overloaded', options: { retryAfterSeconds: 1 } },
    'the duration is not known yet',
  )

  nowMs = 3000
  end('a')
  await a
  const e = queue.run(named('e'))
  await t.rejects(queue.run(named('f')), { code: 'overloaded', options: { retryAfterSeconds: 9 } }, 'three of 3 s each')

  for (const [name, done] of Object.entries({ b, c, e })) {
    await settled()
    end(name)
    await done
  }
  t.strictSame(observed, [0, 'full', 3000, 'full', 3000, 0])
})

t.test('PWD-08: Retry-After is never longer than the maximum wait', async (t) => {
  let nowMs = 0
  const queue = createBoundedQueue({ ...patient, maxWaiting: 1, clock: { elapsedMs: () => nowMs } })
  const { named, end } = createWork()
  const slow = queue.run(named('slow'))
  nowMs = 600_000
  end('slow')
  await slow
  const others = ['a', 'b'].map((name) => queue.run(named(name)))
  await t.rejects(queue.run(named('c')), { code: 'overloaded', options: { retryAfterSeconds: 60 } })
  end('a')
  await others[0]
  await settled()
  end('b')
  await others[1]
})

t.test('PWD-08: work that has waited too long is refused and never begun', async (t) => {
  const observed: QueueRefusal[] = []
  const observer = { began: () => undefined, refused: (refusal: QueueRefusal) => observed.push(refusal) }
  const queue = createBoundedQueue({ ...patient, patienceMs: 1, observer })
  const { begun, named, end } = createWork()
  const first = queue.run(named('first'))
  await t.rejects(queue.run(named('second')), { code: 'overloaded' })
  t.strictSame(observed, ['waited_too_long'])
  t.equal(queue.waiting, 0)
  end('first')
  await first
  t.strictSame(begun, ['first'])
})

t.test('PWD-08: work whose client has disconnected is never begun', async (t) => {
  const queue = createBoundedQueue(patient)
  const { begun, named, end } = createWork()
  const hangingUp = new AbortController()
  const first = queue.run(named('first'))
  const second = queue.run(named('second'), hangingUp.signal)
  const third = queue.run(named('third'), new AbortController().signal)
  hangingUp.abort()
  await t.rejects(second, { code: 'overloaded' })
  await t.rejects(queue.run(named('too late'), hangingUp.signal), { code: 'overloaded' })
  end('first')
  await first
  await settled()
  end('third')
  await third
  t.strictSame(begun, ['first', 'third'])
})

t.test('PWD-08: failed work frees its slot', async (t) => {
  const queue = createBoundedQueue(patient)
  const failing = queue.run(() => Promise.reject(new Error('failed')))
  const next = queue.run(() => Promise.resolve('next'))
  await t.rejects(failing, { message: 'failed' })
  t.equal(await next, 'next')
  t.match(queue, { working: 0, waiting: 0 })
})

t.test('PWD-08: an operation is admitted as long as there is room for its work', async (t) => {
  const queue = createBoundedQueue({ ...patient, maxWaiting: 1 })
  const { begun, named, end } = createWork()
  const [a, b] = ['a', 'b'].map((name) => queue.admit(named(name)))
  await t.rejects(queue.admit(named('c')), { code: 'overloaded' })
  end('a')
  await a
  const failing = queue.admit(() => Promise.reject(new Error('failed')))
  await t.rejects(failing, { message: 'failed' })
  const d = queue.admit(named('d'))
  end('b')
  end('d')
  t.strictSame(await Promise.all([b, d]), ['b', 'd'])
  t.strictSame(begun, ['a', 'b', 'd'])
})

t.test(
  'ABU-02: one party has a quarter of the places, and a quarter is kept for those who are preferred',
  async (t) => {
    const observed: QueueRefusal[] = []
    const observer = { began: () => undefined, refused: (refusal: QueueRefusal) => observed.push(refusal) }
    const queue = createBoundedQueue({ ...patient, concurrency: 1, maxWaiting: 7, observer })
    const { named, end } = createWork()
    const admitted: Promise<string>[] = []
    const admit = (id: string, name: string | null, preferred: boolean) => {
      admitted.push(queue.admit(named(id), { name, preferred }))
    }
    const refused = (name: string | null, preferred: boolean) =>
      t.rejects(queue.admit(named('refused'), { name, preferred }), { code: 'overloaded' })

    admit('1', 'network', false)
    admit('2', 'network', false)
    await refused('network', false)
    admit('3', 'other', false)
    admit('4', 'other', false)
    admit('5', 'third', false)
    admit('6', 'third', false)
    await refused('fourth', false)
    await refused(null, false)
    admit('7', null, true)
    admit('8', null, true)
    await refused(null, true)
    t.strictSame(observed, ['full', 'full', 'full', 'full'])
    end('1')
    await admitted[0]
    admit('9', null, true)
    for (const id of ['2', '3', '4', '5', '6', '7', '8', '9']) end(id)
    t.strictSame(await Promise.all(admitted), ['1', '2', '3', '4', '5', '6', '7', '8', '9'])
  },
)

t.test(
  'PWD-08: Retry-After follows from the average duration, of which the latest counts a tenth, and the concurrency',
  async (t) => {
    let nowMs = 0
    const clock = { elapsedMs: () => nowMs }
    const queue = createBoundedQueue({ ...patient, concurrency: 2, maxWaiting: 0, clock })
    const { named, end } = createWork()
    const take = async (name: string, ms: number) => {
      const done = queue.run(named(name))
      nowMs += ms
      end(name)
      await done
    }
    await take('first', 3000)
    await take('second', 23_000)
    const others = ['a', 'b'].map((name) => queue.run(named(name)))
    await t.rejects(
      queue.run(named('c')),
      { code: 'overloaded', options: { retryAfterSeconds: 5 } },
      'two of 5 s each, two at a time',
    )
    for (const name of ['a', 'b']) end(name)
    await Promise.all(others)
  },
)

t.test('PWD-08: an observer hears of work whose client has disconnected', async (t) => {
  const observed: QueueRefusal[] = []
  const observer = { began: () => undefined, refused: (refusal: QueueRefusal) => observed.push(refusal) }
  const queue = createBoundedQueue({ ...patient, observer })
  const { named, end } = createWork()
  const hangingUp = new AbortController()
  const first = queue.run(named('first'))
  const second = queue.run(named('second'), hangingUp.signal)
  hangingUp.abort()
  await t.rejects(second)
  await t.rejects(queue.run(named('third'), hangingUp.signal))
  t.strictSame(observed, ['gone', 'gone'])

  const leaving = new AbortController()
  const fourth = queue.run(named('fourth'), leaving.signal)
  end('first')
  await first
  await settled()
  leaving.abort()
  t.strictSame(observed, ['gone', 'gone'], 'work that has begun is not refused any more')
  end('fourth')
  t.equal(await fourth, 'fourth')
})

t.test(
  'ABU-02: the places of a party are free again when its work ends, and work without a party takes none of them',
  async (t) => {
    const queue = createBoundedQueue({ ...patient, concurrency: 1, maxWaiting: 7 })
    const { named, end } = createWork()
    const admit = (id: string, name: string | null) => queue.admit(named(id), { name, preferred: true })
    const refused = () => t.rejects(admit('refused', 'network'), { code: 'overloaded' })

    const [a, b] = [admit('a', 'network'), admit('b', 'network')]
    await refused()
    end('a')
    await a
    const c = admit('c', 'network')
    await refused()
    for (const id of ['b', 'c']) end(id)
    await Promise.all([b, c])
    const again = [admit('d', 'network'), admit('e', 'network')]
    await refused()
    const unnamed = ['f', 'g', 'h', 'i'].map((id) => admit(id, null))
    for (const id of ['d', 'e', 'f', 'g', 'h', 'i']) end(id)
    t.strictSame(await Promise.all([...again, ...unnamed]), ['d', 'e', 'f', 'g', 'h', 'i'])
  },
)
