import t from 'tap'
import { hashSubject, type Budget } from '../../../src/features/limits/limits.js'
import {
  failuresInARow,
  networkPolicy,
  passwordBudgets,
  strangersBudgets,
} from '../../../src/features/passwords/guesses.js'

const email = 'ada@example.com'
const account = hashSubject(email)
const ofNetwork: Budget[] = [{ policy: networkPolicy, of: 'net' }]

/** A budget in one line, so that a table of them can be read. */
function describe({ policy, of }: Budget): string {
  const { name, quota, windowSeconds, sliding, onSuccess, concealed } = policy
  const kind = [sliding ? 'sliding' : 'fixed', onSuccess, { true: 'concealed', false: 'open' }[String(concealed)]].join(
    ' ',
  )
  return `${name} of ${of}: ${quota} in ${windowSeconds / 60} min, ${kind}`
}

const strangers = [
  `account of ${account}: 10 in 15 min, fixed forget concealed`,
  `account-day of ${account}: 30 in 1440 min, fixed forget concealed`,
  `account-total of ${account}: 100 in 129600 min, sliding forget concealed`,
]

t.test('a stranger is counted for the network and, concealed, for the account', async (t) => {
  const budgets = passwordBudgets({ kind: 'stranger', email, deviceId: null }, ofNetwork)
  t.strictSame(budgets.map(describe), ['address of net: 100 in 60 min, fixed refund open', ...strangers])
  t.strictSame(strangersBudgets(email).map(describe), strangers)
})

t.test('PWD-13: a known device is counted for itself at this account, and for no network', async (t) => {
  const budgets = passwordBudgets({ kind: 'stranger', email, deviceId: Buffer.from([0xfb, 0xff]) }, ofNetwork)
  t.strictSame(budgets.map(describe), [
    `device of ${account}:-_8: 10 in 15 min, fixed forget open`,
    `device-day of ${account}:-_8: 30 in 1440 min, fixed forget open`,
    `device-total of ${account}:-_8: 100 in 129600 min, sliding forget open`,
  ])
})

t.test('a user who is signed in is counted for the session alone', async (t) => {
  const budgets = passwordBudgets({ kind: 'user', email, sessionId: 'sid' }, ofNetwork)
  t.strictSame(budgets.map(describe), [
    'session of sid: 10 in 15 min, fixed forget open',
    'session-day of sid: 30 in 1440 min, fixed forget open',
    'session-total of sid: 100 in 129600 min, sliding forget open',
  ])
})

t.test('a right password breaks the count in a row of the account, whoever gives it', async (t) => {
  t.strictSame(failuresInARow({ kind: 'user', email, sessionId: 'sid' }).map(describe), strangers.slice(2))
})
