import { z } from 'zod'
import { modes } from '../../wire/mode.js'
import { text } from '../../platform/http/text.js'
import { emailSchema, nameSchema } from '../accounts/accounts.js'
import { deviceNameSchema } from '../families/families.js'
import { passwordSchema } from '../passwords/passwords.js'

const sessionMembers = {
  mode: z
    .enum(modes)
    .default('cookie')
    .meta({ description: 'How tokens are transported, for the lifetime of the session.' }),
  device_name: deviceNameSchema.optional(),
  device_token: text({ max: 1000 })
    .optional()
    .meta({
      description:
        'In mode json: the device_token of the last sign-in on this device. It gives the device a limit of its own ' +
        'on wrong passwords, so that attackers cannot lock the owner out. An invalid one is ignored.',
    }),
  remember: z.boolean().default(true).meta({ description: 'Whether the cookies persist after the browser is closed.' }),
}

const example = { email: 'ada@example.com', password: 'copper lantern drifts over seven hills', mode: 'json' }

export const loginSchema = z
  .strictObject({ email: emailSchema, password: passwordSchema, ...sessionMembers })
  .meta({ examples: [example] })

export const registerSchema = z
  .strictObject({ email: emailSchema, password: passwordSchema, name: nameSchema.optional(), ...sessionMembers })
  .meta({ examples: [{ ...example, name: 'Ada Lovelace', device_name: 'Work laptop' }] })

export type LoginBody = z.output<typeof loginSchema>
export type RegisterBody = z.output<typeof registerSchema>
