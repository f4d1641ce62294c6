import type { Client } from './client.js'
import { ClientError } from './client-error.js'
import { errorOf, jsonRequest, type Answer } from './http.js'
import { internalsOf } from './internals.js'
import type { FactorProof } from './reauthentication.js'
import { keepSecondStep, readSecondStep, type SecondStep } from './second-step.js'
import type { ClientState } from './session.js'
import { enrolmentOf, recoveryCodesOf, type TotpEnrolment } from './totp-enrolment.js'

/**
 * The sign-in that waits for a second factor here, also after a reload or a restart: after `mfa_required`, thrown by any
 * call that signs in. Null if there is none.
 */
export function secondStep(client: Client): Promise<SecondStep | null> {
  return readSecondStep(internalsOf(client).flows)
}

/** Gives up the sign-in that waits for a second factor. */
export function forgetSecondStep(client: Client): Promise<void> {
  return keepSecondStep(internalsOf(client).flows, null)
}

/**
 * Completes the sign-in by a second factor. Throws `flow_invalid` with a `reason`: after `wrong_code` another attempt is
 * possible, `members.attempts_left` of them; otherwise the user signs in again.
 */
export async function signInWithFactor(
  client: Client,
  proof: FactorProof & {
    /** Whether later sign-ins on this device need no second factor, if the server allows it. */
    trust_device?: boolean
  },
): Promise<ClientState> {
  return complete(client, '/v1/auth/mfa', proof)
}

/** Begins to add an authenticator app as the first factor, if the sign-in requires one: `enroll` of its second step. */
export async function enrollTotpAtSignIn(client: Client, request: { name?: string } = {}): Promise<TotpEnrolment> {
  const { flows, send } = internalsOf(client)
  const mfa_token = (await requireSecondStep(client)).token ?? undefined
  const answer = await send('/v1/auth/mfa/enroll/totp', jsonRequest('POST', { ...request, mfa_token }))
  const enrolment = answer.ok ? enrolmentOf(answer.body) : null
  if (enrolment !== null) return enrolment
  const error = errorOf(answer)
  if (isOver(error)) await keepSecondStep(flows, null)
  throw error
}

/** Completes that sign-in by a first code of the app. Show the recovery codes: they are not returned again. */
export async function confirmTotpAtSignIn(
  client: Client,
  proof: { code: string },
): Promise<{ state: ClientState; recoveryCodes: string[] }> {
  let recoveryCodes: string[] = []
  const state = await complete(client, '/v1/auth/mfa/enroll/totp/confirm', proof, (body) => {
    recoveryCodes = recoveryCodesOf(body) ?? []
  })
  return { state, recoveryCodes }
}

/** Completes the sign-in that waits for a second factor, which is over unless only the factor was wrong. */
export async function complete(
  client: Client,
  path: string,
  proof: object,
  onReply?: (body: Answer['body']) => void,
): Promise<ClientState> {
  const { flows, device, signIn } = internalsOf(client)
  const mfa_token = (await requireSecondStep(client)).token ?? undefined
  try {
    const body = { ...proof, mfa_token, device_token: await device?.read() }
    return await signIn(path, body, onReply ? { onReply } : {})
  } catch (error) {
    if (isOver(error)) await keepSecondStep(flows, null)
    throw error
  }
}

/** Throws `flow_invalid` if no sign-in waits for a second factor. */
export async function requireSecondStep(client: Client): Promise<SecondStep> {
  const step = await secondStep(client)
  if (step === null) throw new ClientError('flow_invalid', { reason: 'expired' })
  return step
}

function isOver(error: unknown): boolean {
  return error instanceof ClientError && error.code === 'flow_invalid' && error.reason !== 'wrong_code'
}
