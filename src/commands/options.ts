import { parseArgs, type ParseArgsConfig } from 'node:util'
import { CommandError } from './command.js'

/**
 * The options of a command line; anything that is none of them is refused, so that nothing is left out unseen.
 * Throws CommandError.
 */
export function readOptions<const Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  try {
    return parseArgs({ args, options, strict: true }).values
  } catch (error) {
    // What follows the first sentence is about positional arguments, of which no command takes any.
    const [fault = ''] = String(error instanceof Error ? error.message : error).split('. ')
    throw new CommandError(`${fault}.`, { cause: error })
  }
}
