import { z } from 'zod'
import { text } from '../../platform/http/text.js'
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

const providerMember = text({ min: 1, max: 100 }).meta({ description: 'Its id in PROVIDERS.', examples: ['google'] })

export const linkIdentitySchema = z
  .union([
    z.strictObject({
      provider: providerMember,
      return_to: text({ max: 2000 }).meta({
        description: 'Where the browser goes at the end. It is listed in RETURN_TO.',
      }),
    }),
    z.strictObject({
      provider: providerMember,
      id_token: text({ min: 1, max: 16_000 }),
      nonce: text({ max: 1000 }).optional(),
      access_token: text({ max: 16_000 }).optional(),
      name: text({ min: 1, max: 100 }).optional(),
    }),
  ])
  .meta({
    examples: [
      { provider: 'google', return_to: 'https://app.example.com/account' },
      { provider: 'apple', id_token: 'eyJhbGciOiJSUzI1NiJ9…', nonce: 'n-0S6_WzA2Mj' },
    ],
  })

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
