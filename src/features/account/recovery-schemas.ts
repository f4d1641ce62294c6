import { z } from 'zod'
import { modes } from '../../wire/mode.js'
import { newEmailSchema } from '../accounts/accounts.js'
import { confirmationSchema, flowTokenSchema, linkTokenSchema, localeMember } from '../flows/flows.js'

const flowMode = z.enum(modes).default('cookie').meta({
  description: 'How the token of who asks is transported: in the body in mode json, else in a cookie.',
})

export const changeEmailSchema = z
  .strictObject({
    email: newEmailSchema,
    mode: flowMode,
    locale: localeMember.optional(),
    flow_token: flowTokenSchema.optional(),
  })
  .meta({ examples: [{ email: 'ada.king@example.com', mode: 'json' }] })

/** The button of a mail, and the digits that the mail asks its reader to type. */
export const disownSchema = z
  .strictObject({
    token: linkTokenSchema,
    confirm: confirmationSchema,
    mode: flowMode,
    locale: localeMember.optional(),
  })
  .meta({ examples: [{ token: 'spl_…', confirm: '1234', mode: 'json' }] })

/** The button of a notice that announces a reset of the second factors. */
export const stopResetSchema = disownSchema
  .pick({ token: true, confirm: true })
  .meta({ examples: [{ token: 'spl_…', confirm: '1234' }] })

export type ChangeEmailBody = z.output<typeof changeEmailSchema>
export type DisownBody = z.output<typeof disownSchema>
