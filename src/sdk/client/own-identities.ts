import type { Client } from './client.js'
import { ClientError } from './client-error.js'
import { internalsOf } from './internals.js'
import { keepAttempt } from './provider-attempt.js'
import type { IdTokenProof, ProviderRequest } from './provider-sign-in.js'
import { currentPage, openAddress } from './return-address.js'

/** An account at another provider, with which the user signs in. Times are ISO 8601, in UTC. */
export interface Identity {
  id: string
  /** The id of the provider. */
  provider: string
  provider_name: string
  /** As the provider told it last. It need not be that of the user. */
  email: string | null
  email_verified: boolean
  name: string | null
  /** The organization at the provider. */
  tenant: string | null
  /** Whether it signs in: its provider is still configured. */
  usable: boolean
  linked_at: string
  last_used_at: string | null
}

export type LinkRequest = Pick<ProviderRequest, 'return_to' | 'open'>

/** The identities of the signed-in user, the oldest first. */
export async function identities(client: Client): Promise<Identity[]> {
  const body = await internalsOf(client).call('GET', '/v1/me/identities')
  return (body as unknown as { identities: Identity[] }).identities
}

/**
 * Sends the browser of the signed-in user to a provider, to link what they are there, and back to `return_to`; there
 * `identities` has it. For pages: apps in mode `json` link with `linkIdToken`, because the browser of an app is not bound to
 * its session. Requires an authentication of the last 15 minutes, for which `onStepUp` asks.
 */
export async function linkProvider(
  client: Client,
  provider: string,
  { open, return_to = currentPage() }: LinkRequest = {},
): Promise<string> {
  const { mode, flows, call } = internalsOf(client)
  if (mode === 'json') throw new TypeError('linkProvider is for the modes cookie and session: use linkIdToken')
  const body = await call('POST', '/v1/me/identities/link', { provider, return_to })
  if (typeof body?.url !== 'string') throw new ClientError('unexpected_answer')
  await keepAttempt(flows, { provider, purpose: 'link' })
  await openAddress(body.url, open)
  return body.url
}

/**
 * Links what an ID token tells, which an app got from the provider by itself. Requires a recent authentication, too. Throws
 * `id_token_invalid`, and `identity_taken` if another user has it.
 */
export async function linkIdToken(client: Client, provider: string, proof: IdTokenProof): Promise<Identity> {
  const body = await internalsOf(client).call('POST', '/v1/me/identities/link', { provider, ...proof })
  return body as unknown as Identity
}

/**
 * Unlinks an identity, which ends the sessions that it opened. Requires a recent authentication, too. Throws `last_way_in` if
 * the user could not sign in any more.
 */
export async function unlinkIdentity(client: Client, id: string): Promise<void> {
  await internalsOf(client).call('DELETE', `/v1/me/identities/${encodeURIComponent(id)}`)
}
