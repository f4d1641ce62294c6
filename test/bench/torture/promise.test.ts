import t from 'tap'
import { sumUp, type ScenarioOutcome } from '../../../bench/torture/judging.js'
import { brokenPromises, promisedWithKeys, promisedWithoutKeys, type Promised } from '../../../bench/torture/promise.js'
import { honest, theft, type Scenario } from '../../../bench/torture/scenario.js'
import { describeWindow, printTable, writeTable } from '../../../bench/torture/table.js'

const GRACE_SECONDS = 3

const immediate = honest('retried immediately', [])
const late = honest('retried late', [], { beyondGrace: true })
const stolen = theft('a theft', [])

const kept: ScenarioOutcome = { kind: 'honest', kept: true }
const loggedOut: ScenarioOutcome = { kind: 'honest', kept: false }
const ended = { kind: 'theft', victimLive: false, copiedAll: false } as const
const found: ScenarioOutcome = {
  ...ended,
  thiefLive: false,
  presentations: [
    { who: 'victim', token: 'a', outcome: 'served', ended: false },
    { who: 'thief', token: 'a', outcome: 'refused', ended: true },
  ],
}
const copyServed: ScenarioOutcome = {
  ...ended,
  thiefLive: false,
  presentations: [
    { who: 'victim', token: 'a', outcome: 'served', ended: false },
    { who: 'thief', token: 'a', outcome: 'served', ended: false },
    { who: 'victim', token: 'a', outcome: 'refused', ended: true },
  ],
}
const never: ScenarioOutcome = { ...ended, thiefLive: true, presentations: [] }

const noWindow = { servedSeconds: null, refusedSeconds: 0.1 }

function broken(
  promised: Promised,
  cells: [Scenario, ScenarioOutcome[]][],
  window = noWindow as { servedSeconds: number | null; refusedSeconds: number | null },
) {
  const column = { cells: new Map(cells.map(([scenario, outcomes]) => [scenario, sumUp(outcomes)])), window }
  return brokenPromises(column, promised, GRACE_SECONDS)
}

t.test('with attempt keys no user is logged out, and a copy is never accepted', async (t) => {
  t.strictSame(
    broken(promisedWithKeys, [
      [immediate, [kept]],
      [late, [kept]],
      [stolen, [found]],
    ]),
    [],
  )
  for (const [scenario, outcomes] of [
    [immediate, [kept, loggedOut]],
    [late, [loggedOut]],
    [stolen, [found, never]],
    [stolen, [copyServed]],
    [stolen, []],
  ] as [Scenario, ScenarioOutcome[]][]) {
    t.match(broken(promisedWithKeys, [[scenario, outcomes]]), [new RegExp(`^${scenario.title}: `)])
  }
})

t.test('without attempt keys both hold only within the grace period', async (t) => {
  t.strictSame(
    broken(promisedWithoutKeys, [
      [immediate, [kept]],
      [late, [loggedOut]],
      [stolen, [copyServed, found]],
    ]),
    [],
  )
  t.strictSame(broken(promisedWithoutKeys, [], { servedSeconds: 2.9, refusedSeconds: 3.1 }), [])
  t.equal(broken(promisedWithoutKeys, [[immediate, [loggedOut]]]).length, 1)
  t.equal(broken(promisedWithoutKeys, [[stolen, [never]]]).length, 1)
  t.equal(broken(promisedWithoutKeys, [], { servedSeconds: 3.2, refusedSeconds: null }).length, 1)
})

t.test('the table has a cell for every row and column, and marks what was not measured', async (t) => {
  const cells = new Map([
    [immediate, sumUp([kept, loggedOut])],
    [stolen, sumUp([found])],
  ])
  const columns = [{ name: 'some', column: { cells, window: { servedSeconds: 3.1, refusedSeconds: 2.9 } } }]
  const table = { columns, scenarios: [immediate, late, stolen] }
  const lines = printTable(table).split('\n')
  t.match(lines, [
    /^An honest user +some$/,
    /^retried immediately +LOGGED OUT 1\/2$/,
    /^retried late +not measured$/,
    '',
    /^A thief with a copy of the token +some$/,
    /^a theft +detected at 1st use 1\/1$/,
    '',
    /^Total +some$/,
    /^honest users logged out +1 of 2$/,
    /^thefts never detected +0 of 1$/,
    / +0 of 1$/,
    / +2.9 to 3.1 s$/,
  ])
  t.match(writeTable(table), '| retried immediately | **LOGGED OUT 1/2** |')
})

t.test('a window is printed as measured', async (t) => {
  t.equal(describeWindow({ servedSeconds: null, refusedSeconds: 0 }), 'not at all')
  t.equal(describeWindow({ servedSeconds: 4, refusedSeconds: null }), 'at least 4.0 s')
  t.equal(describeWindow({ servedSeconds: 2.84, refusedSeconds: 3.06 }), '2.8 to 3.1 s')
})
