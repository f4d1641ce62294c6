/** What an operator can have done from the command line, on a server that runs or on none. */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { z } from 'zod'
import type { SecretKeys } from './platform/crypto/secret-keys.js'
import type { Database } from './platform/database/database.js'
import { Problem } from './platform/problem.js'
import type { Families } from './features/families/families.js'
import type { SignIn } from './features/sign-in/sign-in.js'
import type { SigningKeys } from './features/tokens/tokens.js'
import { emailSchema, nameSchema, passwordSchema } from './features/users/users.js'

/** What the commands act on. */
export interface Operator {
  database: Database
  keys: SigningKeys
  families: Families
  signIn: SignIn
  secrets: SecretKeys
}

/** A command that cannot be done, told to the operator as it is. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** What is left to be done once the command line has been read. */
export type Command = (operator: Operator) => Promise<string[]>

/** Reads a command's arguments; throws CommandError for what it does not know. */
type CommandReader = (args: string[]) => Command

const commands: Record<string, CommandReader> = {
  migrate(args) {
    readOptions(args, {})
    return async ({ database }) => {
      const applied = await database.migrate()
      return applied.length === 0 ? ['The database is up to date.'] : applied.map((name) => `Applied ${name}.`)
    }
  },

  'keys:rotate'(args) {
    const { force = false } = readOptions(args, { force: { type: 'boolean' } })
    return async ({ keys }) => {
      const rotation = await keys.rotate({ force })
      if (rotation.outcome === 'too_soon') {
        throw new CommandError(
          'The next key has been published for less than a day, so verifiers that cache the key set may not know it. ' +
            'Wait, or add --force if they reload it when they meet an unknown key.',
        )
      }
      return [
        `Access tokens are signed with the key ${rotation.kid} from now on.`,
        'Instances on the same database follow within a minute. Nobody is logged out.',
      ]
    }
  },

  'secrets:rotate'(args) {
    readOptions(args, {})
    return async ({ keys, families, secrets }) => {
      const resealed = await keys.reseal()
      const live = await families.countBySecret()
      const outdated = [...live].filter(([id]) => id !== secrets.current.id)
      return [
        `${resealed} signing keys are sealed with the first secret in SECRET_KEY (id ${secrets.current.id}).`,
        ...[...live].map(([id, count]) => `${count} live sessions have a token under the secret with id ${id}.`),
        outdated.length === 0
          ? 'No other secret is needed any more: the rest of SECRET_KEY can go.'
          : 'Keep the other secrets until their sessions have refreshed or ended, and run this again.',
      ]
    }
  },

  'user:create'(args) {
    const user = readNewUser(args)
    return async ({ signIn }) => {
      const id = await signIn.createUser(user)
      const roles = user.roles.length === 0 ? 'no roles' : `the roles ${user.roles.join(', ')}`
      return [`Created the user ${id} with ${roles}.`]
    }
  },
}

const newUserSchema = z.object({
  email: emailSchema,
  name: nameSchema.nullable(),
  password: passwordSchema,
  roles: z.array(z.string().regex(/^[\w:.-]{1,64}$/, 'A role is 1 to 64 letters, digits or any of : . _ -')).max(50),
})

function readNewUser(args: string[]): z.infer<typeof newUserSchema> {
  const {
    email,
    name = null,
    role: roles = [],
    password,
  } = readOptions(args, {
    email: { type: 'string' },
    name: { type: 'string' },
    role: { type: 'string', multiple: true },
    password: { type: 'string' },
  })
  if (email === undefined) throw new CommandError('--email is missing: the address that the user signs in with.')
  if (password === undefined) throw new CommandError('The password is missing.')
  const user = newUserSchema.safeParse({ email, name, password, roles: [...new Set(roles)] })
  if (user.success) return user.data
  const faults = user.error.issues.map(({ path: [place], message }) => {
    return `${place === 'roles' ? '--role' : `--${String(place)}`}: ${message}`
  })
  throw new CommandError(faults.join('\n'))
}

/** The options of a command line; anything that is none of them is refused, so that nothing is left out unseen. */
function readOptions<const Options extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options, strict: true }).values
  } catch (error) {
    // What follows the first sentence is about positional arguments, of which no command takes any.
    const [fault = ''] = String(error instanceof Error ? error.message : error).split('. ')
    throw new CommandError(`${fault}.`, { cause: error })
  }
}

export const commandNames = Object.keys(commands)

/** Reads a command line without doing anything yet. Throws CommandError with what is wrong with it. */
export function readCommand(name: string, args: string[]): Command {
  const reader = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (reader === undefined) throw new CommandError(`There is no command ${name}. Commands: ${commandNames.join(', ')}.`)
  return reader(args)
}

/** Runs a command and answers the lines to be printed. Throws CommandError with what is wrong and what to do. */
export async function runCommand(operator: Operator, name: string, args: string[]): Promise<string[]> {
  try {
    return await readCommand(name, args)(operator)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const places = error.options.errors?.map(({ path, message }) => `${path}: ${message}`) ?? []
    throw new CommandError([`${error.title}. ${error.detail}`, ...places].join('\n'), { cause: error })
  }
}
