import { z } from 'zod'
import { emailSchema, nameSchema, newEmailSchema, rolesSchema } from '../features/accounts/accounts.js'
import { localeMember } from '../features/flows/flows.js'
import { passwordSchema } from '../features/passwords/passwords.js'
import { CommandError, type CommandReader } from './command.js'
import { parseValues, readOptions, requireEmail } from './options.js'

/** The password is read from a prompt or from standard input. */
export const commandsWithPassword = ['user:create', 'user:password']

export const userCommands: Record<string, CommandReader> = {
  'user:create'(args) {
    const options = readOptions(args, {
      email: { type: 'string' },
      name: { type: 'string' },
      role: { type: 'string', multiple: true },
      password: { type: 'string' },
    })
    const { role: roles, ...user } = parseValues(newUserSchema, {
      email: requireEmail(options),
      name: options.name ?? null,
      password: requirePassword(options),
      role: [...new Set(options.role)],
    })
    return async ({ administration }) => {
      const id = await administration.createUser({ ...user, roles })
      return [`Created user ${id} with ${listRoles(roles)}.`]
    }
  },

  'user:invite'(args) {
    const options = readOptions(args, {
      email: { type: 'string' },
      role: { type: 'string', multiple: true },
      locale: { type: 'string' },
    })
    const {
      email,
      role: roles,
      locale,
    } = parseValues(invitationSchema, {
      email: requireEmail(options),
      role: [...new Set(options.role)],
      locale: options.locale ?? null,
    })
    return async ({ administration }) => {
      await administration.invite({ email, roles, locale })
      return [`Invited ${email}, who will have ${listRoles(roles)}. The link in the mail is good for seven days.`]
    }
  },

  'user:roles'(args) {
    const options = readOptions(args, { email: { type: 'string' }, set: { type: 'string' } })
    if (options.set === undefined) {
      throw new CommandError(
        '--set is required: all roles of the user, such as --set admin,auditor, or --set "" for none.',
      )
    }
    const { email, set: roles } = parseValues(z.object({ email: emailSchema, set: rolesSchema }), {
      email: requireEmail(options),
      set: splitRoles(options.set),
    })
    return async ({ administration }) => {
      const changed = await administration.setRoles(email, roles)
      if (!changed) return [`${email} already has ${listRoles(roles)}. Nothing was changed.`]
      return [
        `${email} now has ${listRoles(roles)}.`,
        'Access tokens with the previous roles are refused everywhere within a second. The user stays logged in.',
      ]
    }
  },

  'user:password'(args) {
    const options = readOptions(args, { email: { type: 'string' }, password: { type: 'string' } })
    const { email, password } = parseValues(z.object({ email: emailSchema, password: passwordSchema }), {
      email: requireEmail(options),
      password: requirePassword(options),
    })
    return async ({ administration }) => {
      await administration.setPassword(email, password)
      return [`The password of ${email} was changed, and all sessions were ended.`]
    }
  },

  'user:email'(args) {
    const options = readOptions(args, { email: { type: 'string' }, to: { type: 'string' } })
    if (options.to === undefined) throw new CommandError('--to is required: the new address of the user.')
    const { email, to } = parseValues(newAddressSchema, { email: requireEmail(options), to: options.to })
    return async ({ administration }) => {
      const changed = await administration.setEmail(email, to)
      if (!changed) return [`${email} already has this address. Nothing was changed.`]
      return [`${email} now signs in as ${to}. The address is not verified. The user stays logged in.`]
    }
  },

  'user:delete'(args) {
    const options = readOptions(args, { email: { type: 'string' } })
    const { email } = parseValues(newAddressSchema.pick({ email: true }), { email: requireEmail(options) })
    return async ({ administration }) => {
      await administration.remove(email)
      return [`${email} was deleted, and all sessions were ended. This cannot be undone.`]
    }
  },
}

const newAddressSchema = z.object({ email: emailSchema, to: newEmailSchema })

const newUserSchema = z.object({
  email: newEmailSchema,
  name: nameSchema.nullable(),
  password: passwordSchema,
  role: rolesSchema,
})

const invitationSchema = z.object({ email: newEmailSchema, role: rolesSchema, locale: localeMember.nullable() })

function requirePassword({ password }: { password?: string | undefined }): string {
  if (password === undefined) throw new CommandError('A password is required.')
  return password
}

function splitRoles(list: string): string[] {
  if (list.trim() === '') return []
  return [...new Set(list.split(',').map((role) => role.trim()))]
}

function listRoles(roles: string[]): string {
  return roles.length === 0 ? 'no roles' : `the roles ${roles.join(', ')}`
}
