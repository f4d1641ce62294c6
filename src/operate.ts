/** The process of an operator's command: `sallyport keys:rotate`, `npm run keys:rotate` and so on. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { CommandError } from './commands/command.js'
import { commandNames, readCommand, runCommand } from './commands/commands.js'
import { helpLines } from './commands/help.js'
import { localCommands } from './commands/local.js'
import { MAX_PIPED_BYTES, parsePipedPassword } from './commands/piped-password.js'
import { commandsWithPassword } from './commands/users.js'
import { ConfigError, loadConfig, type Config } from './config.js'
import { TemplateError } from './features/mail/mail.js'
import { findHolder, sendCommand } from './platform/database/data-directory.js'
import { MigrationError } from './platform/database/migrations.js'
import { createLogger } from './platform/http/logging.js'
import { readVersion } from './platform/version.js'

async function operate(name: string | undefined, args: string[]): Promise<string[]> {
  if (name === '--help' || args.includes('--help')) return [...helpLines]
  if (name === '--version') return [readVersion()]
  // Never reached without arguments: bin/sallyport then starts the server.
  if (name === 'start') throw new CommandError('start takes no arguments: settings are read from the environment.')
  const localCommand = Object.entries(localCommands).find(([known]) => known === name)?.[1]
  if (localCommand) return localCommand(args)
  if (name === undefined || !commandNames.includes(name)) {
    throw new CommandError(
      `Unknown command. Commands: ${['start', ...Object.keys(localCommands), ...commandNames].join(', ')}. See --help.`,
    )
  }
  const completed = commandsWithPassword.includes(name) ? [...args, ...(await readPasswordArgument(args))] : args
  // Before the database is opened, which takes a while and may create it.
  readCommand(name, completed)
  return runWhereTheDatabaseIs(loadConfig(), name, completed)
}

/**
 * The embedded database belongs to one process: if a server is running, it carries out the command, otherwise this
 * process does.
 */
async function runWhereTheDatabaseIs(config: Config, name: string, args: string[]): Promise<string[]> {
  const holder = config.database.url === null ? await findHolder(config.dataDir) : null
  if (holder !== null) return sendCommand(holder, name, args)
  // The embedded database is WebAssembly, and a command ends before optimizing it would pay: a third of its CPU time.
  setFlagsFromString('--liftoff-only')
  const log = createLogger({ level: 'warn' })
  // Not above: the application takes half a second to load, which a running server has done already.
  const { start } = await import('./start.js')
  // No other command changes the schema: it may run beside servers of another version, which a migration would break.
  const { app, migrated, close } = await start(config, log, { migrate: name === 'migrate' })
  try {
    return [...migrated.map((migration) => `Applied ${migration}.`), ...(await runCommand(app.operator, name, args))]
  } finally {
    await app.server.close()
    await close()
  }
}

/** A password is read from the terminal or a pipe, because every user of the machine can read command lines. */
async function readPasswordArgument(args: string[]): Promise<string[]> {
  if (args.some((arg) => arg.startsWith('--password'))) {
    throw new CommandError('--password is not an option: the password is prompted for, or read from standard input.')
  }
  const password = process.stdin.isTTY ? await promptForPassword() : parsePipedPassword(await readPipe())
  if (password === '')
    throw new CommandError('A password is required: enter it at the prompt, or pipe one line to standard input.')
  // As one argument: a password may begin with a hyphen, like an option.
  return [`--password=${password}`]
}

async function promptForPassword(): Promise<string> {
  process.stdout.write('Password: ')
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await prompt.question('')
  } finally {
    prompt.close()
    process.stdout.write('\n')
  }
}

async function readPipe(): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk as Uint8Array)
    chunks.push(bytes)
    length += bytes.length
    if (length > MAX_PIPED_BYTES) break
  }
  return Buffer.concat(chunks)
}

/** Errors that the operator can correct. Compared by name, because they may come from a server. */
const operatorsErrors = [CommandError.name, ConfigError.name, MigrationError.name, TemplateError.name]

function isOperators(error: unknown): boolean {
  return error instanceof Error && operatorsErrors.includes(error.name)
}

const [name, ...args] = process.argv.slice(2)
try {
  process.stdout.write(`${(await operate(name, args)).join('\n')}\n`)
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${message}\n`)
  process.exitCode = isOperators(error) ? 2 : 1
}
