import { z } from 'zod'
import { modes } from '../../wire/mode.js'
import { text } from '../../platform/http/text.js'
import { emailSchema } from '../accounts/accounts.js'
import {
  flowTokenSchema,
  hasOneOfLinkAndCode,
  localeMember,
  ONE_OF_LINK_AND_CODE,
  presentedMembers,
} from '../flows/flows.js'
import { passwordSchema } from '../passwords/passwords.js'

export const forgotPasswordSchema = z
  .strictObject({
    email: emailSchema,
    mode: z.enum(modes).default('cookie').meta({
      description: 'How the token of who asks is transported: in the body in mode json, else in a cookie.',
    }),
    locale: localeMember.optional(),
    flow_token: flowTokenSchema.optional(),
    device_token: text({ max: 1000 })
      .optional()
      .meta({
        description:
          'In mode json: the device_token of the last sign-in on this device. It gives the device a limit of its own on ' +
          'mails, so that others cannot use up that of the owner. An invalid one is ignored.',
      }),
  })
  .meta({ examples: [{ email: 'ada@example.com', mode: 'json' }] })

export const resetPasswordSchema = z
  .strictObject({ ...presentedMembers, new_password: passwordSchema })
  .refine(hasOneOfLinkAndCode, ONE_OF_LINK_AND_CODE)
  .meta({
    examples: [
      { token: 'spl_…', new_password: 'violet otters juggle paper lanterns' },
      { code: '1234 5678', flow_token: 'spf_…', new_password: 'violet otters juggle paper lanterns' },
    ],
  })

export type ForgotPasswordBody = z.output<typeof forgotPasswordSchema>
