import { z } from 'zod'
import { text } from '../../platform/http/text.js'

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
  .meta({ description: 'The credential from the browser, as its `toJSON` returns it.' })

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
  .meta({ description: 'The credential from the browser, as its `toJSON` returns it.' })

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
