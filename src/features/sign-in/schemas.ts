import { z } from 'zod'
import { modes } from '../../wire/mode.js'
import { text } from '../../platform/http/text.js'
import { emailSchema, nameSchema, newEmailSchema } from '../accounts/accounts.js'
import { deviceNameSchema } from '../families/families.js'
import {
  flowTokenSchema,
  hasOneOfLinkAndCode,
  linkTokenSchema,
  localeMember,
  ONE_OF_LINK_AND_CODE,
  presentedMembers,
} from '../flows/flows.js'
import { assertionSchema, exampleAssertion } from '../passkeys/passkeys.js'
import { passwordSchema } from '../passwords/passwords.js'

/** How the session is to be, in the body of every sign-in. */
export const sessionMembers = {
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

/** Of a body that begins a flow. */
const flowMembers = {
  locale: localeMember.optional(),
  flow_token: flowTokenSchema.optional().meta({
    description: 'In mode json: the flow_token of the last request of this kind, which is then superseded.',
  }),
}

const example = { email: 'ada@example.com', password: 'copper lantern drifts over seven hills', mode: 'json' }

export const loginSchema = z
  .strictObject({ email: emailSchema, password: passwordSchema, ...sessionMembers })
  .meta({ examples: [example] })

export const passkeyLoginSchema = z
  .strictObject({ credential: assertionSchema, ...sessionMembers })
  .meta({ examples: [{ credential: exampleAssertion, mode: 'json' }] })

export const registerSchema = z
  .strictObject({
    email: newEmailSchema,
    password: passwordSchema,
    name: nameSchema.optional(),
    ...sessionMembers,
    ...flowMembers,
  })
  .meta({ examples: [{ ...example, name: 'Ada Lovelace', device_name: 'Work laptop' }] })

export const { device_token: deviceTokenMember } = sessionMembers

export const verifyEmailSchema = z
  .strictObject({
    ...presentedMembers,
    password: passwordSchema.optional().meta({
      description: 'For the link of a registration that was opened elsewhere: the password of the registration.',
    }),
    device_token: deviceTokenMember,
  })
  .refine(hasOneOfLinkAndCode, ONE_OF_LINK_AND_CODE)
  .meta({ examples: [{ code: '1234 5678', flow_token: 'spf_…' }] })

export const resendSchema = z
  .strictObject({
    flow_token: flowTokenSchema.optional(),
    mode: sessionMembers.mode.meta({ description: 'How the flow token of a signed-in user is transported.' }),
  })
  .nullish()
  .meta({ examples: [{ flow_token: 'spf_…' }] })

export const codeRequestSchema = z
  .strictObject({
    email: emailSchema,
    ...sessionMembers,
    register: z.literal(true).optional().meta({
      description: 'Makes an account, once the code is shown, where the address has none. Needs REGISTRATION=open.',
    }),
    ...flowMembers,
  })
  .refine(({ email, register }) => register !== true || newEmailSchema.safeParse(email).success, {
    message: 'Must be an e-mail address that an account can be made for',
    path: ['email'],
  })
  .meta({ examples: [{ email: 'ada@example.com', mode: 'json' }] })

export const verifyCodeSchema = z
  .strictObject({ ...presentedMembers, device_token: deviceTokenMember })
  .refine(hasOneOfLinkAndCode, ONE_OF_LINK_AND_CODE)
  .meta({ examples: [{ code: '1234 5678', flow_token: 'spf_…' }] })

export const acceptInvitationSchema = z
  .strictObject({ token: linkTokenSchema, password: passwordSchema, name: nameSchema.optional(), ...sessionMembers })
  .meta({ examples: [{ token: 'spl_…', password: example.password, name: 'Ada Lovelace', mode: 'json' }] })

export type CodeRequestBody = z.output<typeof codeRequestSchema>
export type AcceptInvitationBody = z.output<typeof acceptInvitationSchema>
export type PasskeyLoginBody = z.output<typeof passkeyLoginSchema>
export type LoginBody = z.output<typeof loginSchema>
export type RegisterBody = z.output<typeof registerSchema>
