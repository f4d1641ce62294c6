import { z } from 'zod'
import type { AddressRule } from '../features/address-rules/address-rules.js'
import { parseRange } from '../platform/http/addresses.js'
import { text } from '../platform/http/text.js'
import { CommandError, type CommandReader } from './command.js'
import { parseValues, readOptions } from './options.js'
import { withoutControls } from './terminal.js'

const rangeSchema = z.string().transform((written, context) => {
  const range = parseRange(written)
  if (range !== null) return range
  context.addIssue({
    code: 'custom',
    message: 'Must be an IP address or a CIDR range, such as 192.0.2.7 or 2001:db8::/32',
  })
  return z.NEVER
})

const ruleSchema = z.object({
  cidr: rangeSchema,
  until: z.iso
    .datetime('Must be a time in UTC, such as 2030-12-01T00:00:00Z')
    .transform((time) => new Date(time))
    .nullable(),
  reason: text({ min: 1, max: 500 }).nullable(),
})

export const addressCommands: Record<string, CommandReader> = {
  'ip:block': (args) => setRule(args, 'block', 'is blocked: it gets 403 for everything except /livez and /readyz'),
  'ip:allow': (args) => setRule(args, 'allow', 'is exempt from address limits'),

  'ip:remove'(args) {
    const options = readOptions(args, { cidr: { type: 'string' } })
    const { cidr: range } = parseValues(ruleSchema.pick({ cidr: true }), { cidr: requireCidr(options) })
    return async ({ addressRules }) => {
      await addressRules.remove(range)
      return [`${range} is no longer blocked or allowed.`]
    }
  },

  'ip:list'(args) {
    readOptions(args, {})
    return async ({ addressRules }) => {
      const rules = await addressRules.list()
      return rules.length === 0 ? ['No addresses are blocked or allowed.'] : rules.map(describeRule)
    }
  },
}

function setRule(args: string[], kind: AddressRule['kind'], effect: string): ReturnType<CommandReader> {
  const options = readOptions(args, {
    cidr: { type: 'string' },
    until: { type: 'string' },
    reason: { type: 'string' },
  })
  const { cidr: range, ...rule } = parseValues(ruleSchema, {
    cidr: requireCidr(options),
    until: options.until ?? null,
    reason: options.reason ?? null,
  })
  return async ({ addressRules }) => {
    await addressRules.set({ range, kind, ...rule })
    const end = rule.until === null ? 'until ip:remove' : `until ${rule.until.toISOString()}`
    return [`${range} ${effect}, ${end}.`, 'This takes effect on all instances within a second.']
  }
}

function requireCidr({ cidr }: { cidr?: string | undefined }): string {
  if (cidr === undefined) throw new CommandError('--cidr is required: an IP address or a range, such as 192.0.2.0/24.')
  return cidr
}

function describeRule({ range, kind, until, reason }: AddressRule): string {
  const parts = [kind, range, ...(until ? [`until ${until.toISOString()}`] : []), ...(reason === null ? [] : [reason])]
  return withoutControls(parts.join('  '))
}
