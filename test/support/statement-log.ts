// The statements that an application sends to its database, without their values: two requests of which one must not be told
// from the other send the same.

import { Prisma } from '../../src/generated/prisma/client.js'
import type { Queries } from '../../src/platform/database/database.js'
import type { TestDatabase } from './database.js'

export interface StatementLog {
  /** The database to start an application on. */
  database: TestDatabase
  /** What was sent since the last call, in order. */
  take(): string[]
}

export function logStatements(database: TestDatabase): StatementLog {
  let log: string[] = []

  const logged = (client: Queries): Queries =>
    new Proxy(client, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver)
        if (name === '$queryRaw' || name === '$executeRaw') return logRaw(target, member as RawQuery)
        const isModel = typeof member === 'object' && member !== null && typeof name === 'string'
        return isModel ? logModel(name, member) : member
      },
    })

  function logRaw(target: Queries, query: RawQuery): RawQuery {
    return (first, ...values) => {
      const { sql } = 'sql' in first ? first : Prisma.sql(first, ...values)
      log.push(sql.replaceAll(/\s+/g, ' ').trim())
      return query.call(target, first, ...values)
    }
  }

  const logModel = (name: string, model: object) =>
    new Proxy(model, {
      get(target, method, receiver) {
        const call: unknown = Reflect.get(target, method, receiver)
        if (typeof call !== 'function') return call
        return (argument: unknown) => {
          log.push(`${name}.${String(method)} ${shapeOf(argument)}`)
          return call.call(target, argument) as unknown
        }
      },
    })

  return {
    database: {
      ...database,
      query: (work, options) => database.query((client) => work(logged(client)), options),
      async transaction(work, options) {
        log.push('BEGIN')
        const result = await database.transaction((tx) => work(logged(tx)), options)
        log.push('COMMIT')
        return result
      },
    },
    take() {
      const taken = log
      log = []
      return taken
    },
  }
}

type RawQuery = (first: TemplateStringsArray | Prisma.Sql, ...values: unknown[]) => unknown

/** The names of the members, without their values. */
function shapeOf(argument: unknown): string {
  if (Array.isArray(argument)) return `[${argument.map(shapeOf).join()}]`
  if (typeof argument !== 'object' || argument === null || argument instanceof Date) return '?'
  if (argument instanceof Uint8Array) return '?'
  return `{${Object.entries(argument)
    .map(([name, value]) => `${name}:${shapeOf(value)}`)
    .join()}}`
}
