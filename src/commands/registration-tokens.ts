import { z } from 'zod'
import { text } from '../platform/http/text.js'
import type { RegistrationToken } from '../features/clients/clients.js'
import { CommandError, type CommandReader } from './command.js'
import { nameOptions, parseValues, readOptions } from './options.js'
import { withoutControls } from './terminal.js'

const DAY_SECONDS = 24 * 60 * 60

const newToken = z.object({
  name: text({ min: 1, max: 100 }),
  days: z
    .int('Must be a whole number of days')
    .min(1, 'Must be at least 1')
    .max(3650, 'Must be at most 3650')
    .optional(),
})

export const registrationTokenCommands: Record<string, CommandReader> = {
  'registration-token:create'(args) {
    const options = readOptions(args, { name: { type: 'string' }, days: { type: 'string' } })
    if (options.name === undefined) throw new CommandError('--name is required: who or what the token is for.')
    const days = options.days === undefined ? undefined : Number(options.days)
    const { name, days: lifetimeDays } = parseValues(newToken, { name: options.name, days })
    const lifetimeSeconds = lifetimeDays === undefined ? null : lifetimeDays * DAY_SECONDS
    return async ({ clientRegistration }) => [
      `Created a token for ${withoutControls(name)}. It is shown only once:`,
      `  ${await clientRegistration.tokens.create({ name, lifetimeSeconds })}`,
      'An application shows it at /oauth/register, as Authorization: Bearer.',
    ]
  },

  'registration-token:list'(args) {
    readOptions(args, {})
    return async ({ clientRegistration }) => {
      const tokens = await clientRegistration.tokens.list()
      return tokens.length === 0 ? ['There are no registration tokens.'] : tokens.map(describeToken)
    }
  },

  'registration-token:remove'(args) {
    const { id } = readOptions(args, { id: { type: 'string' } })
    if (id === undefined) throw new CommandError('--id is required: registration-token:list shows it.')
    return nameOptions(async ({ clientRegistration }) => {
      await clientRegistration.tokens.remove(id)
      return ['The token is refused from now on. Clients that were registered with it stay: client:list shows them.']
    })
  },
}

function describeToken({ id, name, createdAt, expiresAt }: RegistrationToken): string {
  const parts = [
    id,
    JSON.stringify(name),
    `created ${createdAt.toISOString()}`,
    expiresAt === null ? 'until it is removed' : `until ${expiresAt.toISOString()}`,
  ]
  return withoutControls(parts.join('  '))
}
