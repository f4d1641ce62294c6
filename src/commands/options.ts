import { parseArgs, type ParseArgsConfig } from 'node:util'
import type { z } from 'zod'
import { CommandError } from './command.js'

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<Known extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Known; strict: true; tokens: true }>
>

/**
 * The options of a command line; anything that is none of them, and one that is given twice, is refused, so that
 * nothing is left out unseen. Throws CommandError.
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
    // What follows the first sentence is about positional arguments, of which no command takes any.
    const [fault = ''] = String(error instanceof Error ? error.message : error).split('. ')
    throw new CommandError(`${fault}.`, { cause: error })
  }
}

/** Judges what options say, each under its name. Throws CommandError with all that is wrong. */
export function parseValues<Schema extends z.ZodType>(schema: Schema, values: Record<string, unknown>) {
  const parsed = schema.safeParse(values)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path: [option], message }) => `--${String(option)}: ${message}`)
  throw new CommandError(faults.join('\n'))
}

/** Throws CommandError where the option is missing. */
export function requireEmail({ email }: { email?: string | undefined }): string {
  if (email === undefined) throw new CommandError('--email is required: the address the user signs in with.')
  return email
}
