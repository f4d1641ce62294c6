import { z } from 'zod'
import { modes } from '../../wire/mode.js'
import { text } from '../../platform/http/text.js'
import { nameSchema } from '../accounts/accounts.js'
import { deviceNameSchema } from '../families/families.js'
import { deviceTokenMember, sessionMembers } from './schemas.js'

export const providerParams = z.object({
  provider: z.string().meta({ description: 'The id of a provider.', examples: ['google'] }),
})

export const providersReplySchema = z
  .object({
    providers: z.array(
      z.object({
        id: z.string(),
        name: z.string().meta({ description: 'For its button.' }),
        preset: z.string().meta({ description: 'The look of its button follows from it.' }),
        href: z.string().meta({ description: 'Where its button leads; add "mode" and "return_to".' }),
        id_tokens: z.boolean().meta({ description: 'Whether apps can sign in with its ID tokens.' }),
      }),
    ),
  })
  .meta({
    examples: [
      {
        providers: [
          {
            ...{ id: 'google', name: 'Google', preset: 'google', id_tokens: true },
            href: 'https://auth.example.com/v1/auth/social/google',
          },
        ],
      },
    ],
  })

/** S256 of a verifier: 32 bytes in base64url (RFC 7636, section 4.2). */
const challengeSchema = z.string().regex(/^[\w-]{43}$/, 'Must be the S256 challenge of a verifier, of 43 characters')

export const socialStartSchema = z
  .strictObject({
    mode: z
      .enum(modes)
      .default('session')
      .meta({
        description:
          'How tokens are transported. In mode json, the browser comes back with a code, for which the application that has ' +
          'the verifier gets the tokens.',
      }),
    return_to: z
      .string()
      .optional()
      .meta({
        description: 'Where the browser goes at the end: allowed by RETURN_TO, or a page of the account.',
        examples: ['https://app.example.com/welcome'],
      }),
    device_name: deviceNameSchema.optional(),
    remember: z
      .enum(['true', 'false'])
      .default('true')
      .meta({ description: 'Whether the cookies persist after the browser is closed.' }),
    code_challenge: challengeSchema.optional().meta({
      description: 'In mode json: the S256 challenge of the verifier that the application keeps.',
      examples: ['E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'],
    }),
    link: text({ min: 1, max: 200 })
      .optional()
      .meta({ description: 'The ticket of a link, as /v1/me/identities/link has put it into its URL.' }),
  })
  .refine(({ mode, link, code_challenge: challenge }) => mode !== 'json' || link !== undefined || challenge, {
    message: 'Mode json needs the S256 challenge of a verifier',
    path: ['code_challenge'],
  })

/** What providers send beside it is judged by the provider's own rules. */
export const socialCallbackSchema = z
  .looseObject({
    state: z.string().optional(),
    code: z.string().optional(),
    error: z.string().optional(),
    iss: z.string().optional(),
  })
  .meta({ examples: [{ state: 'af0ifjsldkj', code: 'SplxlOBeZQQYbYS6WxSbIA', iss: 'https://accounts.google.com' }] })

export const socialTokenSchema = z
  .strictObject({
    id_token: text({ min: 1, max: 12_000 }).meta({ examples: ['eyJ…'] }),
    nonce: text({ min: 1, max: 500 }).optional().meta({
      description:
        'What the app sent to the provider. Required where the token has a nonce: it, or its SHA-256 in hex.',
    }),
    access_token: text({ min: 1, max: 4000 }).optional().meta({
      description: 'Of the provider, where the ID token does not have the address.',
    }),
    name: nameSchema.optional().meta({
      description: 'As the provider told the app, for providers that tell it once and not in the token.',
    }),
    ...sessionMembers,
  })
  .meta({ examples: [{ id_token: 'eyJ…', nonce: 'n-0S6_WzA2Mj', mode: 'json' }] })

export const socialExchangeSchema = z
  .strictObject({
    code: text({ min: 1, max: 200 }).meta({ description: 'From the address to which the browser came back.' }),
    code_verifier: z
      .string()
      .regex(/^[\w.~-]{43,128}$/, 'Must be a verifier of 43 to 128 characters (RFC 7636)')
      .meta({ description: 'Of which "code_challenge" is the S256.' }),
    device_token: deviceTokenMember,
  })
  .meta({
    examples: [
      {
        code: '4k1Yt0Cj5oQyq1Jm8w0yUuKzq3T2p7Jx9dQbS6vLrNE',
        code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      },
    ],
  })

export type SocialStartQuery = z.output<typeof socialStartSchema>
export type SocialTokenBody = z.output<typeof socialTokenSchema>
export type SocialExchangeBody = z.output<typeof socialExchangeSchema>
