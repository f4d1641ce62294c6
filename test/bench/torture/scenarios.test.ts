// The scenarios against made-up targets that are bad in a known way: each has to be told so.

import t from 'tap'
import { sequencesOf } from '../../../bench/torture/orders.js'
import { createScenarios, runAll } from '../../../bench/torture/run.js'
import { createStandIn, type Rules } from './stand-in.js'

const scenarios = createScenarios(2)

async function textsOf(rules: Rules): Promise<Map<string, string>> {
  const { cells } = await runAll(createStandIn(rules), scenarios, 10)
  return new Map([...cells].map(([{ title }, { text }]) => [title, text]))
}

t.test('one that ends a session at the first reuse logs honest users out, and finds the thief', async (t) => {
  const texts = await textsOf({ rotates: true, endsOnReuse: true })
  for (const [title, text] of [
    ['the answer is lost after the commit; retried at once', 'LOGGED OUT 1/1'],
    ['the answer is lost; retried after the grace', 'LOGGED OUT 1/1'],
    ['the client is killed before it stores the answer; started again at once', 'LOGGED OUT 1/1'],
    ['something on the way sends one request three times at once', 'LOGGED OUT 10/10'],
    ['five tabs refresh at the same instant', 'LOGGED OUT 10/10'],
    ["a tab's request arrives after another tab's answer", 'LOGGED OUT 1/1'],
    ['two devices of one user refresh at the same instant', 'kept 2/2'],
    ['the other device of a user, when a theft is found on the first', 'kept 1/1'],
    // Of x, l, xx, xl, lx and ll, with l for a lost answer, only the two without one.
    ['every order of up to 2 refreshes, answered or lost, at once', 'LOGGED OUT 4/6'],
    ['the thief first, then the victim', 'found at 1st use 1/1'],
    ['the victim refreshes twice, then the thief comes at once', 'found at 1st use 1/1'],
    ['thief and victim at the same instant', 'found at 1st use 10/10'],
    ["the victim's answer is lost, the victim retries, the thief comes", 'gone before 1/1'],
  ] as const) {
    t.equal(texts.get(title), text, title)
  }
})

t.test('one whose tokens never change logs nobody out, and never finds the thief', async (t) => {
  const texts = await textsOf({ rotates: false, endsOnReuse: false })
  for (const { title, kind } of scenarios) {
    // A target without a database is never killed in the middle of anything.
    if (!title.includes('each message')) t.match(texts.get(title), kind === 'honest' ? /^kept/ : /^NEVER FOUND/, title)
  }
})

t.test('one that refuses a used token and ends nothing leaves the session to the thief who came first', async (t) => {
  const texts = await textsOf({ rotates: true, endsOnReuse: false })
  t.equal(texts.get('the thief first, then the victim'), 'NEVER FOUND 1/1')
  t.equal(texts.get('the victim first, then the thief after the grace'), 'shut out 1/1')
  t.equal(texts.get('the answer is lost after the commit; retried at once'), 'LOGGED OUT 1/1')
})

t.test('the orders are all there are', async (t) => {
  t.strictSame(sequencesOf(['a', 'b'], 2), [['a'], ['b'], ['a', 'a'], ['a', 'b'], ['b', 'a'], ['b', 'b']])
  t.equal(new Set(sequencesOf(['a', 'b', 'c'], 4).map((sequence) => sequence.join(''))).size, 3 + 9 + 27 + 81)
})
