import { z } from 'zod'
import type { Session } from '../features/families/families.js'
import { emailSchema } from '../features/accounts/accounts.js'
import type { CommandReader } from './command.js'
import { parseValues, readOptions, requireEmail } from './options.js'
import { withoutControls } from './terminal.js'

const emailOption = z.object({ email: emailSchema })

export const sessionCommands: Record<string, CommandReader> = {
  'user:sessions'(args) {
    const options = readOptions(args, { email: { type: 'string' }, ended: { type: 'boolean' } })
    const { email } = parseValues(emailOption, { email: requireEmail(options) })
    const { ended = false } = options
    return async ({ administration }) => {
      const sessions = await administration.listSessions(email, { ended })
      if (sessions.length === 0) return [`${email} has no ${ended ? 'ended' : 'active'} sessions.`]
      return sessions.map(describeSession)
    }
  },

  'user:logout'(args) {
    const options = readOptions(args, { email: { type: 'string' } })
    const { email } = parseValues(emailOption, { email: requireEmail(options) })
    return async ({ administration }) => {
      await administration.endSessions(email)
      return [`All sessions of ${email} were ended.`]
    }
  },
}

function describeSession({ family, ended }: Session): string {
  const { id, mode, deviceName, lastUsedAt, ip } = family
  const parts = [
    id,
    mode,
    deviceName === null ? 'unnamed' : JSON.stringify(deviceName),
    `last used ${lastUsedAt.toISOString()} from ${ip ?? 'an unknown address'}`,
    ...(ended === null ? [] : [`ended ${ended.at.toISOString()}: ${ended.reason}`]),
  ]
  // The names of devices are user input.
  return withoutControls(parts.join('  '))
}
