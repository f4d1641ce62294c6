import { z } from 'zod'

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
