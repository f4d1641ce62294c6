import { z } from 'zod'
import { factorNameSchema, recoveryCodesSchema, totpCodeSchema, type TotpFactor } from '../factors/factors.js'
import {
  attestationSchema,
  exampleAttestation,
  passkeyNameSchema,
  passkeySchema,
  presentPasskey,
  type Passkey,
} from '../passkeys/passkeys.js'

const exampleTotp = {
  id: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12',
  type: 'totp' as const,
  name: 'Phone',
  created_at: '2026-01-01T00:00:00.000Z',
  last_used_at: '2026-01-02T00:00:00.000Z',
}

const totpSchema = z
  .object({
    id: z.uuid(),
    type: z.literal('totp'),
    name: z.string(),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Totp', description: 'An authenticator app.', examples: [exampleTotp] })

export const factorSchema = z.discriminatedUnion('type', [totpSchema, passkeySchema]).meta({ examples: [exampleTotp] })

export const factorListSchema = z
  .object({
    mfa: z.enum(['off', 'optional', 'required']).meta({ description: 'Of whom a second factor is asked here.' }),
    factors: z.array(factorSchema),
    recovery_codes_left: z.int(),
  })
  .meta({
    id: 'FactorList',
    description: 'The second factors of the user.',
    examples: [{ mfa: 'optional', factors: [exampleTotp], recovery_codes_left: 10 }],
  })

export const factorParamsSchema = z.object({ id: z.string().meta({ examples: [exampleTotp.id] }) })

export const addPasskeySchema = z
  .strictObject({ credential: attestationSchema, name: passkeyNameSchema.optional() })
  .meta({ examples: [{ credential: exampleAttestation, name: 'Work laptop' }] })

export const beginTotpSchema = z
  .strictObject({ name: factorNameSchema.optional() })
  .nullish()
  .meta({ examples: [{ name: 'Phone' }] })

export const confirmTotpSchema = z.strictObject({ code: totpCodeSchema }).meta({ examples: [{ code: '123456' }] })

export const renameFactorSchema = z.strictObject({ name: factorNameSchema }).meta({ examples: [{ name: 'Old phone' }] })

export const recoveryCodesReplySchema = z
  .object({ recovery_codes: recoveryCodesSchema })
  .meta({ examples: [{ recovery_codes: ['7KQ2-9XHD-M3TP-W8RA-5VZE-C4N6'] }] })

export function presentFactor(factor: TotpFactor | Passkey): z.output<typeof factorSchema> {
  if (!('type' in factor)) return presentPasskey(factor)
  const { id, type, name, createdAt, lastUsedAt } = factor
  return {
    id,
    type,
    name,
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt?.toISOString() ?? null,
  }
}
