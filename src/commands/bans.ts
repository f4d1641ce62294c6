import { z } from 'zod'
import { emailSchema } from '../features/accounts/accounts.js'
import { banReasonSchema } from '../features/administration/administration.js'
import type { CommandReader } from './command.js'
import { parseValues, readOptions, requireEmail } from './options.js'

const banSchema = z.object({
  email: emailSchema,
  until: z.iso
    .datetime('Must be a time in UTC, such as 2030-12-01T00:00:00Z')
    .transform((time) => new Date(time))
    .nullable(),
  reason: banReasonSchema.nullable(),
})

export const banCommands: Record<string, CommandReader> = {
  'user:ban'(args) {
    const options = readOptions(args, {
      email: { type: 'string' },
      until: { type: 'string' },
      reason: { type: 'string' },
    })
    const { email, ...ban } = parseValues(banSchema, {
      email: requireEmail(options),
      until: options.until ?? null,
      reason: options.reason ?? null,
    })
    return async ({ administration }) => {
      await administration.ban(email, ban)
      const end = ban.until === null ? 'until user:unban' : `until ${ban.until.toISOString()}`
      return [
        `${email} is banned ${end}.`,
        'All sessions were ended. Access tokens are refused everywhere within a second.',
      ]
    }
  },

  'user:unban'(args) {
    const options = readOptions(args, { email: { type: 'string' } })
    const { email } = parseValues(banSchema.pick({ email: true }), { email: requireEmail(options) })
    return async ({ administration }) => {
      const lifted = await administration.unban(email)
      return [lifted ? `${email} can sign in again.` : `${email} is not banned. Nothing was changed.`]
    }
  },
}
