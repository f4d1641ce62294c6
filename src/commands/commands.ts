/** The operator commands, for a running server or without one. */
import { Problem } from '../platform/problem.js'
import { CommandError, type Command, type CommandReader, type Operator } from './command.js'
import { addressCommands } from './addresses.js'
import { auditCommands } from './audit.js'
import { banCommands } from './bans.js'
import { clientCommands } from './clients.js'
import { databaseCommands } from './database.js'
import { factorCommands } from './factors.js'
import { identityCommands } from './identities.js'
import { keyCommands } from './keys.js'
import { mailCommands } from './mail.js'
import { registrationTokenCommands } from './registration-tokens.js'
import { resourceCommands } from './resources.js'
import { sessionCommands } from './sessions.js'
import { userCommands } from './users.js'

const commands: Record<string, CommandReader> = {
  ...databaseCommands,
  ...keyCommands,
  ...userCommands,
  ...sessionCommands,
  ...banCommands,
  ...factorCommands,
  ...identityCommands,
  ...clientCommands,
  ...registrationTokenCommands,
  ...resourceCommands,
  ...addressCommands,
  ...auditCommands,
  ...mailCommands,
}

export const commandNames = Object.keys(commands)

/** Parses a command line without side effects. Throws CommandError with everything that is wrong with it. */
export function readCommand(name: string, args: string[]): Command {
  const reader = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (reader === undefined) throw new CommandError(`Unknown command ${name}. Commands: ${commandNames.join(', ')}.`)
  return reader(args)
}

/** Runs a command and returns the lines to print. Throws CommandError with the problem and its solution. */
export async function runCommand(operator: Operator, name: string, args: string[]): Promise<string[]> {
  try {
    return await readCommand(name, args)(operator)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const places = error.options.errors?.map(({ path, message }) => `${path}: ${message}`) ?? []
    throw new CommandError([`${error.title}. ${error.detail}`, ...places].join('\n'), { cause: error })
  }
}
