import type { Client, LoginRequest } from './client.js'
import { ClientError } from './client-error.js'
import { complete, requireSecondStep, signInWithFactor } from './factor-sign-in.js'
import { errorOf, jsonRequest, type Answer } from './http.js'
import { ignore } from './ignore.js'
import { internalsOf } from './internals.js'
import { signalPasskeys } from './own-passkeys.js'
import {
  askForPasskey,
  cancelCeremony,
  makePasskey,
  rpIdOf,
  signalUnknown,
  supportsAutofill,
  type PasskeyCredential,
} from './passkey-ceremonies.js'
import { reauthenticate } from './reauthentication.js'
import type { ClientState } from './session.js'
import { recoveryCodesOf } from './totp-enrolment.js'

export type PasskeySignInRequest = Omit<LoginRequest, 'email' | 'password'>

/** Challenges are valid for five minutes; the rest is for the request that answers one. */
const FRESH_MS = 240_000

/**
 * Signs in with a passkey that the user chooses in a dialog of the browser. Call it in the handler of a click. Throws
 * `invalid_credentials`, and `passkey_cancelled` if the user dismisses the dialog or has no passkey.
 */
export async function signInWithPasskey(client: Client, request: PasskeySignInRequest = {}): Promise<ClientState> {
  const answer = await begin(client)
  return finish(client, request, { answer, credential: await askForPasskey(answer) })
}

/**
 * Offers passkeys in the autofill of an input with `autocomplete="username webauthn"`, and signs in with the one that the
 * user chooses. Call it when the page is loaded. Resolves to null if the browser has no such autofill, after `signal` aborts,
 * or after another ceremony has begun, such as that of `signInWithPasskey`.
 */
export async function offerPasskeys(
  client: Client,
  { signal, ...request }: PasskeySignInRequest & { signal?: AbortSignal } = {},
): Promise<ClientState | null> {
  if (!(await supportsAutofill())) return null
  signal?.addEventListener('abort', cancelCeremony, { once: true })
  try {
    while (!signal?.aborted) {
      const answer = await begin(client)
      if (signal?.aborted) break
      const credential = await awaitChoice(answer)
      if (credential !== 'expired') return credential && (await finish(client, request, { answer, credential }))
    }
    return null
  } finally {
    signal?.removeEventListener('abort', cancelCeremony)
  }
}

/**
 * The passkey that the user has chosen; null if the ceremony was ended by another one, or if the browser has no such autofill
 * after all: Chromium's headless shell says that it has.
 */
async function awaitChoice(answer: Answer['body']): Promise<PasskeyCredential | 'expired' | null> {
  const challenge = { isExpired: false }
  const timer = setTimeout(() => {
    challenge.isExpired = true
    cancelCeremony()
  }, FRESH_MS)
  try {
    return await askForPasskey(answer, { useBrowserAutofill: true })
  } catch (error) {
    if (challenge.isExpired) return 'expired'
    if (error instanceof ClientError && (error.code === 'passkey_cancelled' || isUnsupported(error.cause))) return null
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function isUnsupported(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'NotSupportedError'
}

/** Completes a sign-in by a passkey as its second factor: see `secondStep`. */
export async function signInWithPasskeyAsFactor(
  client: Client,
  request: { trust_device?: boolean } = {},
): Promise<ClientState> {
  const mfa_token = (await requireSecondStep(client)).token ?? undefined
  const credential = await askForPasskey(await post(client, '/v1/auth/mfa/options', { mfa_token }))
  return signInWithFactor(client, { ...request, credential })
}

/** Adds a passkey as the first factor, if the sign-in requires one, and completes it. Show the recovery codes. */
export async function createPasskeyAtSignIn(
  client: Client,
  request: { name?: string } = {},
): Promise<{ state: ClientState; recoveryCodes: string[] }> {
  const mfa_token = (await requireSecondStep(client)).token ?? undefined
  const credential = await makePasskey(await post(client, '/v1/auth/mfa/enroll/passkey/options', { mfa_token }))
  let recoveryCodes: string[] = []
  const state = await complete(client, '/v1/auth/mfa/enroll/passkey', { ...request, credential }, (body) => {
    recoveryCodes = recoveryCodesOf(body) ?? []
  })
  return { state, recoveryCodes }
}

/** Authenticates the signed-in user again by a passkey, such as in `onStepUp`. */
export async function reauthenticateWithPasskey(client: Client): Promise<ClientState> {
  const answer = await internalsOf(client).call('POST', '/v1/auth/reauthenticate/options')
  return reauthenticate(client, { credential: await askForPasskey(answer) })
}

const begin = (client: Client) => post(client, '/v1/auth/passkey/options')

async function post(client: Client, path: string, body?: object): Promise<Answer['body']> {
  const answer = await internalsOf(client).send(path, jsonRequest('POST', body))
  if (!answer.ok) throw errorOf(answer)
  return answer.body
}

async function finish(
  client: Client,
  request: PasskeySignInRequest,
  { answer, credential }: { answer: Answer['body']; credential: PasskeyCredential },
): Promise<ClientState> {
  const { asSignIn, signIn } = internalsOf(client)
  try {
    const state = await signIn('/v1/auth/passkey', await asSignIn({ ...request, credential }))
    signalPasskeys(client).catch(ignore)
    return state
  } catch (error) {
    // Only of these: a passkey that was refused for another reason must not be lost.
    if (error instanceof ClientError && error.members.unknown_credential === true) {
      await signalUnknown(rpIdOf(answer), credential)
    }
    throw error
  }
}
