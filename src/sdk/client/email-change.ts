import type { Client } from './client.js'
import { ClientError } from './client-error.js'
import { forgetFlow, keepFlow, readFlow, type PendingFlow } from './flow-storage.js'
import { internalsOf } from './internals.js'

export interface EmailChangeRequest {
  email: string
  /** The language of the mail, such as `en`. By default the user's. */
  locale?: string
}

/**
 * Sends a mail to the new address of the signed-in user, who confirms it by `verifyEmail`; until then the old one stays, and
 * `me` shows the new one as `pending_email`. Throws `insufficient_user_authentication` if the last authentication is too long ago or too weak.
 */
export async function changeEmail(client: Client, request: EmailChangeRequest): Promise<PendingFlow> {
  const { flows, mode, call } = internalsOf(client)
  const former = await readFlow(flows, ['email_change'])
  const body = await call('POST', '/v1/me/email', { ...request, mode, flow_token: former?.flow_token })
  const pending = await keepFlow(flows, 'email_change', body)
  if (pending === null) throw new ClientError('unexpected_answer')
  return pending
}

/** Cancels a change that was not confirmed yet. */
export async function cancelEmailChange(client: Client): Promise<void> {
  const { flows, call } = internalsOf(client)
  await call('DELETE', '/v1/me/email')
  await forgetFlow(flows, 'email_change')
}
