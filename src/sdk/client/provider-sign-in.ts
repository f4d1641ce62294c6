import type { Client, LoginRequest } from './client.js'
import { ClientError } from './client-error.js'
import { challengeOf, verifierOf } from './code-verifier.js'
import { keepFlow, type PendingFlow } from './flow-storage.js'
import { errorOf, jsonRequest, type Answer } from './http.js'
import { internalsOf, type Internals } from './internals.js'
import { keepAnswer } from './pending-flow.js'
import { forgetAttempt, keepAttempt, readAttempt, type ProviderAttempt } from './provider-attempt.js'
import {
  cleanAddress,
  currentAddress,
  currentPage,
  openAddress,
  readReturned,
  type Returned,
} from './return-address.js'
import { cookieStep, keepSecondStep } from './second-step.js'
import type { ClientState } from './session.js'

/** A provider with which users sign in. */
export interface Provider {
  id: string
  /** For its button. */
  name: string
  /** The look of its button follows from it, such as `google`. */
  preset: string
  href: string
  /** Whether apps can sign in with its ID tokens. */
  id_tokens: boolean
}

export interface ProviderRequest extends Omit<LoginRequest, 'email' | 'password'> {
  /** Where the browser goes at the end: allowed by RETURN_TO. By default this page, without its query; apps name their own. */
  return_to?: string
  /** Opens the address, such as in the browser of the platform. By default this page goes there. */
  open?: (address: string) => unknown
}

/** Why a browser came back from a provider without a session. */
export interface ProviderRefusal {
  readonly status: 'refused'
  readonly provider: string
  /** `access_denied`: the person said no. */
  readonly error: string
}

/** An ID token that an app got from the provider by itself. */
export interface IdTokenProof {
  id_token: string
  /** What the app sent to the provider: required where the token has a nonce. */
  nonce?: string
  /** Of the provider, where the ID token does not have the address. */
  access_token?: string
  /** As the provider told the app, for providers such as Apple that tell it once and not in the token. */
  name?: string
}

export type IdTokenRequest = IdTokenProof & Omit<LoginRequest, 'email' | 'password'>

const VERIFIER_BYTES = 32

/** The providers with which users sign in, in the order of their buttons. */
export async function providers(client: Client): Promise<Provider[]> {
  const answer = await internalsOf(client).send('/v1/auth/providers', jsonRequest('GET'))
  const found = answer.ok ? answer.body?.providers : null
  if (!Array.isArray(found)) throw errorOf(answer)
  return found as Provider[]
}

/**
 * Sends the browser to a provider. It comes back to `return_to`, where `finishProviderSignIn` completes the sign-in, also
 * after a reload or a restart. Resolves to the address, which an app without `open` opens itself.
 */
export async function signInWithProvider(
  client: Client,
  provider: string,
  { open, return_to = currentPage(), ...request }: ProviderRequest = {},
): Promise<string> {
  const { baseUrl, mode, flows, createRandom } = internalsOf(client)
  const verifier = mode === 'json' ? verifierOf(createRandom(VERIFIER_BYTES)) : undefined
  await keepAttempt(flows, { provider, purpose: 'sign_in', verifier })
  const code_challenge = verifier === undefined ? undefined : challengeOf(verifier)
  const query = Object.entries({ mode, return_to, code_challenge, ...request })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
    .join('&')
  const address = `${baseUrl}/v1/auth/social/${encodeURIComponent(provider)}?${query}`
  await openAddress(address, open)
  return address
}

/** Completions under way, so that a page or app that calls twice does not present its code twice. */
const underWay = new WeakMap<Internals, Promise<ClientState | PendingFlow | ProviderRefusal | null>>()

/**
 * Completes what `signInWithProvider` has begun, when the browser comes back: call it where a page or app starts, before
 * `restore`. Apps pass the address with which they were opened; in pages it is the current one, from which the code is then
 * removed. Null if no sign-in that began here comes back. A first sign-in may have to confirm its address: then it is a
 * pending flow, as of `register`. Throws what `login` throws, such as `mfa_required`, and `social_attempt_invalid` if the user
 * has to begin again; after `unreachable`, it can be called once more.
 */
export function finishProviderSignIn(
  client: Client,
  address?: string,
): Promise<ClientState | PendingFlow | ProviderRefusal | null> {
  const inside = internalsOf(client)
  const begun = underWay.get(inside) ?? finish(inside, address).finally(() => underWay.delete(inside))
  underWay.set(inside, begun)
  return begun
}

async function finish(
  inside: Internals,
  address: string | undefined,
): Promise<ClientState | PendingFlow | ProviderRefusal | null> {
  const { mode, flows } = inside
  const attempt = await readAttempt(flows)
  const returned = readReturned(address ?? currentAddress() ?? '')
  // The page or app was opened for another reason.
  if (attempt === null || (mode === 'json' && returned.code === null && returned.error === null)) return null
  const forget = async () => {
    await forgetAttempt(flows)
    if (address === undefined) cleanAddress()
  }
  try {
    const outcome = await outcomeOf(inside, attempt, returned)
    await forget()
    return outcome
  } catch (error) {
    if (!isPassing(error)) await forget()
    throw error
  }
}

async function outcomeOf(
  inside: Internals,
  { provider, purpose, verifier }: ProviderAttempt,
  { code, error, methods, enroll }: Returned,
): Promise<ClientState | PendingFlow | ProviderRefusal | null> {
  const { mode, device, flows, session, send, refresh, signIn } = inside
  if (error === 'mfa_required') {
    const { code, ...members } = cookieStep(flows, methods, enroll)
    await keepSecondStep(flows, { code, ...members })
    throw new ClientError(error, { members })
  }
  // Its mail is under way, and its token is a cookie: what the page shows of it is asked for.
  if (error === 'confirmation_required') {
    return keepAnswer(flows, 'register', await send('/v1/auth/resend', jsonRequest('POST', { mode })))
  }
  if (error !== null) return { status: 'refused', provider, error }
  if (purpose === 'link') return null
  if (mode === 'json') {
    const body = { code, code_verifier: verifier, device_token: await device?.read() }
    return signIn('/v1/auth/social/exchange', body, { readOther: ({ body }) => keepFlow(flows, 'register', body) })
  }
  // The browser has the cookies, unless the user went back by themselves. A refresh tells the other tabs as well.
  await refresh(session.held).catch((refused: unknown) => {
    if (session.state.status === 'unknown') throw refused
  })
  return session.state
}

/** Whether the code may still be valid. */
function isPassing(error: unknown): boolean {
  const { code, status = 0 } = error instanceof ClientError ? error : { code: null }
  return code === 'unreachable' || code === 'storage_failed' || status === 429 || status >= 500
}

/**
 * Signs in with an ID token that an app got from the provider by itself, for one of its client ids. It counts once. Resolves
 * to a pending flow, as `register`, if a first sign-in has to confirm its address. Throws `id_token_invalid`,
 * `identity_link_required`, `mfa_required` and others.
 */
export async function signInWithIdToken(
  client: Client,
  provider: string,
  request: IdTokenRequest,
): Promise<ClientState | PendingFlow> {
  const { flows, asSignIn, signIn } = internalsOf(client)
  const readOther = ({ body }: Answer) => keepFlow(flows, 'register', body)
  const path = `/v1/auth/social/${encodeURIComponent(provider)}/token`
  return signIn(path, await asSignIn(request), { readOther })
}
