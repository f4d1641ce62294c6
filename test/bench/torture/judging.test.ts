// What the torture kit says of made-up outcomes, the bad ones above all: a kit that finds nothing proves nothing.

import t from 'tap'
import {
  judge,
  servedToThief,
  sumUp,
  type Presentation,
  type ScenarioOutcome,
  type TheftOutcome,
} from '../../../bench/torture/judging.js'

type Told = [who: Presentation['who'], token: string, outcome: Presentation['outcome'], end?: 'end']

/** A theft as it went: who presented what, what came of it, and which of it was the end. */
function theft(told: Told[], live: { thief?: boolean; victim?: boolean; copiedAll?: boolean } = {}): TheftOutcome {
  return {
    kind: 'theft',
    presentations: told.map(([who, token, outcome, end]) => ({ who, token, outcome, ended: end === 'end' })),
    thiefLive: live.thief ?? false,
    victimLive: live.victim ?? false,
    copiedAll: live.copiedAll ?? false,
  }
}

const kept = { kind: 'honest', kept: true } as const
const loggedOut = { kind: 'honest', kept: false } as const
const atFirstUse = theft([
  ['thief', 'a', 'served'],
  ['victim', 'a', 'refused', 'end'],
])
const afterTheRace = theft([
  ['victim', 'a', 'served'],
  ['thief', 'a', 'superseded'],
  ['victim', 'b', 'served'],
  ['thief', 'a', 'refused', 'end'],
])
const servedACopy = theft([
  ['victim', 'a', 'served'],
  ['thief', 'a', 'served'],
  ['victim', 'b', 'served'],
  ['thief', 'b', 'refused', 'end'],
])
const never = theft(
  [
    ['victim', 'a', 'served'],
    ['thief', 'a', 'served'],
  ],
  { thief: true, victim: true },
)
const shutOut = theft(
  [
    ['victim', 'a', 'served'],
    ['thief', 'a', 'refused'],
  ],
  { victim: true },
)
const gone = theft([
  ['victim', 'a', 'lost'],
  ['victim', 'a', 'refused', 'end'],
  ['thief', 'a', 'refused'],
])

t.test('each outcome has its verdict', async (t) => {
  const cases: [string, ScenarioOutcome, ReturnType<typeof judge>][] = [
    ['an honest user who is signed in', kept, { verdict: 'kept' }],
    ['an honest user who is not', loggedOut, { verdict: 'logged out' }],
    ['the thief first: the victim tells', atFirstUse, { verdict: 'found', use: 1 }],
    ['a race that is forgiven, and then not', afterTheRace, { verdict: 'found', use: 2 }],
    ['a copy that is served once', servedACopy, { verdict: 'found', use: 2 }],
    ['both go on for ever', never, { verdict: 'never found' }],
    [
      'the victim is out and the thief is not',
      theft([['thief', 'a', 'served']], { thief: true }),
      { verdict: 'never found' },
    ],
    ['a copy that is worth nothing', shutOut, { verdict: 'shut out' }],
    ['a victim whom the lost answer logged out', gone, { verdict: 'gone' }],
    [
      'an answer that the victim did not hear has used the token all the same',
      theft([
        ['victim', 'a', 'lost'],
        ['thief', 'a', 'refused', 'end'],
      ]),
      { verdict: 'found', use: 1 },
    ],
    [
      'a loser of a race is refused, and the session goes on for a while',
      theft([
        ['victim', 'a', 'served'],
        ['thief', 'a', 'refused'],
        ['victim', 'b', 'served'],
        ['thief', 'a', 'refused', 'end'],
      ]),
      { verdict: 'found', use: 2 },
    ],
  ]
  for (const [what, outcome, verdict] of cases) t.strictSame(judge(outcome), verdict, what)
})

t.test('a copy is served when the thief gets something for what the victim had used', async (t) => {
  t.equal(servedToThief(servedACopy), 1)
  t.equal(servedToThief(never), 1)
  t.equal(servedToThief(atFirstUse), 0, 'nobody can know before the victim comes')
  t.equal(servedToThief(afterTheRace), 0)
})

t.test('a cell says what is bad first, and alone', async (t) => {
  const cases: [ScenarioOutcome[], string][] = [
    [[], 'not measured'],
    [[kept, kept], 'kept 2/2'],
    [[kept, loggedOut, kept], 'LOGGED OUT 1/3'],
    [[atFirstUse], 'found at 1st use 1/1'],
    [[atFirstUse, afterTheRace, atFirstUse], 'found at 1st to 2nd use 3/3'],
    [[atFirstUse, never], 'NEVER FOUND 1/2'],
    [[shutOut, gone, atFirstUse], 'found at 1st use 1/3, shut out 1/3, gone before 1/3'],
  ]
  for (const [outcomes, text] of cases) t.equal(sumUp(outcomes).text, text)
})

t.test('a cell counts', async (t) => {
  t.match(sumUp([kept, loggedOut, loggedOut]), { honest: 3, loggedOut: 2, thefts: 0, neverFound: 0, copiesServed: 0 })
  t.match(sumUp([never, atFirstUse, servedACopy]), { honest: 0, thefts: 3, neverFound: 1, copiesServed: 2 })
  const withTheKey = { ...servedACopy, copiedAll: true }
  t.match(sumUp([withTheKey]), { thefts: 1, copiesServed: 0 }, 'who has the key too is not told apart from the owner')
})
