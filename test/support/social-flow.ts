// Signing in at other providers, as browsers do it: with cookies that are sent where their SameSite lets them, on the way to
// providers that run on loopback, and back.

import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer, Call, TokenBody } from './api.js'
import type { StartOptions, Test, TestApp } from './app.js'
import { startRecovery, type Recovery } from './recovery.js'
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream-provider.js'
import type { Callback } from './upstream-walk.js'

export const RETURN_TO = 'https://app.example.com/welcome'

export interface SocialFlowApp extends Recovery {
  upstream: Upstream
  settings: Record<string, string>
  /** Another browser than all others. */
  surfer(): Surfer
}

interface Cookie {
  value: string
  sameSite: string
  line: string
}

/** A browser with its cookies. */
export interface Surfer {
  readonly cookies: Map<string, Cookie>
  /** Asks for a page of our own site; `isCrossSite` is a link, a form or a redirect from another. */
  open(path: string, call?: Call & { isCrossSite?: boolean }): Promise<Answer<TokenBody>>
  /** Begins at our start; answers the address of the provider. */
  begin(query?: Record<string, string>, provider?: string): Promise<string>
  /** Ends at our callback, to which the provider has sent it. */
  comeBack(callback: Callback, call?: Call): Promise<Answer<TokenBody>>
  /** All of it, as a person who signs in at the provider. */
  signIn(login?: string, query?: Record<string, string>): Promise<Answer<TokenBody>>
}

export interface SocialFlowOptions extends StartOptions {
  /** Further members of the entry in PROVIDERS. */
  entry?: Record<string, unknown>
  upstreamOptions?: UpstreamOptions
  /** Further providers. */
  others?: readonly Upstream[]
  upstream?: Upstream
}

/** Starts a provider, whose operator decides who has its addresses, and the application with it. */
export async function startSocialFlow(t: Test, options: SocialFlowOptions = {}): Promise<SocialFlowApp> {
  const { entry = {}, others = [], upstream = await startUpstream(t, options.upstreamOptions) } = options
  const entries = [upstream.entry({ authoritative: true, ...entry }), ...others.map((other) => other.entry())]
  const settings: Record<string, string> = {
    RETURN_TO: `${RETURN_TO},com.example.app:/signed-in`,
    ...providersOf(t, entries, upstream.clientSecret),
    ...options.settings,
  }
  const app = await startRecovery(t, { ...options, settings })
  return { ...app, upstream, settings, surfer: () => createSurfer(app, upstream) }
}

/** The settings for a file with these entries. */
export function providersOf(t: Test, entries: readonly object[], secret: string): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-providers-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true })
    return Promise.resolve()
  })
  const file = join(folder, 'providers.json')
  writeFileSync(file, JSON.stringify({ providers: entries }))
  return { PROVIDERS: file, UPSTREAM_SECRET: secret }
}

export function createSurfer({ api, config }: Pick<TestApp, 'api' | 'config'>, upstream: Upstream): Surfer {
  const cookies = new Map<string, Cookie>()
  const { origin } = new URL(config.server.publicUrl)

  const isSent = ({ sameSite }: Cookie, method: string, isCrossSite: boolean) =>
    !isCrossSite || sameSite === 'none' || (sameSite === 'lax' && method === 'GET')

  const open: Surfer['open'] = async (path, { isCrossSite = false, ...call } = {}) => {
    const { method = 'GET' } = call
    const sent = [...cookies].filter(([, cookie]) => isSent(cookie, method, isCrossSite))
    const answer = await api.call<TokenBody>(path, {
      ...call,
      cookies: Object.fromEntries(sent.map(([name, { value }]) => [name, value])),
      headers: {
        'sec-fetch-site': isCrossSite ? 'cross-site' : 'same-origin',
        ...(method !== 'GET' && { origin: isCrossSite ? upstream.origin : origin }),
        ...call.headers,
      },
    })
    for (const line of answer.setCookies) keep(line)
    return answer
  }

  function keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (/;\s*max-age=0\b/i.test(line)) cookies.delete(name)
    else cookies.set(name, { value, sameSite: (/samesite=(\w+)/i.exec(line)?.[1] ?? '').toLowerCase(), line })
  }

  const begin: Surfer['begin'] = async (query = {}, provider = upstream.id) => {
    const parameters = new URLSearchParams({ mode: 'session', return_to: RETURN_TO, ...query })
    const answer = await open(`/v1/auth/social/${provider}?${parameters.toString()}`)
    if (answer.status !== 303) throw new Error(`The start was refused: ${JSON.stringify(answer.body)}`)
    return locationOf(answer)
  }

  const comeBack: Surfer['comeBack'] = (callback, call = {}) => {
    const { pathname, search } = new URL(callback.url)
    const form = {
      method: 'POST' as const,
      text: callback.parameters.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...call.headers },
    }
    const isCrossSite = true
    return open(pathname + search, { isCrossSite, ...call, ...(callback.method === 'POST' && form) })
  }

  return {
    ...{ cookies, open, begin, comeBack },
    async signIn(login = 'ada', query = {}) {
      return comeBack(await upstream.signInAs(login, await begin(query)))
    },
  }
}

export function locationOf({ headers }: Pick<Answer, 'headers'>): string {
  return String(headers['location'] ?? '')
}

/** A verifier of PKCE, and its challenge. */
export function createVerifier(): { code_verifier: string; code_challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return {
    code_verifier: verifier,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  }
}
