import { z } from 'zod'
import { exampleTokenReply, tokenReplySchema } from '../../wire/token-reply.js'
import { text } from '../../platform/http/text.js'
import { factorNameSchema, recoveryCodeSchema, recoveryCodesSchema, totpCodeSchema } from '../factors/factors.js'
import {
  assertionSchema,
  attestationSchema,
  creationOptionsSchema,
  passkeyNameSchema,
  requestOptionsSchema,
} from '../passkeys/passkeys.js'
import { deviceTokenMember } from './schemas.js'

/** In the body in all modes: it is short-lived, and opens nothing but the second step (MFA-06). */
const mfaTokenSchema = text({ min: 1, max: 200 }).meta({
  description: 'The "mfa_token" of the first step.',
  examples: ['spf_…'],
})

/** What the body of a second step shows: one factor. */
const factorMembers = {
  code: totpCodeSchema.optional(),
  recovery_code: recoveryCodeSchema.optional(),
  credential: assertionSchema.optional(),
}

function hasOneFactor(body: { code?: unknown; recovery_code?: unknown; credential?: unknown }): boolean {
  return [body.code, body.recovery_code, body.credential].filter((factor) => factor !== undefined).length === 1
}

const ONE_FACTOR = { message: 'Must have one of "code", "recovery_code" and "credential"', path: ['code'] }

export const mfaSchema = z
  .strictObject({
    mfa_token: mfaTokenSchema,
    ...factorMembers,
    trust_device: z
      .boolean()
      .optional()
      .meta({
        description:
          'Whether later sign-ins on this device need no second factor, for MFA_TRUST_DAYS. A change of the password or the ' +
          'factors ends it. Ignored where MFA_TRUST_DAYS is 0.',
      }),
    device_token: deviceTokenMember,
  })
  .refine(hasOneFactor, ONE_FACTOR)
  .meta({ examples: [{ mfa_token: 'spf_…', code: '123456' }] })

export const enrollTotpSchema = z
  .strictObject({ mfa_token: mfaTokenSchema, name: factorNameSchema.optional() })
  .meta({ examples: [{ mfa_token: 'spf_…', name: 'Phone' }] })

export const confirmTotpSchema = z
  .strictObject({ mfa_token: mfaTokenSchema, code: totpCodeSchema, device_token: deviceTokenMember })
  .meta({ examples: [{ mfa_token: 'spf_…', code: '123456' }] })

export const mfaTokenBodySchema = z
  .strictObject({ mfa_token: mfaTokenSchema })
  .meta({ examples: [{ mfa_token: 'spf_…' }] })

const exampleAttestation = {
  id: 'pIl6Yb3Qx0uVwq2Zk8sRqA',
  rawId: 'pIl6Yb3Qx0uVwq2Zk8sRqA',
  type: 'public-key',
  response: {
    clientDataJSON: 'eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0',
    attestationObject: 'o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVg',
  },
}

export const addPasskeySchema = z
  .strictObject({
    mfa_token: mfaTokenSchema,
    credential: attestationSchema,
    name: passkeyNameSchema.optional(),
    device_token: deviceTokenMember,
  })
  .meta({ examples: [{ mfa_token: 'spf_…', credential: exampleAttestation, name: 'Work laptop' }] })

const exampleChallenge = 'AX5h2QACvZ0tZ1m4cV8yPjb3Q0nW7rKdUe5hJtYwLxI2Zk8sRqBfGhTn'

export const requestOptionsReplySchema = z.object({ options: requestOptionsSchema }).meta({
  examples: [
    {
      options: {
        challenge: exampleChallenge,
        timeout: 300_000,
        rpId: 'example.com',
        allowCredentials: [{ id: 'pIl6Yb3Qx0uVwq2Zk8sRqA', type: 'public-key', transports: ['internal'] }],
        userVerification: 'preferred',
      },
    },
  ],
})

export const creationOptionsReplySchema = z.object({ options: creationOptionsSchema }).meta({
  examples: [
    {
      options: {
        challenge: exampleChallenge,
        rp: { id: 'example.com', name: 'Sallyport' },
        user: {
          id: 'm1Zk8sRqBfGhTnpIl6Yb3Qx0uVwq2Zk8sRqBfGhTnpI',
          name: 'ada@example.com',
          displayName: 'Ada Lovelace',
        },
        pubKeyCredParams: [-8, -7, -257].map((alg) => ({ alg, type: 'public-key' })),
        timeout: 300_000,
        attestation: 'none',
        excludeCredentials: [],
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      },
    },
  ],
})

/** The token reply of a sign-in that has enrolled a first factor. */
export const enrolledReplySchema = tokenReplySchema.extend({ recovery_codes: recoveryCodesSchema }).meta({
  id: 'EnrolledReply',
  description: 'The token reply, with the recovery codes of the first factor.',
  examples: [{ ...exampleTokenReply, recovery_codes: ['7KQ2-9XHD-M3TP-W8RA-5VZE-C4N6'] }],
})
