// Signing in at the upstream providers of a test, without the routes: the providers by themselves.

import { randomBytes } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { PresetName, ProviderSettings } from '../../src/features/identities/providers/preset.js'
import type { Provider, Redeemed, RedirectChecks } from '../../src/features/identities/providers/provider.js'
import { createProviders, type CountProvider } from '../../src/features/identities/providers/providers.js'
import { Secret } from '../../src/platform/crypto/secret.js'
import { createLogger } from '../../src/platform/http/logging.js'
import { Problem } from '../../src/platform/problem.js'
import { createTestClock, type TestClock } from './clock.js'
import type { Callback } from './upstream-walk.js'

const random = () => randomBytes(32).toString('base64url')

/** New secrets of a redirect, and our callback. */
export function newChecks(changes: Partial<RedirectChecks> = {}): RedirectChecks {
  return {
    ...{ state: random(), nonce: random(), codeVerifier: random() },
    redirectUri: 'https://auth.example.com/v1/auth/social/upstream/callback',
    ...changes,
  }
}

/** What an entry of PROVIDERS comes to, with these changes. */
export function settingsOf(
  upstream: { clientId: string; clientSecret: string; issuer: string; id?: string },
  changes: Partial<ProviderSettings> = {},
): ProviderSettings {
  const { clientId, clientSecret, issuer, id = 'upstream' } = upstream
  return {
    ...{ id, issuer, clientId, clientSecret: new Secret(clientSecret) },
    ...{ preset: 'oidc' satisfies PresetName, name: null, audiences: [], authoritative: false, tenants: [] },
    ...{ responseMode: null, scopes: null, addresses: null, apple: null },
    ...changes,
  }
}

export interface Started {
  provider: Provider
  clock: TestClock
  /** The results that were counted. */
  counted: string[]
  /** Goes to the provider, does there what `person` does, and redeems the answer. */
  signIn(person: (address: URL) => Promise<Callback>, changes?: SignInChanges): Promise<Redeemed>
}

interface SignInChanges {
  /** The parameters of the callback, from those with which the browser came. */
  parameters?: (parameters: URLSearchParams) => URLSearchParams
  /** The secrets at the callback, where they are not those of the redirect. */
  checks?: Partial<RedirectChecks>
}

export interface StartProviderOptions {
  clock?: TestClock
  log?: FastifyBaseLogger
  answerWithinMs?: number
}

/** One provider, as the application has it. */
export async function startProvider(settings: ProviderSettings, options: StartProviderOptions = {}): Promise<Started> {
  const { clock = createTestClock(), log = createLogger({ level: 'silent' }), answerWithinMs } = options
  const counted: string[] = []
  const count: CountProvider = ({ result }) => counted.push(result)
  const { all } = await createProviders({
    ...{ settings: [settings], clock, log, count },
    ...(answerWithinMs !== undefined && { answerWithinMs }),
  })
  const [provider] = all
  if (provider === undefined) throw new Error('There is no provider.')
  return {
    ...{ provider, clock, counted },
    async signIn(person, { parameters = (all: URLSearchParams) => all, checks: changes = {} } = {}) {
      const checks = newChecks()
      const callback = await person(await provider.authorizationUrl(checks))
      return provider.redeem(parameters(new URLSearchParams(callback.parameters)), { ...checks, ...changes })
    },
  }
}

/** The code of the problem with which something is refused; `none` if it is not. */
export async function problemOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}
