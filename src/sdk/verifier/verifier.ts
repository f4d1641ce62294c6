/**
 * Owns the verification of Sallyport's access tokens in other services: signature, claims and time from the key set,
 * what has been revoked since from the feed, and, where that is not enough, Sallyport's own word. Its two adapters
 * only translate: the one for `(req, res, next)`, and the one for Fastify, which is an entry of its own because its
 * types need Fastify. What tokens and revocations look like belongs to `wire/`.
 */
import type { AccessTokenClaims } from '../../wire/claims.js'
import { sessionCookieNames } from '../../wire/cookies.js'
import { createTokenVerification } from './access-token.js'
import { authenticate, type Authenticator } from './authentication.js'
import { systemClock } from './clock.js'
import { followFeed } from './feed.js'
import { requireActive } from './introspection.js'
import { createKeySet } from './key-set.js'
import { checkOptions, freshnessSchema, type Freshness, type VerifierOptions, type VerifyOptions } from './options.js'
import { createKnownRevocations } from './revocations.js'
import { VerificationError } from './verification-error.js'

export type { AccessTokenClaims, ClientClaims, UserClaims } from '../../wire/claims.js'
export type { AnyEndReason, EndReason } from '../../wire/end-reason.js'
export type { Authenticated, Authenticator } from './authentication.js'
export type { ShownRequest } from './cross-site.js'
export type { VerifierClock } from './clock.js'
export { requireAccess, type VerifiedRequest } from './middleware.js'
export type { Algorithm, Freshness, VerifierOptions, VerifyOptions } from './options.js'
export { renderRefusal, VerificationError, type RefusalReply } from './verification-error.js'

/** A verifier of one issuer. Its `authenticate` serves the adapters, and whoever writes another one. */
export interface Verifier extends Authenticator {
  /**
   * The frozen claims of an access token that holds. Throws a VerificationError: `token_missing`, `token_invalid`,
   * `token_expired`, `token_stale`, `session_ended`, or `revocation_stale` when nobody can tell at the moment; and a
   * plain Error when the verifier is set up wrongly for the freshness asked for.
   */
  verify(token: string | null | undefined, options?: VerifyOptions): Promise<AccessTokenClaims>
  /**
   * Resolves when the key set and, with a credential, the list of revocations are there. Goes on trying while Sallyport
   * cannot be reached; fails when the credential is refused.
   */
  ready(): Promise<void>
  /** Milliseconds since the list of revocations was last confirmed; Infinity before the first time. */
  readonly ageMs: number
  /** How many tokens have passed although the list was not current, as `onStale: 'allow'` lets them. */
  readonly passedUnconfirmed: number
  /** Ends the feed and whatever is under way. */
  close(): void
}

/** Throws a TypeError for options that are wrong. Starts to read the key set and to follow the feed at once. */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = checkOptions(options)
  const { url, issuer, credential, clock = systemClock, fetch = globalThis.fetch, onError = ignore } = settings
  const stopping = new AbortController()
  const reach = { url, fetch, clock, stop: stopping.signal, onError }

  const keySet = createKeySet(reach)
  const revocations = createKnownRevocations({ clock, onKeyWithdrawn: (kid) => void keySet.withdraw(kid) })
  const verifyToken = createTokenVerification({ ...settings, keySet, clock })
  const following = credential === undefined ? Promise.resolve() : followFeed({ ...reach, credential, revocations })
  // Whoever waits for `ready` is told; onError has been told in any case.
  following.catch(ignore)
  keySet.ready().catch(ignore)
  let passedUnconfirmed = 0

  function requireHolding(claims: AccessTokenClaims): void {
    const verdict = revocations.judge(claims)
    if (verdict !== 'valid') throw new VerificationError(verdict)
  }

  function requireCurrent({ maxStalenessMs = settings.maxStalenessMs, onStale = settings.onStale }: VerifyOptions) {
    if (revocations.ageMs() <= maxStalenessMs) return
    if (onStale === 'deny') throw new VerificationError('revocation_stale', { retryAfterSeconds: 1 })
    passedUnconfirmed += 1
  }

  const verifier: Verifier = {
    issuer,

    async verify(token, options = {}) {
      const freshness = freshnessSchema.parse(options.freshness ?? (credential === undefined ? 'offline' : 'feed'))
      if (freshness !== 'offline' && credential === undefined) throw new Error(missingCredential(freshness))
      if (token === null || token === undefined) throw new VerificationError('token_missing')
      const claims = await verifyToken(token)
      if (freshness === 'offline' || credential === undefined) return claims
      requireHolding(claims)
      if (freshness === 'feed') requireCurrent(options)
      else await requireActive(token, { ...reach, credential })
      return claims
    },

    authenticate: (request, options) =>
      authenticate(request, {
        verify: (token) => verifier.verify(token, options),
        session: settings.cookies ? { ...reach, names: sessionCookieNames(issuer) } : null,
      }),

    async ready() {
      await Promise.all([keySet.ready(), following])
    },

    get ageMs() {
      return revocations.ageMs()
    },
    get passedUnconfirmed() {
      return passedUnconfirmed
    },
    close: () => stopping.abort(),
  }
  return verifier
}

function ignore(): void {
  // For promises and errors that somebody else is told of.
}

function missingCredential(freshness: Freshness): string {
  return `The freshness "${freshness}" needs a credential: make one with sallyport verifier:create and hand it to createVerifier.`
}
