import type { Mode } from '../../wire/mode.js'
import type { KeyStore } from './key-store.js'

/** As much of the global `fetch` as is used. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** The time that a client goes by. */
export interface ClientClock {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after a time, or as soon as the signal aborts. */
  pause(ms: number, signal?: AbortSignal): Promise<void>
}

export interface ClientOptions {
  /** Where Sallyport is reached: its PUBLIC_URL, such as `https://auth.example.com`. */
  baseUrl: string
  /** How tokens travel: `cookie` and `session` in a browser, `json` in an app. */
  mode: Mode
  /**
   * Where the refresh token (mode `json`) and the attempt that is under way are kept. By default in memory for mode
   * `json`; in the other modes, where the refresh token is a cookie, the attempt is kept in IndexedDB.
   */
  storage?: KeyStore | undefined
  /** Origins of other services that `fetch` hands the access token to; Sallyport's own is always one of them. */
  origins?: readonly string[] | undefined
  /** Stands in for the global `fetch`. */
  fetch?: Fetch | undefined
  /** Stands in for `crypto.getRandomValues`, which some platforms lack. */
  getRandomValues?: ((bytes: Uint8Array) => Uint8Array) | undefined
  /** Stands in for the machine's clock, in tests. */
  clock?: ClientClock | undefined
}

export interface CheckedOptions extends ClientOptions {
  /** Without a slash at its end. */
  baseUrl: string
  /** Those that get the access token. */
  origins: readonly string[]
}

const modes: readonly unknown[] = ['cookie', 'json', 'session'] satisfies Mode[]

/** Throws a TypeError that says which option is wrong. */
export function checkOptions(options: ClientOptions): CheckedOptions {
  const baseUrl = options.baseUrl.replace(/\/+$/, '')
  const own = originOf(baseUrl)
  if (own === null || /[?#\s]/.test(baseUrl)) throw new TypeError('"baseUrl" must be an absolute http or https URL')
  if (!modes.includes(options.mode)) throw new TypeError('"mode" must be one of cookie, json, session')
  const others = options.origins ?? []
  for (const origin of others) {
    if (originOf(origin) !== origin)
      throw new TypeError(`"origins" must contain origins only, such as https://api.example.com, not ${origin}`)
  }
  return { ...options, baseUrl, origins: [own, ...others] }
}

/**
 * The scheme, host and port that an absolute address begins with; null for anything else. Compared as text with what
 * is allowed, so that whatever another reader makes of an odd address, it is not taken for an allowed one. `URL` would
 * normalize it, but is not whole on every platform.
 */
export function originOf(address: string): string | null {
  return /^(https?:\/\/[a-z0-9.:[\]-]+)(?:[/?#]|$)/.exec(address)?.[1] ?? null
}
