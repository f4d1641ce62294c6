import { Prisma } from '../../src/generated/prisma/client.js'
import type { Queries } from '../../src/platform/database/database.js'
import type { TestDatabase } from './database.js'

/** A database that writes down the statements that pass it, without their values. */
export interface WatchedDatabase extends TestDatabase {
  /** What has passed since the last time: the SQL, or the model and the operation. */
  take(): string[]
}

export function watchStatements(database: TestDatabase): WatchedDatabase {
  let statements: string[] = []
  const watch = (client: Queries) => watchClient(client, (statement) => void statements.push(statement))
  return {
    ...database,
    query: (work, options) => database.query((client) => work(watch(client)), options),
    transaction(work, options) {
      statements.push('BEGIN')
      return database.transaction((tx) => work(watch(tx)), options)
    },
    take() {
      const taken = statements
      statements = []
      return taken
    },
  }
}

function watchClient(client: Queries, note: (statement: string) => void): Queries {
  const raw = new Set<string | symbol>(['$queryRaw', '$executeRaw'])
  return new Proxy(client, {
    get(target, name: keyof Queries) {
      const member: unknown = target[name]
      if (raw.has(name)) {
        return (strings: TemplateStringsArray, ...values: unknown[]) => {
          note(
            Prisma.sql(strings, ...values)
              .sql.replaceAll(/\s+/g, ' ')
              .trim(),
          )
          return (member as (...args: unknown[]) => unknown).call(target, strings, ...values)
        }
      }
      return typeof member === 'object' && member !== null ? watchModel(String(name), member, note) : member
    },
  })
}

function watchModel(name: string, model: object, note: (statement: string) => void): object {
  return new Proxy(model, {
    get(target, operation) {
      const member: unknown = Reflect.get(target, operation)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        note(`${name}.${String(operation)}`)
        return Reflect.apply(member, target, args)
      }
    },
  })
}
