import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { z } from 'zod'
import { acrLevels, type Acr } from '../../wire/acr.js'
import type { UserClaims } from '../../wire/claims.js'
import type { ProblemCode } from '../../wire/problem-codes.js'
import { documentProblems } from './problem-responses.js'

/** How an access token is checked for revocation: not at all, against the revocation map, or in the database. */
export type Freshness = 'offline' | 'feed' | 'live'

/** What a route requires of the access token and its user. */
export interface TokenRequirement {
  token: Freshness
  /** The user has at least one of these roles: by the token and, where the token is checked `live`, by the database too. */
  roles?: readonly string[]
  /** The token has all of these scopes (RFC 6749, section 3.3). */
  scopes?: readonly string[]
  /** The user has authenticated within so many seconds; a refresh does not count. */
  maxAuthAgeSeconds?: number
  /** The authentication was at least this strong. */
  acr?: Acr
  /** The user has authenticated just now, as strongly as they can. Only where the token is checked `live`. */
  stepUp?: StepUp
  /**
   * A token whose claims are out of date is accepted too, as long as its session lives, for a route that issues a new one.
   * Only where the token is checked `live`.
   */
  acceptsStale?: boolean
}

/**
 * Asks for an authentication that is at most 15 minutes old, at the highest level that the user's factors allow. What that
 * is follows from the database: a token does not tell which factors its user has.
 */
export interface StepUp {
  /** Users of whom it is not asked: the route asks them for their password instead. */
  spares?: 'users_with_password' | 'users_with_only_a_password'
  /** A recovery code satisfies any level, so that a user who has lost the only passkey can replace it. */
  acceptsRecoveryCode?: boolean
}

const openAccess = ['public', 'probe', 'refresh', 'credential', 'client'] as const

/**
 * Who may call a route. Every route declares it; one that does not, or declares what makes no sense, stops the start.
 *
 * - `public`: anyone
 * - `probe`: whatever watches the process; it tells nothing about users
 * - `refresh`: who holds a refresh token; the route judges it
 * - `credential`: anyone, but the route acts on whatever genuine credential is shown
 * - `client`: a service that is listed in VERIFIER_KEYS, or registered as a client that may introspect
 * - a requirement: who holds an access token that meets it
 */
export type Access = (typeof openAccess)[number] | TokenRequirement

// RFC 6749, section 3.3. They stand in quotes in a challenge.
const scopeToken = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/)

const stepUpSchema = z.strictObject({
  spares: z.enum(['users_with_password', 'users_with_only_a_password']).optional(),
  acceptsRecoveryCode: z.boolean().optional(),
})

const accessSchema = z.union([
  z.enum(openAccess),
  z
    .strictObject({
      token: z.enum(['offline', 'feed', 'live']),
      roles: z.array(z.string().min(1)).min(1).optional(),
      scopes: z.array(scopeToken).min(1).optional(),
      maxAuthAgeSeconds: z.int().positive().optional(),
      acr: z.enum(acrLevels).optional(),
      stepUp: stepUpSchema.optional(),
      acceptsStale: z.boolean().optional(),
    })
    .refine(({ token, stepUp, acceptsStale }) => token === 'live' || !(stepUp || acceptsStale))
    .refine(({ maxAuthAgeSeconds, acr, stepUp }) => stepUp === undefined || !(maxAuthAgeSeconds || acr)),
])

/**
 * Holds the request's access token against a requirement, or throws the problem that refuses it. It answers at once
 * where nothing has to be waited for, as with nearly every token but its first time.
 */
export type Authenticate = (
  request: FastifyRequest,
  reply: FastifyReply,
  requirement: TokenRequirement,
) => UserClaims | Promise<UserClaims>

/** Answers the name of the verifier whose credential a request carries, or throws `invalid_client`. */
export type RequireVerifier = (request: FastifyRequest) => string | Promise<string>

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** The verified claims; null on routes that need no access token. Read with `claimsOf`. */
    accessClaims: UserClaims | null
    /** The name of the verifier that calls, for the log; null for any other caller. */
    verifier: string | null
  }
}

export interface Guards {
  authenticate: Authenticate
  /** The refusals of `authenticate`, for the description of the routes behind it. */
  problemsOf?: (requirement: TokenRequirement) => readonly ProblemCode[]
  requireVerifier: RequireVerifier
}

/** Requires that every route mounted from now on declares its access, and guards those that are not for anyone. */
export function guardRoutes(app: FastifyInstance, { authenticate, problemsOf, requireVerifier }: Guards): void {
  app.decorateRequest('accessClaims', null)
  app.decorateRequest('verifier', null)

  app.addHook('onRoute', (route) => {
    const access = requireDeclared(route)
    if (access === 'client') documentProblems(route, 'invalid_client')
    if (typeof access === 'object' && problemsOf) documentProblems(route, ...problemsOf(access))
  })

  app.addHook('onRequest', (request, reply, done) => {
    const { access } = request.routeOptions.config
    if (access === 'client') {
      const admitVerifier = (name: string) => {
        request.verifier = name
        done()
      }
      const name = requireVerifier(request)
      if (name instanceof Promise) name.then(admitVerifier, done)
      else admitVerifier(name)
      return
    }
    if (typeof access !== 'object') {
      done()
      return
    }
    const admit = (claims: UserClaims) => {
      request.accessClaims = claims
      done()
    }
    const claims = authenticate(request, reply, access)
    if (claims instanceof Promise) claims.then(admit, done)
    else admit(claims)
  })
}

/** The access that a route declares. Strict, because a misspelt requirement would not be enforced. */
function requireDeclared({ method, url, config }: RouteOptions): Access {
  const access = config?.access
  const name = `The route ${String(method)} ${url}`
  if (access === undefined) throw new Error(`${name} declares no access.`)
  const parsed = accessSchema.safeParse(access)
  if (!parsed.success) throw new Error(`${name} declares an invalid access: ${JSON.stringify(access)}.`)
  return access
}

/** The claims of a request on a route that requires an access token. */
export function claimsOf(request: FastifyRequest): UserClaims {
  if (request.accessClaims === null) throw new Error(`${request.url} reads claims but requires no access token.`)
  return request.accessClaims
}

/** The name of the verifier that asks, on a route that is for verifiers. */
export function verifierOf(request: FastifyRequest): string {
  if (request.verifier === null) throw new Error(`${request.url} reads a verifier's name but requires no verifier.`)
  return request.verifier
}
