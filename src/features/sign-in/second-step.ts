import { z } from 'zod'
import type { Queries } from '../../platform/database/database.js'
import { Problem } from '../../platform/problem.js'
import type { User } from '../accounts/accounts.js'
import type { Mode } from '../../wire/mode.js'
import type { SignInContext } from '../browser/browser.js'
import type { Proof } from '../families/families.js'
import type { BegunFlow, Flows } from '../flows/flows.js'
import { externalIdentitySchema } from '../identities/identities.js'

/** A sign-in that lacks a second factor. No session exists before it is shown. */
export interface PendingSignIn {
  /** Its holder's token is the `mfa_token`. */
  flow: BegunFlow
  /** How the user can show one; empty where they have none. */
  methods: ('passkey' | 'totp' | 'recovery_code')[]
  /** Whether a first factor has to be enrolled, because MFA=required. */
  enrolls: boolean
}

const proofSchema = z.object({
  method: z.enum(['pwd', 'email', 'otp', 'rec', 'hwk', 'swk', 'fed']),
  isUserVerified: z.boolean().optional(),
  said: z.array(z.string()).optional(),
  at: z.coerce.date(),
})

/** The identity at another provider with which a user signs in. */
export const federatedSchema = z.object({
  identityId: z.string(),
  /** What is linked to the user once their session is opened; null for an identity that is theirs already. */
  links: externalIdentitySchema.nullable(),
})

export type Federated = z.output<typeof federatedSchema>

/** What the second step needs of the first. */
export const firstStepSchema = z.object({
  /** As it was when the first step passed: a password that was changed since ends the sign-in (REF-22). */
  passwordHash: z.string().nullable(),
  proofs: z.array(proofSchema),
  event: z.enum(['login_succeeded', 'user_registered']),
  enrolls: z.boolean(),
  /** Absent for other ways in than another provider. */
  federated: federatedSchema.optional(),
})

export type FirstStep = z.output<typeof firstStepSchema>

/** The user and their sign-in so far. */
export interface PassedStep extends Pick<FirstStep, 'event' | 'enrolls' | 'federated'> {
  user: User
  proofs: readonly Proof[]
  wish: { mode: Mode; remember: boolean; device_name?: string | undefined }
  context: Pick<SignInContext, 'caller'>
}

/** Keeps what was proven until a second factor is shown, for five minutes. */
export async function beginSecondStep(
  flows: Flows,
  client: Queries,
  { user, proofs, event, enrolls, federated, wish, context }: PassedStep,
): Promise<PendingSignIn> {
  const { passwordHash } = user
  const { mode, remember, device_name: deviceName = null } = wish
  const payload = { passwordHash, proofs, event, enrolls, federated }
  const { caller } = context
  const flow = await flows.beginUnmailed(client, { kind: 'mfa', user, mode, remember, deviceName, payload, caller })
  return { flow, methods: methodsOf(user), enrolls }
}

/** How a user can show a second factor. */
export function methodsOf({ factors }: Pick<User, 'factors'>): PendingSignIn['methods'] {
  return factors.length === 0 ? [] : [...factors, 'recovery_code']
}

/** The problem that tells of a sign-in that lacks a second factor. */
export function mfaRequired({ flow, methods, enrolls }: PendingSignIn): Problem {
  return new Problem('mfa_required', {
    members: {
      mfa_token: flow.token,
      expires_at: flow.expiresAt.toISOString(),
      methods,
      ...(enrolls && { enroll: ['totp', 'passkey'] }),
    },
  })
}
