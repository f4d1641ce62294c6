import { createHash } from 'node:crypto'

/** A server keeps every named statement for the whole life of a connection, so there are only so many names. */
const maxNames = 60
/** A text that comes back this often is a fixed statement, and not one of the many shapes of a batch or a filter. */
const sightings = 5
/** How many texts are counted at a time, so that texts that never come back cannot fill the memory. */
const maxCounted = 500

/**
 * Names the few statements that are fixed and frequent, so that each connection parses and plans them once. All others
 * get the empty name, which is Postgres's word for "do not keep". The name follows from the text, so that no name ever
 * stands for two texts.
 */
export function createStatementNames(): (sql: string) => string {
  const names = new Map<string, string>()
  let counts = new Map<string, number>()

  return (sql) => {
    const name = names.get(sql)
    if (name !== undefined || names.size === maxNames || !isWorthNaming(sql)) return name ?? ''

    if (counts.size === maxCounted) counts = new Map()
    const count = (counts.get(sql) ?? 0) + 1
    counts.set(sql, count)
    if (count < sightings) return ''

    counts.delete(sql)
    const newName = `sallyport_${createHash('sha256').update(sql).digest('hex').slice(0, 32)}`
    names.set(sql, newName)
    return newName
  }
}

/** The same in the shape in which Prisma's adapter takes it. */
export function nameStatements(): (query: { sql: string }) => string {
  const nameOf = createStatementNames()
  return (query) => nameOf(query.sql)
}

/** BEGIN, COMMIT and their like need no plan. */
function isWorthNaming(sql: string): boolean {
  return /^\s*(select|insert|update|delete|with)\b/i.test(sql)
}
