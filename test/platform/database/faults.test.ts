import t from 'tap'
import {
  isConnectionFault,
  isPoolTimeout,
  isRetryable,
  isUnavailable,
  violatedConstraint,
} from '../../../src/platform/database/faults.js'

// The shapes of real errors: from Prisma, from its adapter, from pg and Node.
const prisma = (code: string, message = '') => Object.assign(new Error(message), { code })
const adapter = (code: string, cause: object, message = '') =>
  Object.assign(new Error(message), { code, meta: { driverAdapterError: Object.assign(new Error(), { cause }) } })
const sqlState = (originalCode: string) => adapter('P2010', { kind: 'postgres', originalCode, originalMessage: 'no' })
const node = (code: string, syscall = 'connect') => Object.assign(new Error(), { code, syscall })

const all = { isRetryable, isConnectionFault, isPoolTimeout, isUnavailable }
const verdicts = (error: unknown) => Object.entries(all).flatMap(([name, judge]) => (judge(error) ? [name] : []))

t.test('what an error means', async (t) => {
  const retryable = ['isRetryable', 'isUnavailable']
  const connection = ['isConnectionFault', 'isUnavailable']
  const pool = ['isPoolTimeout', 'isUnavailable']
  const refusal = ['isUnavailable']
  const cases: [string, unknown, string[]][] = [
    ['a deadlock that Prisma found', prisma('P2034'), retryable],
    ['a deadlock in a raw statement', sqlState('40P01'), retryable],
    ['a serialization failure of pg', prisma('40001'), retryable],

    ['no server', adapter('P1001', { kind: 'DatabaseNotReachable' }), connection],
    ['no server for a raw statement', adapter('P2010', { kind: 'DatabaseNotReachable' }), connection],
    ['a raw statement on a connection that closed', adapter('P2010', { kind: 'ConnectionClosed' }), connection],
    ['a raw statement that timed out', adapter('P2010', { kind: 'SocketTimeout' }), connection],
    ['a raw statement without TLS', adapter('P2010', { kind: 'TlsConnectionError' }), refusal],
    ['a closed connection', adapter('P1017', { kind: 'ConnectionClosed' }), connection],
    ['a server that shuts down', sqlState('57P01'), connection],
    ['a connection exception', sqlState('08006'), connection],
    ['a transaction that was idle for too long', sqlState('25P03'), connection],
    [
      'an open transaction whose connection broke',
      new Error('Client has encountered a connection error and is not queryable'),
      connection,
    ],
    ['a server that went away', new Error('Connection terminated unexpectedly'), connection],
    ['a server that does not respond', new Error('Query read timeout'), connection],
    ['a name with several addresses', new AggregateError([node('ECONNREFUSED')], ''), connection],
    ['a cause within a cause', new Error('a', { cause: new Error('b', { cause: node('ECONNRESET') }) }), connection],
    ['no unix socket', node('ENOENT'), connection],
    ['a closed database', new Error('Cannot use a pool after calling end on the pool'), connection],

    ['no transaction in time', prisma('P2028'), pool],
    ['no connection in time', new Error('timeout exceeded when trying to connect'), pool],
    [
      'no new connection in time',
      new Error('Connection terminated due to connection timeout'),
      [...connection.slice(0, 1), ...pool],
    ],

    ['a statement that took too long', sqlState('57014'), refusal],
    ['a lock that was not available', sqlState('55P03'), refusal],
    ['a demoted primary', sqlState('25006'), refusal],
    ['too many connections', adapter('P2037', { kind: 'TooManyConnections', originalCode: '53300' }), refusal],
    ['a full disk', sqlState('53100'), refusal],
    ['a wrong password', adapter('P1000', { kind: 'AuthenticationFailed', originalCode: '28P01' }), refusal],

    ['a violated constraint', adapter('P2002', { originalCode: '23505' }), []],
    ['an unknown column', sqlState('42703'), []],
    ['a missing file', node('ENOENT', 'open'), []],
    ['a programming error', new TypeError('x is not a function'), []],
    ['not an error', undefined, []],
  ]
  for (const [name, error, expected] of cases) t.strictSame(verdicts(error), expected, name)
})

t.test('an error that is its own cause is classified too', async (t) => {
  const error = prisma('40001')
  error.cause = error
  t.ok(isRetryable(error))
  t.notOk(isConnectionFault(error))
})

t.test('the constraint that was violated', async (t) => {
  const message = 'duplicate key value violates unique constraint "user_email_key"'
  const onPostgres = { originalCode: '23505', originalMessage: message, constraint: { index: 'user_email_key' } }
  const inGerman = {
    ...onPostgres,
    originalMessage: 'doppelter Schlüsselwert verletzt Unique-Constraint »user_email_key«',
  }
  for (const code of ['P2002', 'P2010']) {
    t.equal(violatedConstraint(adapter(code, onPostgres)), 'user_email_key')
    t.equal(violatedConstraint(adapter(code, inGerman)), 'user_email_key')
  }
  const onPg = Object.assign(new Error(message), { code: '23505', constraint: 'user_email_key' })
  t.equal(violatedConstraint(onPg), 'user_email_key')
  t.equal(violatedConstraint(adapter('P2003', { originalCode: '23503', constraint: { index: 'a_fkey' } })), null)
  t.equal(violatedConstraint(new Error(message)), null)
  t.equal(violatedConstraint(null), null)
})
