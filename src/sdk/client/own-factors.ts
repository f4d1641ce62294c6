import type { Client } from './client.js'
import { ClientError } from './client-error.js'
import { internalsOf } from './internals.js'
import { enrolmentOf, recoveryCodesOf, type TotpEnrolment } from './totp-enrolment.js'

/** A second factor of the user. */
export interface Factor {
  id: string
  type: 'totp' | 'passkey'
  name: string
  /** ISO 8601, in UTC. */
  created_at: string
  last_used_at: string | null
  /** Of a passkey: whether it is copied to other devices of its user. */
  backed_up?: boolean
  /** Of a passkey: whether it verifies its user, by a PIN for example. */
  user_verifying?: boolean
}

export interface Factors {
  /** Whether the server asks for second factors. */
  mfa: 'off' | 'optional' | 'required'
  factors: Factor[]
  recovery_codes_left: number
}

/** The second factors of the signed-in user. */
export async function factors(client: Client): Promise<Factors> {
  return (await internalsOf(client).call('GET', '/v1/me/factors')) as unknown as Factors
}

/**
 * Begins to add an authenticator app: show the QR code, and confirm a first code within ten minutes. Requires an
 * authentication of the last 15 minutes, for which `onStepUp` asks.
 */
export async function addTotp(client: Client, request: { name?: string } = {}): Promise<TotpEnrolment> {
  const enrolment = enrolmentOf(await internalsOf(client).call('POST', '/v1/me/factors/totp', request))
  if (enrolment === null) throw new ClientError('unexpected_answer')
  return enrolment
}

/**
 * Confirms an authenticator app by a first code, and ends the other sessions. Resolves to the recovery codes that come with
 * a first factor, which are not returned again; null with a further one. Throws `invalid_credentials` for a wrong code.
 */
export async function confirmTotp(client: Client, id: string, proof: { code: string }): Promise<string[] | null> {
  return recoveryCodesOf(await internalsOf(client).call('POST', `${pathOf('totp')}/${encode(id)}/confirm`, proof))
}

export async function renameFactor(client: Client, id: string, name: string): Promise<Factor> {
  return (await internalsOf(client).call('PATCH', pathOf(id), { name })) as unknown as Factor
}

/** Removes a second factor. Throws `last_factor` if one is required, and `last_way_in` for the only way to sign in. */
export async function removeFactor(client: Client, id: string): Promise<void> {
  await internalsOf(client).call('DELETE', pathOf(id))
}

/** Makes new recovery codes, after which the old ones are invalid. They are not returned again. */
export async function newRecoveryCodes(client: Client): Promise<string[]> {
  const codes = recoveryCodesOf(await internalsOf(client).call('POST', '/v1/me/recovery-codes'))
  if (codes === null) throw new ClientError('unexpected_answer')
  return codes
}

const encode = encodeURIComponent
const pathOf = (id: string) => `/v1/me/factors/${encode(id)}`
