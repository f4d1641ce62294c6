import { z } from 'zod'
import { text } from '../../platform/http/text.js'
import { nameSchema } from '../accounts/accounts.js'
import type { OwnIdentity } from './own-identities.js'

const exampleIdentity = {
  id: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12',
  provider: 'google',
  provider_name: 'Google',
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada Lovelace',
  tenant: null,
  usable: true,
  linked_at: '2026-01-01T00:00:00.000Z',
  last_used_at: '2026-01-02T00:00:00.000Z',
}

export const identitySchema = z
  .object({
    id: z.uuid(),
    provider: z.string(),
    provider_name: z.string(),
    email: z
      .string()
      .nullable()
      .meta({ description: 'As the provider told it last. It need not be that of the user.' }),
    email_verified: z.boolean().meta({ description: 'Whether the provider says so.' }),
    name: z.string().nullable(),
    tenant: z.string().nullable().meta({ description: 'The organization at the provider.' }),
    usable: z.boolean().meta({ description: 'Whether it signs in: its provider is still configured.' }),
    linked_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Identity', description: 'An account at another provider.', examples: [exampleIdentity] })

export const identityListSchema = z
  .object({ identities: z.array(identitySchema) })
  .meta({ id: 'IdentityList', examples: [{ identities: [exampleIdentity] }] })

export const identityParamsSchema = z.object({ id: z.string().meta({ examples: [exampleIdentity.id] }) })

export const linkIdentitySchema = z
  .strictObject({
    provider: text({ min: 1, max: 100 }).meta({ description: 'Its id in PROVIDERS.' }),
    return_to: text({ min: 1, max: 2000 })
      .optional()
      .meta({ description: 'For a browser: where it goes at the end. It is allowed by RETURN_TO.' }),
    id_token: text({ min: 1, max: 12_000 }).optional().meta({ description: 'For an app: from the provider.' }),
    nonce: text({ min: 1, max: 500 })
      .optional()
      .meta({ description: 'With "id_token": what the app sent to the provider.' }),
    access_token: text({ min: 1, max: 4000 }).optional().meta({ description: 'With "id_token", for some providers.' }),
    name: nameSchema.optional().meta({ description: 'With "id_token", for providers that tell it only to the app.' }),
  })
  .refine(({ return_to, id_token }) => (return_to === undefined) !== (id_token === undefined), {
    message: 'Either "return_to" or "id_token" is required',
    path: ['return_to'],
  })
  .meta({ examples: [{ provider: 'google', return_to: 'https://app.example.com/account' }] })

export const linkReplySchema = z.object({ url: z.string() }).meta({
  id: 'LinkReply',
  description: 'Where to send the browser, within five minutes.',
  examples: [{ url: 'https://auth.example.com/v1/auth/social/google?link=3qb5…' }],
})

export function presentIdentity(identity: OwnIdentity): z.output<typeof identitySchema> {
  const { id, provider, providerName, email, emailVerified, name, tenant, isUsable, linkedAt, lastUsedAt } = identity
  return {
    ...{ id, provider, provider_name: providerName, email, email_verified: emailVerified, name, tenant },
    ...{ usable: isUsable, linked_at: linkedAt.toISOString(), last_used_at: lastUsedAt?.toISOString() ?? null },
  }
}
