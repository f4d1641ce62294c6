import type { CommandReader } from './command.js'
import { readOptions } from './options.js'

export const databaseCommands: Record<string, CommandReader> = {
  migrate(args) {
    readOptions(args, {})
    return async ({ database }) => {
      const applied = await database.migrate()
      return applied.length === 0 ? ['The database is up to date.'] : applied.map((name) => `Applied ${name}.`)
    }
  },
}
