import t from 'tap'
import { createEventLoop } from '../../src/platform/event-loop.js'

/** An event loop whose turns and time the test makes. */
function createSteppedLoop() {
  const due: (() => void)[] = []
  const done: string[] = []
  let nowMs = 0
  const loop = createEventLoop({ nextTurn: (work) => void due.push(work), nowMs: () => nowMs })
  return {
    loop,
    request: (name: string, urgent = false) =>
      loop.beginRequest(
        () => void done.push(name),
        () => urgent,
      ),
    statement: (name: string) => loop.beginStatement(() => void done.push(name)),
    /** What a turn does. */
    turn: (ms = 1) => {
      nowMs += ms
      for (const work of due.splice(0)) work()
      return done.splice(0)
    },
    done: () => done.splice(0),
    isIdle: () => due.length === 0,
  }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1))

t.test('ABU-01: a turn begins sixteen requests, and the others have their turns in order', async (t) => {
  const { request, turn, done, isIdle } = createSteppedLoop()
  for (const name of names(40)) request(name)
  t.strictSame(done(), names(40).slice(0, 16), 'at once')
  t.strictSame(turn(), names(40).slice(16, 32))
  request('late')
  t.strictSame(done(), [], 'behind those that wait')
  t.strictSame(turn(), [...names(40).slice(32), 'late'])
  turn()
  t.ok(isIdle(), 'without work there are no turns')
  request('alone')
  t.strictSame(done(), ['alone'])
})

t.test('ABU-01: each statement has a turn, beside the requests', async (t) => {
  const { request, statement, turn, done, isIdle } = createSteppedLoop()
  for (const name of ['a', 'b', 'c']) statement(name)
  t.strictSame(done(), [], 'not in the turn that asks for it')
  for (const name of names(18)) request(name)
  t.strictSame(done(), names(16))
  t.strictSame([turn(), turn(), turn()], [['a', '17', '18'], ['b'], ['c']])
  turn()
  t.ok(isIdle())
})

t.test('ABU-01: arriving connections go first, but not for ever', async (t) => {
  const { loop, request, statement, turn, done } = createSteppedLoop()
  loop.accepted()
  request('request')
  statement('statement')
  t.strictSame(done(), [])
  const turns = Array.from({ length: 100 }, () => {
    const did = turn()
    loop.accepted()
    return did.length > 0
  })
  const first = turns.indexOf(true)
  t.ok(first > 0 && first <= 60, `after ${first} turns of a millisecond`)

  const kept = createSteppedLoop()
  let begun = 0
  for (let n = 0; n < 800; n += 1) {
    kept.loop.accepted()
    kept.request('request')
    begun += kept.turn().length
  }
  t.ok(begun >= 100, `${begun} requests of a flood of connections begin`)

  const calm = createSteppedLoop()
  calm.loop.accepted()
  calm.request('request')
  t.strictSame([calm.turn(), calm.turn()], [[], ['request']], 'a single connection costs a turn')
})

t.test('ABU-01: a probe does not wait for other requests', async (t) => {
  const { request, turn, done } = createSteppedLoop()
  for (const name of names(60)) request(name)
  done()
  request('probe', true)
  t.strictSame(turn(), ['probe', ...names(60).slice(16, 31)])
})
