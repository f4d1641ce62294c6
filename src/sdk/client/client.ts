/**
 * Owns the client's side of a session: signing in and out, one refresh at a time among all tabs, and requests that
 * carry the access token. What the server decides about a refresh token it takes as it comes; it gives a session up
 * only when Sallyport says in so many words that it is over.
 */
import { createAccount, createCallAsUser, type Account } from './account.js'
import { createAuthorizedFetch } from './authorized-fetch.js'
import { systemClock } from './clock.js'
import { createCookieCredential, createStoredCredential, type Credential } from './credential.js'
import { followEvents } from './events.js'
import { ask } from './http.js'
import { createIndexedDbStore } from './indexed-db-store.js'
import { createMemoryStore } from './key-store.js'
import { createKnownDevice } from './known-device.js'
import { createProcessLock, createTabLock } from './lock.js'
import { checkOptions, type CheckedOptions, type ClientOptions, type Fetch } from './options.js'
import { readPlatform, type Platform } from './platform.js'
import { createRefreshing } from './refreshing.js'
import { restore } from './restoring.js'
import { createSession, type ClientState } from './session.js'
import { createSignIn } from './sign-in.js'
import { createTabs } from './tabs.js'

export type { AnyEndReason, EndReason } from '../../wire/end-reason.js'
export type { Mode } from '../../wire/mode.js'
export type { PresentedSession as SessionEntry } from '../../wire/session.js'
export type { User } from '../../wire/token-reply.js'
export type { Account } from './account.js'
export { ClientError, type ClientErrorCode, type FieldError } from './client-error.js'
export { createMemoryStore, type KeyStore } from './key-store.js'
export type { ClientClock, ClientOptions, Fetch } from './options.js'
export type { ClientState, SignedInState } from './session.js'

export interface LoginRequest {
  email: string
  password: string
  /** What the session is called in the user's list. */
  device_name?: string
  /** Whether cookies outlive the browser: true by default. */
  remember?: boolean
}

export interface RegisterRequest extends LoginRequest {
  name?: string
}

export interface Client extends Account {
  readonly state: ClientState
  /** Is told each change, other tabs' included, and each refresh. Answers how to stop. */
  onChange(listener: (state: ClientState) => void): () => void
  /**
   * Finds out who is signed in: what a page or an app calls at its start. Throws `unreachable` where nobody can tell;
   * in mode `json` the store can, and the user is not known until Sallyport is reached.
   */
  restore(): Promise<ClientState>
  /** Makes an account and signs in. Throws `email_taken`, `password_too_weak`, `validation_failed` and others. */
  register(request: RegisterRequest): Promise<ClientState>
  /** Throws `invalid_credentials`, `account_banned` and others. */
  login(request: LoginRequest): Promise<ClientState>
  /** Gets new tokens now. Nobody has to: `fetch` does it when it is time. */
  refresh(): Promise<ClientState>
  /** Ends this session. Where Sallyport cannot be reached it throws, and the session goes on. */
  logout(): Promise<void>
  /** Ends every session of the user. */
  logoutAll(): Promise<void>
  /** Deletes the user and everything of theirs. */
  deleteMe(proof: { password: string }): Promise<void>
  /**
   * As the global `fetch`, for paths of Sallyport and addresses of the `origins`: adds the access token, renews it in
   * time and once where it is refused, and repeats the request once then.
   */
  fetch: Fetch
  /**
   * Hears at once what happens to the session elsewhere, by `GET /v1/events`, until the function that it answers is
   * called. It needs a `fetch` that reads streams, which React Native's does not.
   */
  followEvents(): () => void
  /** Lets go of the other tabs and of what is followed. The session goes on. */
  close(): void
}

/** Throws a TypeError for options that are wrong. Nothing is asked of Sallyport yet. */
export function createClient(given: ClientOptions): Client {
  const options = checkOptions(given)
  const { baseUrl, mode, clock = systemClock, fetch = platformFetch } = options
  const platform = readPlatform()
  // Pages of one origin share their cookies, so they agree on them. A program that is no page may act for many users.
  const shared = mode !== 'json' && platform.location !== undefined ? platform : {}
  const name = `sallyport.${baseUrl.replace(/^https?:\/\//, '').replace(/[^\w.-]/g, '_')}`
  const locks = shared.navigator?.locks ?? null
  const lock = locks ? createTabLock(locks, name) : createProcessLock()
  const tabs = createTabs(shared, name)
  const session = createSession({ clock, tabs })
  const credential = createCredential(options, { platform, isShared: locks !== null, key: name })
  const device = mode === 'json' && options.storage ? createKnownDevice(options.storage, `${name}.device`) : undefined
  const credentials = mode === 'json' ? ('omit' as const) : ('include' as const)
  const send = (path: string, init: RequestInit, signal?: AbortSignal) =>
    ask(fetch, baseUrl + path, { ...init, credentials }, signal)

  const refresh = createRefreshing({ mode, lock, credential, session, tabs, clock, send })
  const authorizedFetch = createAuthorizedFetch({ options, fetch, session, clock, refresh })
  const call = createCallAsUser(authorizedFetch, { credentials })
  const account = createAccount(call, session.meet)
  const { signIn, signOut, forget } = createSignIn({ mode, lock, credential, device, session, send })
  const stopping = new AbortController()

  return {
    ...account,
    get state() {
      return session.state
    },
    onChange: session.onChange,
    restore: () => restore({ mode, session, credential, refresh, me: account.me }),
    register: (request) => signIn('/v1/auth/register', request),
    login: (request) => signIn('/v1/auth/login', request),
    async refresh() {
      await refresh(session.held)
      return session.state
    },
    logout: signOut,
    async logoutAll() {
      await call('POST', '/v1/auth/logout-all')
      await forget('logout_all')
    },
    async deleteMe(proof) {
      await call('DELETE', '/v1/me', proof)
      await forget('deleted')
    },
    fetch: authorizedFetch,
    followEvents() {
      const stop = new AbortController()
      const end = () => stop.abort()
      stopping.signal.addEventListener('abort', end)
      const lock = locks && { locks, name: `${name}.events` }
      void followEvents({ fetch: authorizedFetch, session, clock, refresh, lock }, stop.signal)
      return end
    },
    close() {
      stopping.abort()
      tabs.close()
    },
  }
}

// Not the global itself, which has to be called as it stands there.
const platformFetch: Fetch = (input, init) => fetch(input, init)

function createCredential(
  { mode, storage, getRandomValues }: CheckedOptions,
  { platform, isShared, key }: { platform: Platform; isShared: boolean; key: string },
): Credential {
  const { crypto, indexedDB } = platform
  const fill = getRandomValues ?? (crypto && ((bytes: Uint8Array) => crypto.getRandomValues(bytes)))
  if (fill === undefined) throw new TypeError('"getRandomValues" is no function')
  const createAttempt = () =>
    Array.from(fill(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
  if (mode === 'json') return createStoredCredential({ storage: storage ?? createMemoryStore(), key, createAttempt })
  // Without the lock, two tabs could each name an attempt of their own.
  const kept = storage ?? (isShared && indexedDB ? createIndexedDbStore(indexedDB) : null)
  return createCookieCredential({ storage: kept, key, createAttempt })
}
