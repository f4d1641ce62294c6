import { createHash } from 'node:crypto'
import type { Mode } from '../../wire/mode.js'
import type { Clock } from '../../platform/clock.js'
import type { Database } from '../../platform/database/database.js'
import { hasOwnParameter, unlistedReturn, type ReadReturnTo } from '../../platform/http/return-url.js'
import { Problem } from '../../platform/problem.js'
import { stranger, type Audit } from '../audit/audit.js'
import type { SignInContext } from '../browser/browser.js'
import {
  createRedirectSecrets,
  type Attempts,
  type AttemptWish,
  type Provider,
  type Providers,
  type Redirect,
  type RedirectSecrets,
} from '../identities/identities.js'
import type { Limits, Policy, Requester } from '../limits/limits.js'
import type { signInEvents } from './audit-events.js'
import type { SessionWish } from './completing.js'
import type { PasswordLoginOptions } from './password-login.js'
import { towards } from './refused-return.js'
import { createAnswerLimit } from './social-answers.js'
import type { SocialExchangeBody, SocialStartQuery, SocialTokenBody } from './social-schemas.js'
import type { SocialLogin, SocialSignIn } from './social-login.js'

export interface SocialFlowOptions extends Pick<PasswordLoginOptions, 'countLogin'> {
  database: Database
  clock: Clock
  audit: Audit<typeof signInEvents>
  limits: Pick<Limits, 'guard' | 'ofNetwork'>
  providers: Providers
  attempts: Attempts
  socialLogin: SocialLogin
  readReturnTo: ReadReturnTo
  /** Where a browser goes without `return_to`; null where it has to be named. */
  defaultReturnTo: string | null
  /** PUBLIC_URL. */
  publicUrl: string
}

/** A browser that is sent to a provider, or comes back from there. */
export interface SocialBrowser {
  requester: Requester
  /** Of the cookie that the browser shows. */
  hashes: readonly Buffer[]
}

/** A browser that is about to leave. */
export interface LeavingBrowser extends SocialBrowser {
  /** Makes the browser keep the cookie, by which it is known again. */
  bind: (how: { byPost: boolean }) => Buffer
  /** What it carries, and does not show when it comes back. */
  carried: Redirect['carried']
}

/** How a session is opened for a browser that comes back; `carried` is what it carried when it left. */
export type ReturningContext = (wish: { email: string; mode: Mode }, carried: Redirect['carried']) => SignInContext

/** How a sign-in ends in the browser. */
export interface SocialEnding {
  returnTo: string
  mode: Mode
  carried: Redirect['carried']
  /**
   * A session or a mail, as the sign-in made it; for a link, null. In mode `json` it is the code that the application exchanges.
   */
  outcome: SocialSignIn | { code: string } | { denied: true } | { problem: Problem } | null
}

export interface SocialFlow {
  /**
   * Begins a sign-in, or a link, in this browser; returns the address of the provider to which it goes. Throws
   * `not_found`, `validation_failed`, `social_attempt_invalid` for a ticket, `provider_unavailable` and `rate_limited`.
   */
  start(providerId: string, query: SocialStartQuery, browser: LeavingBrowser): Promise<URL>
  /**
   * Ends what this browser has begun. Throws `social_attempt_invalid`, `provider_response_invalid`, `provider_unavailable`,
   * `rate_limited`, and what a sign-in or a link comes to, but for `mfa_required`, which is an outcome.
   */
  finish(
    providerId: string,
    parameters: URLSearchParams,
    browser: SocialBrowser,
    contextOf: ReturningContext,
  ): Promise<SocialEnding>
  /** Signs the person in whom an ID token names, which an app got by itself. Throws `id_token_invalid`. */
  signInByToken(
    providerId: string,
    body: SocialTokenBody,
    requester: Requester,
    contextOf: (user: { email: string }) => SignInContext,
  ): Promise<SocialSignIn>
  /** Signs in with the code of mode `json`. Throws `social_attempt_invalid` for all that is wrong. */
  exchange(
    body: SocialExchangeBody,
    requester: Requester,
    contextOf: (user: { email: string }) => SignInContext,
  ): Promise<SocialSignIn>
}

/** Each one is a row until it expires. */
const startPolicy: Policy = {
  name: 'social-starts',
  quota: 300,
  windowSeconds: 60 * 60,
  sliding: false,
  onSuccess: 'spend',
  concealed: false,
}

/** Tokens that claim to live longer are no ID tokens of a sign-in. */
const LONGEST_TOKEN_MS = 366 * 24 * 60 * 60 * 1000

/** Signing in at another provider: the browser's way there and back, and what native apps show. */
export function createSocialFlow(options: SocialFlowOptions): SocialFlow {
  const { database, clock, audit, limits, providers, attempts, socialLogin, countLogin } = options
  const { readReturnTo, defaultReturnTo, publicUrl } = options
  const refusal = { event: 'social_limited', actor: stranger } as const

  function requireProvider(id: string): Provider {
    const provider = providers.find(id)
    if (provider === null) throw new Problem('not_found')
    return provider
  }

  const callbackOf = ({ id }: Provider) => `${publicUrl}/v1/auth/social/${id}/callback`

  /** The way back that is asked for. It has no parameter that ours would be mistaken for. */
  function requireReturnTo({ return_to: asked = '', mode }: SocialStartQuery): string {
    const target = readReturnTo(asked)?.target ?? (mode === 'json' ? null : defaultReturnTo)
    if (target === null || hasOwnParameter(target)) throw unlistedReturn()
    return target
  }

  async function redirectOf(
    provider: Provider,
    query: SocialStartQuery,
    { hashes, carried }: LeavingBrowser,
  ): Promise<Redirect> {
    if (query.link !== undefined) {
      const ticket = await attempts.takeTicket(query.link, { provider: provider.id, browserHashes: hashes })
      if (ticket === null) throw new Problem('social_attempt_invalid')
      const { returnTo, userId, sessionId } = ticket
      const wish: AttemptWish = { mode: 'session', remember: true, deviceName: null }
      return { provider: provider.id, returnTo, wish, codeChallenge: null, link: { userId, sessionId }, carried: {} }
    }
    const { mode, remember, device_name: deviceName = null, code_challenge: codeChallenge = null } = query
    const wish = { mode, remember: remember === 'true', deviceName }
    return { provider: provider.id, returnTo: requireReturnTo(query), wish, codeChallenge, link: null, carried }
  }

  const withinLimit = createAnswerLimit(limits)

  const judged = <T>(requester: Requester, provider: string | null, work: () => Promise<T>): Promise<T> =>
    withinLimit(requester, work, (problem) => recordRefusal(problem, requester, provider))

  async function recordRefusal({ code }: Problem, { caller }: Requester, provider: string | null): Promise<void> {
    countLogin('wrong_credentials')
    const detail = { code, ...(provider !== null && { provider }) }
    await database.query((client) =>
      audit.record(client, { event: 'social_sign_in_refused', actor: stranger, caller, detail }),
    )
  }

  async function outcomeOf(
    provider: Provider,
    parameters: URLSearchParams,
    { link, wish, codeChallenge, carried, secrets }: Redirect & { secrets: RedirectSecrets },
    { requester, contextOf }: { requester: Requester; contextOf: ReturningContext },
  ): Promise<SocialEnding['outcome']> {
    const redeemed = await provider.redeem(parameters, { ...secrets, redirectUri: callbackOf(provider) })
    if ('denied' in redeemed) return { denied: true }
    const { identity } = redeemed
    if (link !== null) {
      await socialLogin.link(identity, { ...link, caller: requester.caller })
      return null
    }
    if (wish.mode === 'json') {
      if (codeChallenge === null) throw new Problem('social_attempt_invalid')
      return { code: await attempts.createCode({ identity, wish, codeChallenge }) }
    }
    try {
      return await socialLogin.signIn(identity, {
        wish: sessionWishOf(wish),
        requester,
        contextOf: ({ email }) => contextOf({ email, mode: wish.mode }, carried),
      })
    } catch (error) {
      if (error instanceof Problem && error.code === 'mfa_required') return { problem: error }
      throw error
    }
  }

  return {
    async start(providerId, query, browser) {
      const provider = requireProvider(providerId)
      const { requester } = browser
      const budgets = limits.ofNetwork(startPolicy, requester.caller)
      const url = await limits.guard(budgets, { ...requester, refusal }, async () => {
        const redirect = await redirectOf(provider, query, browser)
        const secrets = createRedirectSecrets()
        const address = await provider.authorizationUrl({ ...secrets, redirectUri: callbackOf(provider) })
        const browserHash = browser.bind({ byPost: provider.responseMode === 'form_post' })
        await attempts.begin(secrets, redirect, browserHash)
        return address
      })
      if (url === null) throw new Error('A sign-in begins with an address or with an error.')
      return url
    },

    async finish(providerId, parameters, { requester, hashes }, contextOf) {
      const provider = requireProvider(providerId)
      return judged(requester, provider.id, async () => {
        const [state = '', ...others] = parameters.getAll('state')
        const redirect = await attempts.takeState(state, { provider: provider.id, browserHashes: hashes })
        if (redirect === null || others.length > 0) throw new Problem('social_attempt_invalid')
        const { returnTo, wish, carried } = redirect
        // RETURN_TO may have changed since.
        readReturnTo(returnTo)
        const outcome = await towards(returnTo, outcomeOf(provider, parameters, redirect, { requester, contextOf }))
        return { returnTo, mode: wish.mode, carried, outcome }
      })
    },

    async signInByToken(providerId, body, requester, contextOf) {
      const provider = requireProvider(providerId)
      if (!provider.acceptsIdTokens) {
        throw new Problem('not_offered', {
          detail: `PROVIDERS has no ID tokens for "${provider.id}": it uses OAuth 2.`,
        })
      }
      const { id_token: idToken, nonce = null, access_token: accessToken = null, name = null } = body
      return judged(requester, provider.id, async () => {
        const { identity, expiresAt } = await provider.verifyIdToken({ idToken, nonce, accessToken, name })
        const isLasting = expiresAt.getTime() - clock.now().getTime() > LONGEST_TOKEN_MS
        const isFirst = !isLasting && (await attempts.spendToken(provider.id, idToken, expiresAt))
        if (!isFirst) throw new Problem('id_token_invalid')
        return socialLogin.signIn(identity, { wish: body, requester, contextOf })
      })
    },

    async exchange({ code, code_verifier: verifier }, requester, contextOf) {
      return judged(requester, null, async () => {
        const exchange = await attempts.takeCode(code)
        const isBound = exchange !== null && exchange.codeChallenge === challengeOf(verifier)
        // A provider that was removed since signs no one in.
        if (!isBound || providers.find(exchange.identity.provider) === null) throw new Problem('social_attempt_invalid')
        const { identity, wish } = exchange
        return socialLogin.signIn(identity, { wish: sessionWishOf(wish), requester, contextOf })
      })
    },
  }
}

/** S256 (RFC 7636, section 4.2). */
function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

function sessionWishOf({ mode, remember, deviceName }: AttemptWish): SessionWish {
  return { mode, remember, ...(deviceName !== null && { device_name: deviceName }) }
}
