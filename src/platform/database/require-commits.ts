import type pg from 'pg'

/** A transaction was to be committed in which a statement had failed. Nothing of it remains. */
class NotCommitted extends Error {
  override readonly name = 'NotCommitted'
}

/**
 * Makes a COMMIT fail that did not commit. Postgres answers it with ROLLBACK, and without an error, when a statement
 * before it failed and the failure was caught; pg and Prisma's adapter both take that for success.
 */
export function requireCommits(pool: pg.Pool): void {
  pool.on('connect', (client) => {
    const send = client.query
    const query = (...args: unknown[]): unknown => {
      const answer: unknown = Reflect.apply(send, client, args)
      return isCommit(args[0]) && answer instanceof Promise ? answer.then(requireCommitted) : answer
    }
    Object.assign(client, { query })
  })
}

/** In the shape in which Prisma's adapter sends it. */
function isCommit(statement: unknown): boolean {
  return typeof statement === 'object' && statement !== null && Reflect.get(statement, 'text') === 'COMMIT'
}

function requireCommitted(result: pg.QueryResult): pg.QueryResult {
  if (result.command === 'COMMIT') return result
  throw new NotCommitted('The transaction was rolled back, because one of its statements had failed.')
}
