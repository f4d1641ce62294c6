import { ConfigError } from './config.js'

/** Exits a process that cannot start, and prints the reason. */
export function failToStart(error: unknown): never {
  // A wrong setting is corrected by the operator: the message says how, and a stack trace would add nothing.
  const isOperators = error instanceof ConfigError
  process.stderr.write(`${isOperators ? error.message : describe(error)}\n`)
  process.exit(1)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `\nbecause: ${error.cause.message}` : ''
  return `Sallyport could not start: ${error.message}${cause}`
}
