import { z } from 'zod'
import { emailSchema } from '../features/accounts/accounts.js'
import { banReasonSchema } from '../features/administration/administration.js'
import { CommandError, type CommandReader } from './command.js'
import { parseValues, readOptions, requireEmail } from './options.js'
import { withoutControls } from './terminal.js'

const resetSchema = z.object({ email: emailSchema, reason: banReasonSchema })

export const factorCommands: Record<string, CommandReader> = {
  'user:factors'(args) {
    const options = readOptions(args, { email: { type: 'string' } })
    const { email } = parseValues(resetSchema.pick({ email: true }), { email: requireEmail(options) })
    return async ({ administration }) => {
      const { factors, recoveryCodesLeft, isResetPending } = await administration.listFactors(email)
      if (factors.length === 0) return [`${email} has no second factor.`]
      return [
        ...factors.map((factor) => {
          const kind = 'type' in factor ? factor.type : 'passkey'
          const used = factor.lastUsedAt === null ? 'never used' : `last used ${factor.lastUsedAt.toISOString()}`
          return `${kind}  ${withoutControls(JSON.stringify(factor.name))}  added ${factor.createdAt.toISOString()}, ${used}`
        }),
        `${recoveryCodesLeft} recovery codes are left.`,
        ...(isResetPending ? ['A reset was announced to the user, who can still stop it.'] : []),
      ]
    }
  },

  'user:factors-reset'(args) {
    const options = readOptions(args, { email: { type: 'string' }, reason: { type: 'string' } })
    if (options.reason === undefined) {
      throw new CommandError('--reason is required: how you made sure that the user has asked for it.')
    }
    const { email, reason } = parseValues(resetSchema, { email: requireEmail(options), reason: options.reason })
    return async ({ administration }) => {
      const reset = await administration.resetFactors(email, reason)
      if (reset === 'none') return [`${email} has no second factor. Nothing was changed.`]
      if (reset === 'done') {
        return [`All second factors and recovery codes of ${email} were removed, and all sessions were ended.`]
      }
      return [
        `The second factors of ${email} will be removed at ${reset.at.toISOString()} (FACTOR_RESET_DELAY).`,
        'The user is told by mail, and can stop it until then. Without that mail, nothing is removed.',
      ]
    }
  },
}
