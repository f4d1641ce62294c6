import { ClientError } from './client-error.js'
import { readAnswer } from './http.js'
import { originOf, type CheckedOptions, type ClientClock, type Fetch } from './options.js'
import type { Held } from './held.js'
import type { Session } from './session.js'
import { readChallenge, type WithStepUp } from './step-up.js'

/** Tokens are refreshed this long before they expire, so that they do not expire in transit. */
const MARGIN_MS = 10_000

export interface FindingOptions {
  options: Pick<CheckedOptions, 'baseUrl' | 'mode' | 'origins'>
  session: Session
  clock: ClientClock
  refresh: (stale: Held | null) => Promise<Held>
}

/** The tokens to send; null if the browser sends them as cookies, or if no user is signed in. */
export type FindTokens = () => Promise<Held | null>

/** Creates the function that finds tokens that are still valid when they arrive, and refreshes them if necessary. */
export function createFindTokens({ options: { mode }, session, clock, refresh }: FindingOptions): FindTokens {
  return async () => {
    const { held, state } = session
    if (mode === 'session' || state.status === 'signed_out') return held
    if (held !== null && held.expiresAtMs - MARGIN_MS > clock.now()) return held
    try {
      return await refresh(held)
    } catch (error) {
      if (held !== null && held.expiresAtMs > clock.now() && session.held === held) return held
      // Not signed in: the service decides, because not every URL requires a token.
      if (error instanceof ClientError && error.code === 'refresh_token_missing') return null
      throw error
    }
  }
}

export interface AuthorizedFetchOptions extends FindingOptions {
  fetch: Fetch
  findTokens: FindTokens
}

/**
 * Creates a `fetch` that sends the access token. It refreshes the token before it expires, and when a service refuses it,
 * and then retries the request once. It returns the response of the service, and throws a ClientError if the session has
 * ended or the refresh fails; network errors are thrown as by `fetch` itself.
 */
export function createAuthorizedFetch({
  options,
  fetch,
  session,
  refresh,
  findTokens,
}: Omit<AuthorizedFetchOptions, 'clock'>): Fetch {
  const { baseUrl, mode, origins } = options

  function send(input: string | Request, init: RequestInit, tokens: Held | null): Promise<Response> {
    const headers = new Headers(init.headers ?? (typeof input === 'string' ? undefined : input.headers))
    if (tokens?.accessToken && !headers.has('authorization'))
      headers.set('authorization', `Bearer ${tokens.accessToken}`)
    // A request is used up by sending it.
    const first = typeof input === 'string' ? input : input.clone()
    return fetch(first, { ...(mode === 'session' ? { credentials: 'include' } : {}), ...init, headers })
  }

  return async (input, init = {}) => {
    const target = requireAllowed(input, baseUrl, origins)
    const tokens = await findTokens()
    const response = await send(target, init, tokens)
    if (!(await asksForRefresh(response))) return response
    if (tokens === null && mode !== 'session') return response
    const renewed = await refresh(mode === 'session' ? session.held : tokens)
    const isSameSession = tokens === null || tokens.session.id === renewed.session.id
    // A request for one session must not be sent with another; and a stream cannot be sent twice.
    if (!isSameSession || isStream(init.body)) return response
    await response.body?.cancel()
    return send(target, init, renewed)
  }
}

/** A `fetch` that has the user authenticate again where a service asks for it. */
export function createSteppingFetch(authorizedFetch: Fetch, withStepUp: WithStepUp): Fetch {
  return (input, init) =>
    withStepUp(
      () => authorizedFetch(input, init),
      async (response) => {
        // A stream cannot be sent twice.
        if (response.status !== 401 || isStream(init?.body)) return null
        const { body } = await readAnswer(response.clone())
        return readChallenge(body, response.headers.get('www-authenticate'))
      },
    )
}

/** The URL, if the token may be sent there. Throws a TypeError otherwise. */
function requireAllowed(input: string | URL | Request, baseUrl: string, origins: readonly string[]): string | Request {
  const address = typeof input === 'string' ? input : 'href' in input ? input.href : input.url
  if (/^\/(?![/\\])/.test(address)) return baseUrl + address
  const origin = originOf(address)
  if (origin === null || !origins.includes(origin)) {
    throw new TypeError(`${address} is on none of the "origins"`)
  }
  return typeof input === 'object' && 'url' in input ? input : address
}

const renewable: readonly unknown[] = ['token_expired', 'token_stale', 'token_invalid', 'session_ended']

/**
 * Whether a service refuses the token (RFC 6750, section 3.1). If it reports an ended session, a refresh is tried too,
 * because Sallyport knows the reason.
 */
async function asksForRefresh(response: Response): Promise<boolean> {
  if (response.status !== 401) return false
  const { body } = await readAnswer(response.clone())
  if (typeof body?.code === 'string') return renewable.includes(body.code)
  return /\berror="?invalid_token\b/.test(response.headers.get('www-authenticate') ?? '')
}

function isStream(body: RequestInit['body']): boolean {
  return typeof body === 'object' && body !== null && 'getReader' in body
}
