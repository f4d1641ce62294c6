import { z } from 'zod'
import { recoveryCodesSchema } from '../factors/factors.js'
import { text } from '../../platform/http/text.js'
import type { RegisteredPasskey } from './registering.js'
import type { Passkey } from './store.js'

export const passkeyNameSchema = text({ min: 1, max: 100 }).meta({ examples: ['Work laptop'] })

const exampleChallenge = 'fGlV0gABqxS1pB2cW9kYh3mLz7Qe5tRn4uJd8oAiPvXy6sKbGw'

const exampleRequest = {
  challenge: exampleChallenge,
  timeout: 300_000,
  rpId: 'example.com',
  userVerification: 'required' as const,
}

const exampleCreation = {
  challenge: exampleChallenge,
  rp: { id: 'example.com', name: 'Example' },
  user: { id: 'q83vEjRWeJASNFZ4mrze8A', name: 'ada@example.com', displayName: 'Ada Lovelace' },
  pubKeyCredParams: [-8, -7, -257].map((alg) => ({ alg, type: 'public-key' as const })),
  timeout: 300_000,
  attestation: 'none' as const,
  excludeCredentials: [],
  authenticatorSelection: {
    residentKey: 'required' as const,
    requireResidentKey: true as const,
    userVerification: 'required' as const,
  },
}

const descriptors = z.array(
  z.object({ id: z.string(), type: z.literal('public-key'), transports: z.array(z.string()).optional() }),
)

/** For `PublicKeyCredential.parseRequestOptionsFromJSON`. */
export const requestOptionsSchema = z
  .object({
    challenge: z.string(),
    timeout: z.number(),
    rpId: z.string(),
    allowCredentials: descriptors.optional(),
    userVerification: z.enum(['required', 'preferred']),
  })
  .meta({
    examples: [exampleRequest],
    id: 'PasskeyRequestOptions',
    description: 'For `navigator.credentials.get` (PublicKeyCredentialRequestOptionsJSON).',
  })

/** For `PublicKeyCredential.parseCreationOptionsFromJSON`. */
export const creationOptionsSchema = z
  .object({
    challenge: z.string(),
    rp: z.object({ id: z.string(), name: z.string() }),
    user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
    pubKeyCredParams: z.array(z.object({ alg: z.number(), type: z.literal('public-key') })),
    timeout: z.number(),
    attestation: z.literal('none'),
    excludeCredentials: descriptors,
    authenticatorSelection: z.object({
      residentKey: z.literal('required'),
      requireResidentKey: z.literal(true),
      userVerification: z.literal('required'),
    }),
  })
  .meta({
    id: 'PasskeyCreationOptions',
    examples: [exampleCreation],
    description: 'For `navigator.credentials.create` (PublicKeyCredentialCreationOptionsJSON).',
  })

export type RequestOptions = z.output<typeof requestOptionsSchema>
export type CreationOptions = z.output<typeof creationOptionsSchema>

/** A passkey in the list of factors. */
export const passkeySchema = z
  .object({
    id: z.uuid(),
    type: z.literal('passkey'),
    name: z.string(),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable(),
    backed_up: z.boolean().meta({ description: 'Whether it is synchronized, so that it outlives the device.' }),
    user_verifying: z.boolean().meta({ description: 'Whether it asks for a PIN or a fingerprint.' }),
  })
  .meta({ id: 'Passkey' })

const examplePasskey = {
  id: '0199b2c4-7d5e-7c3a-9f21-5a0e4b8d6c12',
  type: 'passkey' as const,
  name: 'Work laptop',
  created_at: '2026-01-01T00:00:00.000Z',
  last_used_at: null,
  backed_up: true,
  user_verifying: true,
}

export const registeredPasskeySchema = passkeySchema.extend({ recovery_codes: recoveryCodesSchema.optional() }).meta({
  id: 'RegisteredPasskey',
  description: 'With recovery codes if it is the first factor.',
  examples: [examplePasskey],
})

export function presentPasskey(passkey: Passkey): z.output<typeof passkeySchema> {
  return {
    id: passkey.id,
    type: 'passkey',
    name: passkey.name,
    created_at: passkey.createdAt.toISOString(),
    last_used_at: passkey.lastUsedAt?.toISOString() ?? null,
    backed_up: passkey.backedUp,
    user_verifying: passkey.userVerifying,
  }
}

export function presentRegistered({
  passkey,
  recoveryCodes,
}: RegisteredPasskey): z.output<typeof registeredPasskeySchema> {
  return { ...presentPasskey(passkey), ...(recoveryCodes && { recovery_codes: recoveryCodes }) }
}

export const signalsSchema = z
  .object({
    rp_id: z.string(),
    user_id: z.string().nullable().meta({ description: 'Null for a user who has never had a passkey.' }),
    accepted_credential_ids: z.array(z.string()),
    name: z.string(),
    display_name: z.string(),
  })
  .meta({
    id: 'PasskeySignals',
    examples: [
      {
        rp_id: 'example.com',
        user_id: exampleCreation.user.id,
        accepted_credential_ids: ['Zt0Nf2bT8L4qYw1sJ3kVhA'],
        name: 'ada@example.com',
        display_name: 'Ada Lovelace',
      },
    ],
    description: 'For `PublicKeyCredential.signalAllAcceptedCredentials` and `signalCurrentUserDetails`.',
  })

/** The options for a browser, as replies have them. */
export const requestOptionsReplySchema = z
  .object({ options: requestOptionsSchema })
  .meta({ examples: [{ options: exampleRequest }] })

export const creationOptionsReplySchema = z
  .object({ options: creationOptionsSchema })
  .meta({ examples: [{ options: exampleCreation }] })
