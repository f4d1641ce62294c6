import {
  browserSupportsWebAuthn,
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
} from '@simplewebauthn/browser'
import { ClientError } from './client-error.js'
import { ignore } from './ignore.js'
import type { Answer } from './http.js'

/** What a ceremony ends in, for the server. */
export interface PasskeyCredential {
  id: string
}

/** The Signal API of browsers (WebAuthn Level 3, section 5.1.10), which not every one has. */
interface SignalApi {
  signalUnknownCredential?(options: { rpId: string; credentialId: string }): Promise<void>
  signalAllAcceptedCredentials?(options: {
    rpId: string
    userId: string
    allAcceptedCredentialIds: string[]
  }): Promise<void>
  signalCurrentUserDetails?(options: { rpId: string; userId: string; name: string; displayName: string }): Promise<void>
}

type RequestOptions = Parameters<typeof startAuthentication>[0]['optionsJSON']
type CreationOptions = Parameters<typeof startRegistration>[0]['optionsJSON']

/** Whether passkeys can be made and used here. */
export function supportsPasskeys(): boolean {
  return browserSupportsWebAuthn()
}

/** Whether the browser offers passkeys in the autofill of an input. */
export function supportsAutofill(): Promise<boolean> {
  return browserSupportsWebAuthnAutofill()
}

/** Asks the browser for a passkey. Throws `passkey_cancelled`, `passkey_unsupported` and `passkey_failed`. */
export function askForPasskey(
  answer: Answer['body'],
  { useBrowserAutofill = false }: { useBrowserAutofill?: boolean } = {},
): Promise<PasskeyCredential> {
  const optionsJSON = optionsOf(answer) as RequestOptions
  // An input with autocomplete="webauthn" may be in a shadow tree, where the library does not look.
  return perform(() => startAuthentication({ optionsJSON, useBrowserAutofill, verifyBrowserAutofillInput: false }))
}

/** Asks the browser to make a passkey. Throws `passkey_exists` too. */
export function makePasskey(answer: Answer['body']): Promise<PasskeyCredential> {
  const optionsJSON = optionsOf(answer) as unknown as CreationOptions
  return perform(() => startRegistration({ optionsJSON }))
}

/** Ends the ceremony in progress, whose promise rejects. */
export function cancelCeremony(): void {
  WebAuthnAbortService.cancelCeremony()
}

export function rpIdOf(answer: Answer['body']): string {
  return (optionsOf(answer) as RequestOptions).rpId ?? ''
}

/** Tells the browser of a passkey that the server does not know, so that it is not offered again. */
export async function signalUnknown(rpId: string, { id: credentialId }: PasskeyCredential): Promise<void> {
  await signalApi()?.signalUnknownCredential?.({ rpId, credentialId }).catch(ignore)
}

/** Whether the browser can be told which passkeys count. */
export function takesSignals(): boolean {
  return signalApi()?.signalAllAcceptedCredentials !== undefined
}

/** Tells the browser which passkeys count, and the present name of the user. */
export async function signalAccepted(signals: Signals): Promise<void> {
  const { rp_id: rpId, user_id: userId, name, display_name: displayName } = signals
  if (userId === null) return
  const allAcceptedCredentialIds = signals.accepted_credential_ids
  const api = signalApi()
  await api?.signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds }).catch(ignore)
  await api?.signalCurrentUserDetails?.({ rpId, userId, name, displayName }).catch(ignore)
}

/** The response of /v1/me/passkeys/signals. */
export interface Signals {
  rp_id: string
  /** Null for a user who has never had a passkey. */
  user_id: string | null
  accepted_credential_ids: string[]
  name: string
  display_name: string
}

function signalApi(): SignalApi | undefined {
  return (globalThis as { PublicKeyCredential?: SignalApi }).PublicKeyCredential
}

function optionsOf(answer: Answer['body']): object {
  const options = answer?.options
  if (typeof options !== 'object' || options === null) throw new ClientError('unexpected_answer')
  return options
}

async function perform<T>(ceremony: () => Promise<T>): Promise<T> {
  if (!supportsPasskeys()) throw new ClientError('passkey_unsupported')
  try {
    return await ceremony()
  } catch (error) {
    throw new ClientError(codeOf(error), { cause: error })
  }
}

/** Browsers tell a page neither that the user has dismissed the dialog nor that there is no passkey, but one for both. */
function codeOf(error: unknown): 'passkey_cancelled' | 'passkey_exists' | 'passkey_failed' {
  const { name } = error as { name?: unknown }
  if (name === 'NotAllowedError' || name === 'AbortError') return 'passkey_cancelled'
  return name === 'InvalidStateError' ? 'passkey_exists' : 'passkey_failed'
}
