import { z } from 'zod'
import { emailSchema } from '../features/accounts/accounts.js'
import { CommandError, type CommandReader } from './command.js'
import { parseValues, readOptions, requireEmail } from './options.js'
import { withoutControls } from './terminal.js'

const unlinkSchema = z.object({ email: emailSchema, id: z.uuid() })

export const identityCommands: Record<string, CommandReader> = {
  'user:identities'(args) {
    const options = readOptions(args, { email: { type: 'string' } })
    const { email } = parseValues(unlinkSchema.pick({ email: true }), { email: requireEmail(options) })
    return async ({ administration }) => {
      const identities = await administration.listIdentities(email)
      if (identities.length === 0) return [`${email} is linked to no account at another provider.`]
      return identities.map(({ id, provider, issuer, subject, email: theirs, linkedAt, lastUsedAt }) => {
        const used = lastUsedAt === null ? 'never used' : `last used ${lastUsedAt.toISOString()}`
        const names = [provider, issuer, subject, theirs ?? '-'].map((text) => withoutControls(text)).join('  ')
        return `${id}  ${names}  linked ${linkedAt.toISOString()}, ${used}`
      })
    }
  },

  'user:unlink'(args) {
    const options = readOptions(args, { email: { type: 'string' }, id: { type: 'string' } })
    if (options.id === undefined) throw new CommandError('--id is required: user:identities lists the ids.')
    const { email, id } = parseValues(unlinkSchema, { email: requireEmail(options), id: options.id })
    return async ({ administration }) => {
      await administration.unlinkIdentity(email, id)
      return [`The account was unlinked from ${email}, and the sessions that it opened were ended.`]
    }
  },
}
