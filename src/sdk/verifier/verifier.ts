/**
 * Owns the verification of Sallyport's access tokens in other services: signature, claims and time with the key set,
 * revocations with the feed and, if required, introspection. There are two adapters: one for `(req, res, next)`, and one
 * for Fastify, which is a separate entry because its types require Fastify. The formats of tokens and revocations belong
 * to `wire/`.
 */
import { hasScopes, type AccessTokenClaims, type MaybeBoundClaims } from '../../wire/claims.js'
import { sessionCookieNames } from '../../wire/cookies.js'
import { meetsDemand } from '../../wire/step-up.js'
import { createTokenVerification } from './access-token.js'
import { authenticate, type Authenticator } from './authentication.js'
import { systemClock } from './clock.js'
import { followFeed } from './feed.js'
import { requireActive } from './introspection.js'
import { createKeySet } from './key-set.js'
import {
  checkOptions,
  checkRequirement,
  freshnessSchema,
  type Freshness,
  type TokenRequirement,
  type VerifierOptions,
  type VerifyOptions,
} from './options.js'
import { createProofVerification } from './proof.js'
import { createKnownRevocations } from './revocations.js'
import { VerificationError } from './verification-error.js'

export type { AccessTokenClaims, ClientClaims, UserClaims } from '../../wire/claims.js'
export type { AnyEndReason, EndReason } from '../../wire/end-reason.js'
export type { Authenticated, Authenticator } from './authentication.js'
export type { ShownRequest } from './cross-site.js'
export type { VerifierClock } from './clock.js'
export { requireAccess, serveResourceMetadata, type VerifiedRequest } from './middleware.js'
export type {
  Algorithm,
  AuthenticationRequirement,
  Freshness,
  TokenRequirement,
  VerifierOptions,
  VerifyOptions,
} from './options.js'
export type { ResourceMetadata, ResourceOptions } from './resource-metadata.js'
export { renderRefusal, VerificationError, type RefusalReply } from './verification-error.js'

/** A verifier for one issuer. `authenticate` is for adapters. */
export interface Verifier extends Authenticator {
  /**
   * Verifies an access token and returns its frozen claims. Throws a VerificationError: `token_missing`, `token_invalid`,
   * `token_expired`, `token_stale`, `session_ended`, or `revocation_stale` if revocation cannot be checked; what `require`
   * throws; and a plain Error if the requested freshness requires a credential. A token that is bound to a key is refused
   * here: only a request proves it.
   */
  verify(token: string | null | undefined, options?: VerifyOptions): Promise<AccessTokenClaims>
  /**
   * Requires scopes, or a recent or strong authentication, of verified claims (RFC 9470). Throws a VerificationError:
   * `insufficient_scope`; `insufficient_user_authentication`, which tells the client what to ask its user for, or
   * `forbidden` for the token of a client, which has no user; and a TypeError for an invalid requirement. `maxAge` is as exact as the clocks: the tolerance
   * of the verifier is added to it.
   */
  require(claims: AccessTokenClaims, requirement: TokenRequirement): void
  /**
   * Resolves when the key set and, with a credential, the revocation list are loaded. Retries while Sallyport is
   * unreachable; rejects if the credential is refused.
   */
  ready(): Promise<void>
  /** Milliseconds since the revocation list was last confirmed; Infinity before that. */
  readonly ageMs: number
  /** Number of tokens accepted while the list was stale, with `onStale: 'allow'`. */
  readonly passedUnconfirmed: number
  /** Closes the feed and aborts requests in progress. */
  close(): void
}

/** Creates a verifier and starts loading the key set and the feed. Throws a TypeError for invalid options. */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = checkOptions(options)
  const { url, issuer, credential, dpopUrl, clock = systemClock, fetch = globalThis.fetch, onError = ignore } = settings
  const stopping = new AbortController()
  const reach = { url, fetch, clock, stop: stopping.signal, onError }

  const keySet = createKeySet(reach)
  const revocations = createKnownRevocations({ clock, onKeyWithdrawn: (kid) => void keySet.withdraw(kid) })
  const verifyToken = createTokenVerification({ ...settings, keySet, clock, acceptsBound: dpopUrl !== undefined })
  const verifyProof = dpopUrl === undefined ? null : createProofVerification({ ...settings, url: dpopUrl, clock })
  const following = credential === undefined ? Promise.resolve() : followFeed({ ...reach, credential, revocations })
  // Errors are reported by `ready` and by onError.
  following.catch(ignore)
  keySet.ready().catch(ignore)
  let passedUnconfirmed = 0

  function requireFresh(claims: AccessTokenClaims): void {
    const verdict = revocations.judge(claims)
    if (verdict !== 'valid') throw new VerificationError(verdict)
  }

  function requireCurrent({ maxStalenessMs = settings.maxStalenessMs, onStale = settings.onStale }: VerifyOptions) {
    if (revocations.ageMs() <= maxStalenessMs) return
    if (onStale === 'deny') throw new VerificationError('revocation_stale', { retryAfterSeconds: 1 })
    passedUnconfirmed += 1
  }

  /** Checks a token; `judgeKey` throws where the token is bound to a key that is not proven, or the other way round. */
  async function check(
    token: string | null | undefined,
    options: VerifyOptions,
    judgeKey: (token: string, claims: MaybeBoundClaims) => void | Promise<void>,
  ): Promise<AccessTokenClaims> {
    const freshness = freshnessSchema.parse(options.freshness ?? (credential === undefined ? 'offline' : 'feed'))
    if (freshness !== 'offline' && credential === undefined) throw new Error(missingCredential(freshness))
    if (token === null || token === undefined) throw new VerificationError('token_missing')
    const claims = await verifyToken(token)
    await judgeKey(token, claims)
    if (freshness !== 'offline' && credential !== undefined) {
      requireFresh(claims)
      if (freshness === 'feed') requireCurrent(options)
      else await requireActive(token, { ...reach, credential })
    }
    verifier.require(claims, options)
    return claims
  }

  const verifier: Verifier = {
    issuer,
    resourceMetadata: settings.resourceMetadata,

    verify: (token, options = {}) => check(token, options, refuseBound),

    require(claims, requirement) {
      const { acr, maxAge, scopes } = requirement
      // Most requests require none, and are not to wait for a check of options.
      if (acr === undefined && maxAge === undefined && scopes === undefined) return
      const demand = checkRequirement(requirement)
      if (scopes !== undefined && !hasScopes(claims.scope, scopes)) {
        throw new VerificationError('insufficient_scope', { scopes })
      }
      if (acr === undefined && maxAge === undefined) return
      if (claims.sid === undefined) throw new VerificationError('forbidden')
      const clocks = { now: clock.now(), toleranceSeconds: settings.clockToleranceSeconds }
      if (!meetsDemand(claims, demand, clocks)) {
        throw new VerificationError('insufficient_user_authentication', { demand })
      }
    },

    async authenticate(request, { acr, maxAge, ...options } = {}) {
      const authenticated = await authenticate(request, {
        verify: (token) => verifier.verify(token, options),
        verifyProven:
          verifyProof && ((bound) => check(bound, options, (token, claims) => verifyProof(request, token, claims))),
        session: settings.cookies
          ? { ...reach, credential, names: sessionCookieNames(issuer, settings.cookiePrefix) }
          : null,
      })
      // Not where a cookie is judged: a renewed token of the same session would lack the same.
      verifier.require(authenticated.claims, { acr, maxAge })
      return authenticated
    },

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

/** A token that is bound to a key is worth nothing without the proof of it. */
function refuseBound(_token: string, { cnf }: MaybeBoundClaims): void {
  if (cnf !== undefined) throw new VerificationError('token_invalid')
}

function ignore(): void {
  // Errors that are reported elsewhere.
}

function missingCredential(freshness: Freshness): string {
  return `The freshness "${freshness}" requires a credential: create one with sallyport verifier:create and pass it to createVerifier.`
}
