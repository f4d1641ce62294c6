// The scenarios against made-up targets with known faults: each has to be reported.

import t from 'tap'
import { sequencesOf } from '../../../bench/torture/orders.js'
import { createScenarios, runAll } from '../../../bench/torture/run.js'
import { createStandIn, type Rules } from './stand-in.js'

const scenarios = createScenarios(2)

async function textsOf(rules: Rules): Promise<Map<string, string>> {
  const { cells } = await runAll(createStandIn(rules), scenarios, 10)
  return new Map([...cells].map(([{ title }, { text }]) => [title, text]))
}

t.test('a target that ends a session at the first reuse logs honest users out, and detects the thief', async (t) => {
  const texts = await textsOf({ rotates: true, endsOnReuse: true })
  for (const [title, text] of [
    ['response lost after the commit; retried immediately', 'LOGGED OUT 1/1'],
    ['response lost; retried after the grace period', 'LOGGED OUT 1/1'],
    ['client killed before it stores the response; restarted immediately', 'LOGGED OUT 1/1'],
    ['a proxy sends one request three times concurrently', 'LOGGED OUT 10/10'],
    ['five tabs refresh simultaneously', 'LOGGED OUT 10/10'],
    ["a tab's request arrives after another tab has refreshed", 'LOGGED OUT 1/1'],
    ['two devices of one user refresh simultaneously', 'kept 2/2'],
    ["the user's other device, after a theft is detected on the first", 'kept 1/1'],
    // Of x, l, xx, xl, lx and ll, with l for a lost answer, only the two without one.
    ['every sequence of up to 2 refreshes, each answered or lost, in quick succession', 'LOGGED OUT 4/6'],
    ['the thief refreshes first, then the victim', 'detected at 1st use 1/1'],
    ['the victim refreshes twice, then the thief immediately', 'detected at 1st use 1/1'],
    ['thief and victim refresh simultaneously', 'detected at 1st use 10/10'],
    ["the victim's response is lost, the victim retries, the thief refreshes", 'already ended 1/1'],
  ] as const) {
    t.equal(texts.get(title), text, title)
  }
})

t.test('a target whose tokens never change logs no user out, and never detects the thief', async (t) => {
  const texts = await textsOf({ rotates: false, endsOnReuse: false })
  for (const { title, kind } of scenarios) {
    // A target without a database cannot be killed at one of its messages.
    if (!title.includes('each database message'))
      t.match(texts.get(title), kind === 'honest' ? /^kept/ : /^NEVER DETECTED/, title)
  }
})

t.test(
  'a target that refuses a used token without ending the session leaves it to a thief who comes first',
  async (t) => {
    const texts = await textsOf({ rotates: true, endsOnReuse: false })
    t.equal(texts.get('the thief refreshes first, then the victim'), 'NEVER DETECTED 1/1')
    t.equal(texts.get('the victim refreshes first, then the thief after the grace period'), 'thief refused 1/1')
    t.equal(texts.get('response lost after the commit; retried immediately'), 'LOGGED OUT 1/1')
  },
)

t.test('all sequences are played', async (t) => {
  t.strictSame(sequencesOf(['a', 'b'], 2), [['a'], ['b'], ['a', 'a'], ['a', 'b'], ['b', 'a'], ['b', 'b']])
  t.equal(new Set(sequencesOf(['a', 'b', 'c'], 4).map((sequence) => sequence.join(''))).size, 3 + 9 + 27 + 81)
})
