import { z } from 'zod'
import type { ListedMail } from '../features/mail/mail.js'
import { CommandError, type CommandReader } from './command.js'
import { parseValues, readOptions } from './options.js'
import { withoutControls } from './terminal.js'

const DEFAULT_LIMIT = 100
const LIMIT_ADVICE = 'Must be a number from 1 to 10000'

const states = ['queued', 'failed', 'sent', 'void'] as const

const listSchema = z.object({
  state: z.array(z.enum(states, `Must be one of ${states.join(', ')}`)),
  limit: z
    .string()
    .regex(/^([1-9]\d{0,3}|10000)$/, LIMIT_ADVICE)
    .transform(Number),
})

const retrySchema = z.object({ id: z.uuid('Must be the id of a mail, from mail:list').nullable() })

export const mailCommands: Record<string, CommandReader> = {
  'mail:list'(args) {
    const options = readOptions(args, { state: { type: 'string', multiple: true }, limit: { type: 'string' } })
    const { state, limit } = parseValues(listSchema, {
      state: options.state ?? ['queued', 'failed'],
      limit: options.limit ?? String(DEFAULT_LIMIT),
    })
    return async ({ delivery }) => {
      const mails = await delivery.list({ states: state, limit })
      if (mails.length === 0) return [`No mails are ${state.join(' or ')}.`]
      const lines = mails.map(describeMail)
      if (mails.length < limit) return lines
      return [`Showing the latest ${limit} mails; use --limit to show more.`, ...lines]
    }
  },

  'mail:retry'(args) {
    const options = readOptions(args, { id: { type: 'string' }, all: { type: 'boolean' } })
    const { id = null, all = false } = options
    if ((id === null) !== all) throw new CommandError('Either --id or --all is required: mail:list shows the ids.')
    parseValues(retrySchema, { id })
    return async ({ delivery }) => {
      const count = await delivery.retry(id)
      if (count === 0) throw new CommandError('No mail is waiting for its next attempt or has failed.')
      return [`${count} mails are due now. The server sends them within a second, unless what they tell of has ended.`]
    }
  },
}

/** In one line. The words of mail servers may contain anything. */
function describeMail({
  createdAt,
  state,
  kind,
  email,
  attempts,
  nextAt,
  sentAt,
  lastCode,
  lastError,
  id,
}: ListedMail) {
  const parts = [
    createdAt.toISOString(),
    state,
    kind,
    email,
    `attempts ${attempts}`,
    ...(sentAt === null ? [] : [`sent ${sentAt.toISOString()}`]),
    ...(state === 'queued' ? [`next ${nextAt.toISOString()}`] : []),
    ...(lastCode === null ? [] : [`last ${lastCode} ${lastError ?? ''}`]),
    id,
  ]
  return withoutControls(parts.join('  '))
}
