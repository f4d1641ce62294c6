import type { VNode } from 'preact'
import type { Signals } from '../../features/passkeys/passkeys.js'

/** Calls of the browsers' Signal API (WebAuthn Level 3, section 5.1.10), which a script makes: their options by their names. */
export type SignalCalls = Readonly<Record<string, object>>

/** Which passkeys of the user count, and the present name; null for a user who has never had one. */
export function signalsOfUser({ rpId, userId, acceptedCredentialIds, name, displayName }: Signals): SignalCalls | null {
  if (userId === null) return null
  return {
    signalAllAcceptedCredentials: { rpId, userId, allAcceptedCredentialIds: acceptedCredentialIds },
    signalCurrentUserDetails: { rpId, userId, name, displayName },
  }
}

/** A passkey that was shown and is not registered. */
export function signalOfUnknown(rpId: string, credentialId: string): SignalCalls {
  return { signalUnknownCredential: { rpId, credentialId } }
}

/** What `passkey-signals.js` tells the browser. */
export function PasskeySignals({ calls }: { calls: SignalCalls | null }): VNode | null {
  return calls && <div hidden data-passkey-signals={JSON.stringify(calls)} />
}
