import type { Mode } from '../../wire/mode.js'
import type { KeyStore } from './key-store.js'

/** The part of the global `fetch` that is used. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** The clock of a client. */
export interface ClientClock {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after a delay, or as soon as the signal aborts. */
  pause(ms: number, signal?: AbortSignal): Promise<void>
}

/** The authentication that a service requires. */
export interface StepUpChallenge {
  /** The levels of which one is required, such as `aal2`; empty if any is. */
  readonly acrValues: readonly string[]
  /** The greatest number of seconds since the authentication; null if any age is accepted. */
  readonly maxAge: number | null
  /**
   * With what this user can provide it: `password`, `passkey`, `totp`, `recovery_code`. If it is empty, they have to sign in
   * again. Null if the service does not know: `factors` tells what the user has.
   */
  readonly methods: readonly string[] | null
}

export interface ClientOptions {
  /** The URL of Sallyport: its PUBLIC_URL, such as `https://auth.example.com`. */
  baseUrl: string
  /** How tokens are transported: `cookie` or `session` in a browser, `json` in an app. */
  mode: Mode
  /**
   * Store for the refresh token (mode `json`) and the current attempt. By default memory in mode `json`, and IndexedDB in
   * the other modes, in which the refresh token is a cookie.
   */
  storage?: KeyStore | undefined
  /** Origins of other services to which `fetch` sends the access token, besides Sallyport itself. */
  origins?: readonly string[] | undefined
  /**
   * Has the user authenticate again, by `reauthenticate` of `@sallyport/client/factors` for example, when a service responds
   * with 401 `insufficient_user_authentication` (RFC 9470). It runs once for concurrent requests, each of which is then
   * repeated once. If it rejects, they get the refusal. In it, make no request that could need a step-up: it would wait for
   * itself.
   */
  onStepUp?: ((challenge: StepUpChallenge) => Promise<unknown>) | undefined
  /** Replaces the global `fetch`. */
  fetch?: Fetch | undefined
  /** Replaces `crypto.getRandomValues`, which some platforms lack. */
  getRandomValues?: ((bytes: Uint8Array) => Uint8Array) | undefined
  /** Replaces the system clock, for tests. */
  clock?: ClientClock | undefined
}

export interface CheckedOptions extends ClientOptions {
  /** Without a trailing slash. */
  baseUrl: string
  /** All origins to which the access token may be sent. */
  origins: readonly string[]
}

const modes: readonly unknown[] = ['cookie', 'json', 'session'] satisfies Mode[]

/** Throws a TypeError that names the invalid option. */
export function checkOptions(options: ClientOptions): CheckedOptions {
  const baseUrl = options.baseUrl.replace(/\/+$/, '')
  const own = originOf(baseUrl)
  if (own === null || /[?#\s]/.test(baseUrl)) throw new TypeError('"baseUrl" must be an http(s) URL')
  if (!modes.includes(options.mode)) throw new TypeError(`"mode" must be one of ${modes.join(', ')}`)
  const others = options.origins ?? []
  for (const origin of others) {
    if (originOf(origin) !== origin) throw new TypeError(`"origins": ${origin} is not an origin`)
  }
  return { ...options, baseUrl, origins: [own, ...others] }
}

/**
 * The origin of an absolute URL; null for anything else. Origins are compared as text, so that an unusual URL that other
 * parsers read differently is never taken for an allowed one. `URL` is incomplete on some platforms.
 */
export function originOf(address: string): string | null {
  return /^(https?:\/\/[a-z0-9.:[\]-]+)(?:[/?#]|$)/.exec(address)?.[1] ?? null
}
