import { z } from 'zod'
import { auditEvents } from '../audit-events.js'
import type { AuditQuestion, RecordedEvent } from '../features/audit/audit.js'
import { emailSchema } from '../features/accounts/accounts.js'
import type { CommandReader, Operator } from './command.js'
import { parseValues, readOptions } from './options.js'
import { withoutControls } from './terminal.js'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000

const unitsMs = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const sinceAdvice = 'Must be a time in UTC, such as 2030-12-01T00:00:00Z, or an age, such as 30m, 24h or 7d'

const auditSchema = z.object({
  user: z.union([z.uuid(), emailSchema], 'Must be an e-mail address or a user id').nullable(),
  event: z.array(z.string().refine(isEventName, `Must be one of ${Object.keys(auditEvents).join(', ')}`)).nullable(),
  since: z.union([agoSchema(), z.iso.datetime().transform((time) => new Date(time))], sinceAdvice).nullable(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, `Must be a number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .refine((limit) => limit <= MAX_LIMIT, `Must be a number from 1 to ${MAX_LIMIT}`),
})

export const auditCommands: Record<string, CommandReader> = {
  audit(args) {
    const options = readOptions(args, {
      user: { type: 'string' },
      event: { type: 'string', multiple: true },
      since: { type: 'string' },
      limit: { type: 'string' },
    })
    const { user, event, since, limit } = parseValues(auditSchema, {
      user: options.user ?? null,
      event: options.event ?? null,
      since: options.since ?? null,
      limit: options.limit ?? String(DEFAULT_LIMIT),
    })
    return async (operator) => {
      const userId = user === null ? null : await idOf(operator, user)
      const question: AuditQuestion = { userId, events: event, since, limit }
      const events = await operator.audit.find(question)
      if (events.length === 0) return ['No events found.']
      const lines = events.map(describeEvent)
      if (events.length < limit) return lines
      return [`Showing the latest ${limit} events; use --limit to show more.`, ...lines]
    }
  },
}

function agoSchema() {
  return z
    .string()
    .regex(/^[1-9]\d{0,5}[mhd]$/)
    .transform((text) => ({ agoMs: Number.parseInt(text, 10) * unitsMs[text.slice(-1) as keyof typeof unitsMs] }))
}

function isEventName(name: string): name is keyof typeof auditEvents {
  return Object.hasOwn(auditEvents, name)
}

/** A deleted user can only be found by id. */
async function idOf({ administration }: Operator, user: string): Promise<string> {
  return user.includes('@') ? administration.findId(user) : user
}

function describeEvent(recorded: RecordedEvent): string {
  const { at, event, actor, userId, sessionId, ip, requestId, detail, times, lastAt } = recorded
  const parts = [
    at.toISOString(),
    event,
    resultOf(event),
    `by ${describeActor(actor)}`,
    `user ${userId ?? '-'}`,
    `session ${sessionId ?? '-'}`,
    `from ${ip ?? '-'}`,
    `request ${requestId ?? '-'}`,
    ...(detail === null ? [] : [JSON.stringify(detail)]),
    ...(times === 1 ? [] : [`${times} times until ${lastAt?.toISOString() ?? '-'}`]),
  ]
  return withoutControls(parts.join('  '))
}

function describeActor(actor: RecordedEvent['actor']): string {
  if (actor === null) return '-'
  const isOne = actor.kind === 'user' || actor.id !== null
  return isOne ? `${actor.kind} ${actor.id ?? '-'}` : actor.kind
}

function resultOf(event: string): string {
  return isEventName(event) ? auditEvents[event] : '-'
}
