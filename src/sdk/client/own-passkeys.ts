import type { Client } from './client.js'
import { ClientError } from './client-error.js'
import { ignore } from './ignore.js'
import { internalsOf } from './internals.js'
import { removeFactor, type Factor } from './own-factors.js'
import { makePasskey, signalAccepted, takesSignals, type Signals } from './passkey-ceremonies.js'
import { recoveryCodesOf } from './totp-enrolment.js'

export interface CreatedPasskey {
  passkey: Factor
  /** Those that come with a first factor, which are not returned again; null with a further one. */
  recoveryCodes: string[] | null
}

/**
 * Makes a passkey for the signed-in user, and ends the other sessions. Call it in the handler of a click. Requires an
 * authentication of the last 15 minutes, for which `onStepUp` asks. Throws `passkey_cancelled`, `passkey_exists` if the
 * authenticator has one of this user already, and `validation_failed`.
 */
export async function createPasskey(client: Client, request: { name?: string } = {}): Promise<CreatedPasskey> {
  const { call } = internalsOf(client)
  const credential = await makePasskey(await call('POST', '/v1/me/passkeys/options'))
  try {
    const body = await call('POST', '/v1/me/passkeys', { ...request, credential })
    return { passkey: body as unknown as Factor, recoveryCodes: recoveryCodesOf(body) }
  } catch (error) {
    // The authenticator has a passkey that the server does not have.
    if (error instanceof ClientError && error.code === 'validation_failed') await signalPasskeys(client).catch(ignore)
    throw error
  }
}

/** Removes a passkey, which browsers then no longer offer. Throws `last_factor` and `last_way_in`. */
export async function removePasskey(client: Client, id: string): Promise<void> {
  await removeFactor(client, id)
  await signalPasskeys(client).catch(ignore)
}

/**
 * Tells the browser which passkeys of the signed-in user count, and their name and address: after the user has changed them.
 * A sign-in with a passkey and its removal do so by themselves. Browsers without the Signal API are told nothing.
 */
export async function signalPasskeys(client: Client): Promise<void> {
  if (!takesSignals()) return
  await signalAccepted((await internalsOf(client).call('GET', '/v1/me/passkeys/signals')) as unknown as Signals)
}
