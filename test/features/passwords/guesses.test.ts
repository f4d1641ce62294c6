import t from 'tap'
import { hashSubject, type Budget, type Policy } from '../../../src/features/limits/limits.js'
import { failuresAt, failuresInARow, passwordBudgets } from '../../../src/features/passwords/guesses.js'

const email = 'ada@example.com'
const account = hashSubject(email)
const ofNetwork = (policy: Policy): Budget[] => [{ policy, of: 'net' }]

/** A budget as one line, for a readable table. */
function describe({ policy, of, countsOnly = false }: Budget): string {
  const { name, quota, windowSeconds, sliding, onSuccess, concealed } = policy
  const kind = [sliding ? 'sliding' : 'fixed', onSuccess, { true: 'concealed', false: 'open' }[String(concealed)]].join(
    ' ',
  )
  return `${name} of ${of}: ${quota} in ${windowSeconds / 60} min, ${kind}${countsOnly ? ', counts only' : ''}`
}

const strangers = [
  `account of ${account}: 10 in 15 min, fixed forget concealed`,
  `account-day of ${account}: 30 in 1440 min, fixed forget concealed`,
  `account-total of ${account}: 100 in 129600 min, sliding forget concealed`,
]

const devices = strangers.map((line) => line.replace(/^account/, 'device').replace('concealed', 'open'))
const logins = `account-logins of ${account}: 100 in 60 min, fixed spend concealed`

t.test('an unknown device is counted for the network and, concealed, for the account', async (t) => {
  const budgets = passwordBudgets({ kind: 'stranger', email, isKnown: false }, ofNetwork)
  t.strictSame(budgets.map(describe), [
    'address of net: 100 in 60 min, fixed refund open',
    'address-logins of net: 1000 in 60 min, fixed spend open',
    logins,
    ...strangers,
  ])
})

t.test('PWD-13, ABU-04: all known devices of an account share a limit, and are counted for the network', async (t) => {
  const budgets = passwordBudgets({ kind: 'stranger', email, isKnown: true }, ofNetwork)
  t.strictSame(budgets.map(describe), [
    'address of net: 100 in 60 min, fixed refund open, counts only',
    logins,
    ...devices,
  ])
})

t.test('a new password resets the failures of unknown and of known devices', async (t) => {
  t.strictSame(failuresAt(email).map(describe), [...strangers, ...devices])
})

t.test('a signed-in user is counted only for the session', async (t) => {
  const budgets = passwordBudgets({ kind: 'user', email, sessionId: 'sid' }, ofNetwork)
  t.strictSame(budgets.map(describe), [
    'session of sid: 10 in 15 min, fixed forget open',
    'session-day of sid: 30 in 1440 min, fixed forget open',
    'session-total of sid: 100 in 129600 min, sliding forget open',
  ])
})

t.test('a correct password resets the consecutive failures of the account, on any device', async (t) => {
  t.strictSame(failuresInARow({ kind: 'user', email, sessionId: 'sid' }).map(describe), strangers.slice(2))
})
