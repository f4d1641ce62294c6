import { parseArgs, type ParseArgsConfig } from 'node:util'
import type { z } from 'zod'
import { Problem } from '../platform/problem.js'
import { CommandError, type Command } from './command.js'

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<Known extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Known; strict: true; tokens: true }>
>

/**
 * Parses the options of a command line. Unknown options and options given twice are refused, so that none is silently
 * ignored. Throws CommandError.
 */
export function readOptions<const Known extends Options>(args: string[], options: Known): Parsed<Known>['values'] {
  const { values, tokens } = parse(args, options)
  const names = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []))
  const repeated = names.find((name, index) => names.indexOf(name) < index && options[name]?.multiple !== true)
  if (repeated !== undefined) throw new CommandError(`--${repeated} may be given only once.`)
  return values
}

function parse<const Known extends Options>(args: string[], options: Known): Parsed<Known> {
  try {
    return parseArgs({ args, options, strict: true, tokens: true })
  } catch (error) {
    // The rest of the message is about positional arguments, which no command takes.
    const [fault = ''] = String(error instanceof Error ? error.message : error).split('. ')
    throw new CommandError(`${fault}.`, { cause: error })
  }
}

/**
 * Validates options by name, or by the same name with underscores. Throws CommandError with everything that is wrong.
 */
export function parseValues<Schema extends z.ZodType>(schema: Schema, values: Record<string, unknown>) {
  const parsed = schema.safeParse(values)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(
    ({ path: [option], message }) => `--${String(option).replaceAll('_', '-')}: ${message}`,
  )
  throw new CommandError(faults.join('\n'))
}

/** Throws CommandError if the option is missing. */
export function requireEmail({ email }: { email?: string | undefined }): string {
  if (email === undefined) throw new CommandError('--email is required: the address the user signs in with.')
  return email
}

/** The items of a list, with commas or spaces between. */
export function words(list: string): string[] {
  return list.split(/[\s,]+/).filter((word) => word !== '')
}

/** Names the options in the refusals of a command, where the domain names members. */
export function nameOptions(command: Command): Command {
  return async (operator) => {
    try {
      return await command(operator)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'validation_failed') throw error
      const faults = error.options.errors?.map(
        ({ path, message }) => `--${path.slice(1).replaceAll('_', '-')}: ${message}`,
      )
      throw new CommandError(faults?.join('\n') ?? error.detail, { cause: error })
    }
  }
}
