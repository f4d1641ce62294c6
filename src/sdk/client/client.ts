/**
 * Owns the client's side of a session: signing in and out, one refresh at a time across all tabs, and requests with the
 * access token. It signs the user out only when Sallyport reports that the session has ended.
 */
import { createAccount, createCallAsUser, type Account } from './account.js'
import { createAuthorizedFetch, createFindTokens, createSteppingFetch } from './authorized-fetch.js'
import { systemClock } from './clock.js'
import { createCookieCredential, createStoredCredential, type Credential } from './credential.js'
import { followEvents } from './events.js'
import { keepFlow, type FlowStorage, type PendingFlow } from './flow-storage.js'
import { ask } from './http.js'
import { createIndexedDbStore } from './indexed-db-store.js'
import { internals, type Internals } from './internals.js'
import { createMemoryStore } from './key-store.js'
import { createKnownDevice } from './known-device.js'
import { createProcessLock, createTabLock } from './lock.js'
import { checkOptions, type CheckedOptions, type ClientOptions, type Fetch } from './options.js'
import { createPasswordChange, type PasswordChange } from './password-change.js'
import { readPlatform, type Platform } from './platform.js'
import { findRandom, type CreateRandom } from './random.js'
import { createRefreshing } from './refreshing.js'
import { restore } from './restoring.js'
import { createSession, type ClientState } from './session.js'
import { createSignIn } from './sign-in.js'
import { createStepUp } from './step-up.js'
import { createTabs } from './tabs.js'

export type { AnyEndReason, EndReason } from '../../wire/end-reason.js'
export type { Mode } from '../../wire/mode.js'
export type { PresentedApp as AppEntry } from '../../wire/app.js'
export type { PresentedSession as SessionEntry } from '../../wire/session.js'
export type { User } from '../../wire/token-reply.js'
export type { Account, Me } from './account.js'
export { ClientError, type ClientErrorCode, type FieldError } from './client-error.js'
export type { FlowKind, PendingFlow } from './flow-storage.js'
export { createMemoryStore, type KeyStore } from './key-store.js'
export type { ClientClock, ClientOptions, Fetch, StepUpChallenge } from './options.js'
export type { ClientState, SignedInState } from './session.js'

export interface LoginRequest {
  email: string
  password: string
  /** The name of the session in the user's list. */
  device_name?: string
  /** Whether cookies persist after the browser is closed: true by default. */
  remember?: boolean
}

export interface RegisterRequest extends LoginRequest {
  name?: string
  /** The language of mails, such as `en`. By default the browser's. */
  locale?: string
}

export interface Client extends Account, PasswordChange {
  readonly state: ClientState
  /** Calls the listener on each change, including those of other tabs, and each refresh. Returns an unsubscribe function. */
  onChange(listener: (state: ClientState) => void): () => void
  /**
   * Restores the session; call it when the page or app starts. Throws `unreachable` if the state cannot be determined.
   * In mode `json` the store determines it, and the user stays unknown until Sallyport is reachable.
   */
  restore(): Promise<ClientState>
  /**
   * Registers and signs in or, with `EMAIL_VERIFICATION=required`, sends a mail with the code and the link that do: the
   * status is `check_mail` then, and `@sallyport/client/mail` has the next step. Throws `email_taken`,
   * `password_too_weak`, `validation_failed` and others.
   */
  register(request: RegisterRequest): Promise<ClientState | PendingFlow>
  /**
   * Signs in. Throws `invalid_credentials`, `account_banned` and others; `mfa_required` if a second factor is needed, with
   * which `@sallyport/client/factors` goes on.
   */
  login(request: LoginRequest): Promise<ClientState>
  /** Refreshes the tokens now. Not required: `fetch` does it in time. */
  refresh(): Promise<ClientState>
  /** Ends this session. Throws if Sallyport is unreachable; the session then stays active. */
  logout(): Promise<void>
  /** Ends all sessions of the user. */
  logoutAll(): Promise<void>
  /** Deletes the user and all their data. */
  deleteMe(proof: { password: string }): Promise<void>
  /**
   * Like the global `fetch`, for paths of Sallyport and URLs of the `origins`: adds the access token, refreshes it in
   * time and when it is refused, and then retries the request once. With `onStepUp`, also where a service asks for a more
   * recent or stronger authentication.
   */
  fetch: Fetch
  /**
   * Listens to `GET /v1/events`, so that changes to the session elsewhere are noticed immediately. Returns a function that
   * stops it. Requires a `fetch` that supports streams, which React Native's does not.
   */
  followEvents(): () => void
  /** Stops listening to other tabs and events. The session stays active. */
  close(): void
}

/** Creates a client without sending a request. Throws a TypeError for invalid options. */
export function createClient(given: ClientOptions): Client {
  const options = checkOptions(given)
  const { baseUrl, mode, clock = systemClock, fetch = platformFetch } = options
  const platform = readPlatform()
  // Pages of one origin share cookies and coordinate. A program outside a browser may act for many users.
  const shared = mode !== 'json' && platform.location !== undefined ? platform : {}
  const name = `sallyport.${baseUrl.replace(/^https?:\/\//, '').replace(/[^\w.-]/g, '_')}`
  const locks = shared.navigator?.locks ?? null
  const lock = locks ? createTabLock(locks, name) : createProcessLock()
  const tabs = createTabs(shared, name)
  const session = createSession({ clock, tabs })
  const createRandom = findRandom(options, platform)
  const credential = createCredential(options, { platform, createRandom, isShared: locks !== null, key: name })
  const device = mode === 'json' && options.storage ? createKnownDevice(options.storage, `${name}.device`) : undefined
  const credentials = mode === 'json' ? ('omit' as const) : ('include' as const)
  const send = (path: string, init: RequestInit, signal?: AbortSignal) =>
    ask(fetch, baseUrl + path, { ...init, credentials }, signal)

  const refresh = createRefreshing({ mode, lock, credential, session, tabs, clock, send })
  const findTokens = createFindTokens({ options, session, clock, refresh })
  const authorizedFetch = createAuthorizedFetch({ options, fetch, session, refresh, findTokens })
  const withStepUp = createStepUp({ onStepUp: options.onStepUp, session })
  const call = createCallAsUser(authorizedFetch, { credentials, withStepUp })
  const account = createAccount(call, session.meet)
  const passwordChange = createPasswordChange({ mode, credential, session, call })
  const flows: FlowStorage = {
    storage: options.storage ?? (shared.indexedDB ? createIndexedDbStore(shared.indexedDB) : createMemoryStore()),
    ...{ key: `${name}.flow`, mode, clock },
  }
  const { asSignIn, signIn, signOut, forget } = createSignIn({ mode, lock, credential, device, flows, session, send })
  const inside: Internals = {
    baseUrl,
    mode,
    lock,
    session,
    device,
    flows,
    send,
    call,
    findTokens,
    refresh,
    createRandom,
    asSignIn,
    signIn,
  }
  const stopping = new AbortController()

  const client: Client = {
    ...account,
    ...passwordChange,
    get state() {
      return session.state
    },
    onChange: session.onChange,
    restore: () => restore({ mode, session, credential, refresh, me: account.me }),
    register: async (request) =>
      signIn('/v1/auth/register', await asSignIn(request), {
        readOther: ({ body }) => keepFlow(flows, 'register', body),
      }),
    login: async (request) => signIn('/v1/auth/login', await asSignIn(request)),
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
    fetch: createSteppingFetch(authorizedFetch, withStepUp),
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
  return Object.assign(client, { [internals]: inside })
}

// The global fetch must be called as a global, not as a method of options.
const platformFetch: Fetch = (input, init) => fetch(input, init)

function createCredential(
  { mode, storage }: CheckedOptions,
  { platform, createRandom, isShared, key }: CredentialContext,
): Credential {
  const createAttempt = () => Array.from(createRandom(16), (byte) => byte.toString(16).padStart(2, '0')).join('')
  if (mode === 'json') return createStoredCredential({ storage: storage ?? createMemoryStore(), key, createAttempt })
  const { indexedDB } = platform
  // Without the lock, two tabs could each start an attempt of their own.
  const kept = storage ?? (isShared && indexedDB ? createIndexedDbStore(indexedDB) : null)
  return createCookieCredential({ storage: kept, key, createAttempt })
}

interface CredentialContext {
  platform: Platform
  createRandom: CreateRandom
  isShared: boolean
  key: string
}
