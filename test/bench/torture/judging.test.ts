// Verdicts of the torture kit on made-up outcomes, especially bad ones: a kit that cannot fail proves nothing.

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

/** A theft as a list of presentations: by whom, of which token, with which outcome, and which one ended the session. */
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

t.test('each outcome gets its verdict', async (t) => {
  const cases: [string, ScenarioOutcome, ReturnType<typeof judge>][] = [
    ['an honest user who is still signed in', kept, { verdict: 'kept' }],
    ['an honest user who is not', loggedOut, { verdict: 'logged out' }],
    ['the thief first: detected when the victim refreshes', atFirstUse, { verdict: 'detected', use: 1 }],
    ['a race within the grace period, then a use after it', afterTheRace, { verdict: 'detected', use: 2 }],
    ['a copy that is accepted once', servedACopy, { verdict: 'detected', use: 2 }],
    ['both continue indefinitely', never, { verdict: 'never detected' }],
    [
      'the victim is logged out and the thief is not',
      theft([['thief', 'a', 'served']], { thief: true }),
      { verdict: 'never detected' },
    ],
    ['a copy that is refused', shutOut, { verdict: 'thief refused' }],
    ['a victim who was logged out by the lost answer', gone, { verdict: 'already ended' }],
    [
      'a token counts as used when its answer was lost',
      theft([
        ['victim', 'a', 'lost'],
        ['thief', 'a', 'refused', 'end'],
      ]),
      { verdict: 'detected', use: 1 },
    ],
    [
      'the loser of a race is refused, and the session continues for a while',
      theft([
        ['victim', 'a', 'served'],
        ['thief', 'a', 'refused'],
        ['victim', 'b', 'served'],
        ['thief', 'a', 'refused', 'end'],
      ]),
      { verdict: 'detected', use: 2 },
    ],
  ]
  for (const [what, outcome, verdict] of cases) t.strictSame(judge(outcome), verdict, what)
})

t.test('a copy counts as served when the victim had used the token before', async (t) => {
  t.equal(servedToThief(servedACopy), 1)
  t.equal(servedToThief(never), 1)
  t.equal(servedToThief(atFirstUse), 0, 'undetectable before the victim refreshes')
  t.equal(servedToThief(afterTheRace), 0)
})

t.test('a cell names bad results first and alone', async (t) => {
  const cases: [ScenarioOutcome[], string][] = [
    [[], 'not measured'],
    [[kept, kept], 'kept 2/2'],
    [[kept, loggedOut, kept], 'LOGGED OUT 1/3'],
    [[atFirstUse], 'detected at 1st use 1/1'],
    [[atFirstUse, afterTheRace, atFirstUse], 'detected at 1st to 2nd use 3/3'],
    [[atFirstUse, never], 'NEVER DETECTED 1/2'],
    [[shutOut, gone, atFirstUse], 'detected at 1st use 1/3, thief refused 1/3, already ended 1/3'],
  ]
  for (const [outcomes, text] of cases) t.equal(sumUp(outcomes).text, text)
})

t.test('a cell has counts', async (t) => {
  t.match(sumUp([kept, loggedOut, loggedOut]), {
    honest: 3,
    loggedOut: 2,
    thefts: 0,
    neverDetected: 0,
    copiesServed: 0,
  })
  t.match(sumUp([never, atFirstUse, servedACopy]), { honest: 0, thefts: 3, neverDetected: 1, copiesServed: 2 })
  const withTheKey = { ...servedACopy, copiedAll: true }
  t.match(
    sumUp([withTheKey]),
    { thefts: 1, copiesServed: 0 },
    'a thief who also has the key cannot be distinguished from the owner',
  )
})
