import pg from 'pg'
import type { PostgresServer } from './server.js'

/** Limits on time, by the names that a role can have them by. */
interface Limits {
  statementMs: number
  lockMs: number
  idleInTransactionMs: number
}

/** What a pooler forgets that hands a connection over after each transaction, and what to do about it; for the log. */
export function describePooler(
  { isPooled, missingLimits, role }: PostgresServer,
  { prepared, limits }: { prepared: boolean; limits: Limits },
): string[] {
  if (prepared && isPooled) {
    return [
      'a pooler stands between Sallyport and Postgres. If it is in transaction mode, it forgets statement_timeout, ' +
        'lock_timeout, idle_in_transaction_session_timeout, search_path, named statements and LISTEN: set ' +
        'DATABASE_PREPARED=false then',
    ]
  }
  if (prepared || missingLimits.length === 0) return []
  const milliseconds: Record<string, number> = {
    statement_timeout: limits.statementMs,
    lock_timeout: limits.lockMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionMs,
  }
  const alterations = missingLimits.map(
    (name) => `ALTER ROLE ${pg.escapeIdentifier(role)} SET ${name} = ${milliseconds[name] ?? 0}`,
  )
  return [
    `DATABASE_PREPARED is false, so ${missingLimits.join(', ')} are in force in transactions alone. Give them to the role: ` +
      `${alterations.join('; ')}. Statements have no names, and changes by other instances are polled for, not listened to`,
  ]
}
