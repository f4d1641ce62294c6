import { z } from 'zod'
import { emailSchema, nameSchema, passwordSchema } from '../features/users/users.js'
import { CommandError, type CommandReader } from './command.js'
import { readOptions } from './options.js'

export const userCommands: Record<string, CommandReader> = {
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
