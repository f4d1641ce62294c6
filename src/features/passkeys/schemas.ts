import { z } from 'zod'
import { recoveryCodesSchema } from '../factors/factors.js'
import { text } from '../../platform/http/text.js'
import type { Registered } from './managing.js'
import type { Passkey } from './store.js'

const base64url = (max: number) =>
  z
    .string()
    .regex(/^[\w-]*$/, 'Must be base64url without padding')
    .max(max)

// WebAuthn (Level 3, section 4): at most 1023 bytes.
const credentialId = base64url(1364).min(1)

const shared = {
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  authenticatorAttachment: z.string().max(50).nullish(),
  clientExtensionResults: z.record(z.string(), z.unknown()).optional(),
}

const encoded = base64url(16_384).min(1)

const exampleId = 'Zt0Nf2bT8L4qYw1sJ3kVhA'
// {"type":"webauthn.get","challenge":"…","origin":"https://app.example.com"}
const exampleClientData = 'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiIiwib3JpZ2luIjoiIn0'
const exampleKey = { id: exampleId, rawId: exampleId, type: 'public-key' as const, clientExtensionResults: {} }
export const exampleAssertion = {
  ...exampleKey,
  response: {
    clientDataJSON: exampleClientData,
    authenticatorData: 'SZYN5YgO',
    signature: 'MEUCIQ',
    userHandle: 'q83v',
  },
}
export const exampleAttestation = {
  ...exampleKey,
  response: {
    clientDataJSON: exampleClientData,
    attestationObject: 'o2NmbXRkbm9uZQ',
    transports: ['internal', 'hybrid'],
  },
}

/** What `navigator.credentials.get` returns, in JSON (WebAuthn Level 3, section 5.1: AuthenticationResponseJSON). */
export const assertionSchema = z
  .object({
    ...shared,
    response: z.object({
      clientDataJSON: encoded,
      authenticatorData: encoded,
      signature: encoded,
      userHandle: base64url(86).nullish(),
    }),
  })
  .meta({ description: 'The credential from the browser, as its `toJSON` returns it.', examples: [exampleAssertion] })

/** What `navigator.credentials.create` returns, in JSON (RegistrationResponseJSON). */
export const attestationSchema = z
  .object({
    ...shared,
    response: z.object({
      clientDataJSON: encoded,
      attestationObject: encoded,
      transports: z
        .array(z.string().regex(/^[a-z-]{1,20}$/))
        .max(10)
        .optional(),
    }),
  })
  .meta({ description: 'The credential from the browser, as its `toJSON` returns it.', examples: [exampleAttestation] })

export type Assertion = z.output<typeof assertionSchema>
export type Attestation = z.output<typeof attestationSchema>

export const passkeyNameSchema = text({ min: 1, max: 100 }).meta({ examples: ['Work laptop'] })

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

export function presentRegistered({ passkey, recoveryCodes }: Registered): z.output<typeof registeredPasskeySchema> {
  return { ...presentPasskey(passkey), ...(recoveryCodes && { recovery_codes: recoveryCodes }) }
}

export const signalsSchema = z
  .object({
    rp_id: z.string(),
    user_id: z.string(),
    accepted_credential_ids: z.array(z.string()),
    name: z.string(),
    display_name: z.string(),
  })
  .meta({
    id: 'PasskeySignals',
    description: 'For `PublicKeyCredential.signalAllAcceptedCredentials` and `signalCurrentUserDetails`.',
  })
