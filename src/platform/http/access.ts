import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AccessTokenClaims } from '../../wire/claims.js'
import type { ProblemCode } from '../../wire/problem-codes.js'
import { documentProblems } from './problem-responses.js'

/** How sure a route has to be that an access token still holds: the token alone, the map of revocations, the database. */
export type Freshness = 'offline' | 'feed' | 'live'

/**
 * Who may call a route. Every route declares one of these; one without stops the start.
 *
 * - `public`: anyone
 * - `operator`: whoever watches the process; it tells nothing about users
 * - `refresh`: who holds a refresh token; the route judges it
 * - `credential`: anyone, but the route acts on whatever genuine credential is shown
 * - `verifier`: a service that is listed in VERIFIER_KEYS
 * - `offline`, `feed`, `live`: who holds an access token, checked to that freshness
 */
export type Access = 'public' | 'operator' | 'refresh' | 'credential' | 'verifier' | Freshness

/**
 * Verifies the request's access token to the freshness asked for, or throws the problem that refuses it. It answers at
 * once where nothing has to be waited for, as with nearly every token but its first time.
 */
export type Authenticate = (
  request: FastifyRequest,
  reply: FastifyReply,
  freshness: Freshness,
) => AccessTokenClaims | Promise<AccessTokenClaims>

/** Answers the name of the verifier whose credential a request carries, or throws `invalid_client`. */
export type RequireVerifier = (request: FastifyRequest) => string

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** The verified claims; null on routes that need no access token. Read with `claimsOf`. */
    accessClaims: AccessTokenClaims | null
    /** Which verifier asks, for its line in the log; null for anybody else. */
    verifier: string | null
  }
}

export interface Guards {
  authenticate: Authenticate
  /** The refusals of `authenticate`, for the description of the routes behind it. */
  problems?: readonly ProblemCode[]
  requireVerifier: RequireVerifier
}

/** Requires that every route mounted from now on declares its access, and guards those that are not for anyone. */
export function guardRoutes(app: FastifyInstance, { authenticate, problems = [], requireVerifier }: Guards): void {
  app.decorateRequest('accessClaims', null)
  app.decorateRequest('verifier', null)

  app.addHook('onRoute', (route) => {
    const access = route.config?.access
    if (access === undefined) throw new Error(`The route ${String(route.method)} ${route.url} declares no access.`)
    if (isFreshness(access)) documentProblems(route, ...problems)
    if (access === 'verifier') documentProblems(route, 'invalid_client')
  })

  app.addHook('onRequest', (request, reply, done) => {
    const access = request.routeOptions.config.access
    if (access === 'verifier') request.verifier = requireVerifier(request)
    if (access === undefined || !isFreshness(access)) {
      done()
      return
    }
    const admit = (claims: AccessTokenClaims) => {
      request.accessClaims = claims
      done()
    }
    const claims = authenticate(request, reply, access)
    if (claims instanceof Promise) claims.then(admit, done)
    else admit(claims)
  })
}

function isFreshness(access: Access): access is Freshness {
  return access === 'offline' || access === 'feed' || access === 'live'
}

/** The claims of a request on a route that requires an access token. */
export function claimsOf(request: FastifyRequest): AccessTokenClaims {
  if (request.accessClaims === null) throw new Error(`${request.url} reads claims but requires no access token.`)
  return request.accessClaims
}

/** The name of the verifier that asks, on a route that is for verifiers. */
export function verifierOf(request: FastifyRequest): string {
  if (request.verifier === null) throw new Error(`${request.url} reads a verifier's name but requires no verifier.`)
  return request.verifier
}
