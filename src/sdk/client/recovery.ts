import type { Client } from './client.js'
import { errorOf, isDone, jsonRequest } from './http.js'
import type { PendingFlow } from './flow-storage.js'
import { internalsOf } from './internals.js'
import { begin, end, keepAnswer, type MailProof } from './pending-flow.js'

export interface ForgottenPassword {
  email: string
  /** The language of the mail, such as `en`. By default the browser's. */
  locale?: string
}

/** What the mail of a notice contains. */
export interface NoticeProof {
  /** The token of its link. */
  token: string
  /** The four digits, which the user types: programs that open every link do not. */
  confirm: string
}

/** Sends a mail with a link and a code that set a new password. The response is the same for unknown addresses. */
export async function forgotPassword(client: Client, request: ForgottenPassword): Promise<PendingFlow> {
  // On a known device, others cannot use up the limit on mails.
  const device_token = await internalsOf(client).device?.read()
  return begin(client, 'reset_password', '/v1/auth/forgot-password', { ...request, device_token })
}

/**
 * Sets a new password and ends all sessions of the user; it does not sign in. Throws `flow_invalid`, and
 * `password_too_weak`, after which the same link or code can be used again.
 */
export async function resetPassword(client: Client, request: MailProof & { new_password: string }): Promise<void> {
  const { send } = internalsOf(client)
  await end(client, ['reset_password'], request, async (body) => {
    const answer = await send('/v1/auth/reset-password', jsonRequest('POST', body))
    if (!isDone(answer)) throw errorOf(answer)
  })
}

/**
 * Restores the address that was changed without the user, ends all sessions, and sends a mail to set a new password to the
 * restored address.
 */
export async function undoEmailChange(client: Client, proof: NoticeProof): Promise<PendingFlow> {
  const { flows, mode, send } = internalsOf(client)
  const answer = await send('/v1/auth/undo-email-change', jsonRequest('POST', { ...proof, mode }))
  return keepAnswer(flows, 'reset_password', answer)
}

/**
 * Ends the session of which a notice told, and sends a mail to set a new password. Resolves to null for a registration that
 * was not the user's, which is dropped.
 */
export async function notMe(client: Client, proof: NoticeProof): Promise<PendingFlow | null> {
  const { flows, mode, send } = internalsOf(client)
  const answer = await send('/v1/auth/not-me', jsonRequest('POST', { ...proof, mode }))
  return answer.status === 204 ? null : keepAnswer(flows, 'reset_password', answer)
}
