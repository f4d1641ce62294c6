import { z } from 'zod'
import { exampleTokenReply, tokenReplySchema } from '../../wire/token-reply.js'
import { text } from '../../platform/http/text.js'
import { factorNameSchema, recoveryCodeSchema, recoveryCodesSchema, totpCodeSchema } from '../factors/factors.js'
import { assertionSchema, attestationSchema, exampleAttestation, passkeyNameSchema } from '../passkeys/passkeys.js'
import { passwordSchema } from '../passwords/passwords.js'
import { deviceTokenMember } from './schemas.js'

/**
 * In the body in all modes: it is short-lived, and opens nothing but the second step (MFA-06). After a redirect, which has no
 * body, it is in the cookie of flows.
 */
const mfaTokenSchema = text({ min: 1, max: 2000 })
  .optional()
  .meta({
    description:
      'The "mfa_token" of the first step. Without it, the cookie has it with which a browser came back from another provider.',
    examples: ['spf_…'],
  })

/** What the body of a second step shows: one factor. */
const factorMembers = {
  code: totpCodeSchema.optional(),
  recovery_code: recoveryCodeSchema.optional(),
  credential: assertionSchema.optional(),
}

interface Proofs {
  password?: unknown
  code?: unknown
  recovery_code?: unknown
  credential?: unknown
}

function hasOneProof({ password, code, recovery_code: recoveryCode, credential }: Proofs): boolean {
  return [password, code, recoveryCode, credential].filter((proof) => proof !== undefined).length === 1
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
  .refine(hasOneProof, ONE_FACTOR)
  .meta({ examples: [{ mfa_token: 'spf_…', code: '123456' }] })

export const reauthenticateSchema = z
  .strictObject({
    password: passwordSchema.optional().meta({ description: 'Of a user without a second factor.' }),
    ...factorMembers,
  })
  .refine(hasOneProof, {
    message: 'Must have one of "password", "code", "recovery_code" and "credential"',
    path: ['password'],
  })
  .meta({ examples: [{ password: 'copper lantern drifts over seven hills' }] })

export const enrollTotpSchema = z
  .strictObject({ mfa_token: mfaTokenSchema, name: factorNameSchema.optional() })
  .meta({ examples: [{ mfa_token: 'spf_…', name: 'Phone' }] })

export const confirmTotpSchema = z
  .strictObject({ mfa_token: mfaTokenSchema, code: totpCodeSchema, device_token: deviceTokenMember })
  .meta({ examples: [{ mfa_token: 'spf_…', code: '123456' }] })

export const mfaTokenBodySchema = z
  .strictObject({ mfa_token: mfaTokenSchema })
  .meta({ examples: [{ mfa_token: 'spf_…' }] })

export const addPasskeySchema = z
  .strictObject({
    mfa_token: mfaTokenSchema,
    credential: attestationSchema,
    name: passkeyNameSchema.optional(),
    device_token: deviceTokenMember,
  })
  .meta({ examples: [{ mfa_token: 'spf_…', credential: exampleAttestation, name: 'Work laptop' }] })

/** The token reply of a sign-in that has enrolled a first factor. */
export const enrolledReplySchema = tokenReplySchema.extend({ recovery_codes: recoveryCodesSchema }).meta({
  id: 'EnrolledReply',
  description: 'The token reply, with the recovery codes of the first factor.',
  examples: [{ ...exampleTokenReply, recovery_codes: ['7KQ2-9XHD-M3TP-W8RA-5VZE-C4N6'] }],
})
