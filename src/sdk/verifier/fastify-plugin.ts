import type { FastifyInstance, FastifyReply } from 'fastify'
import type { AccessTokenClaims } from '../../wire/claims.js'
import type { Authenticator } from './authentication.js'
import { checkRequirement, type Freshness, type TokenRequirement } from './options.js'
import { renderRefusal, VerificationError } from './verification-error.js'

/** A route that also requires scopes, or a recent or strong authentication. */
export interface SallyportRequirement extends TokenRequirement {
  freshness: Freshness
}

/** The callers that a route accepts: anyone, or holders of an access token that is checked with this freshness. */
export type SallyportAccess = 'public' | Freshness | SallyportRequirement

export interface SallyportOptions {
  verifier: Authenticator
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The access that this route requires. */
    sallyport?: SallyportAccess
  }
  interface FastifyRequest {
    /** The claims of the verified access token; null on public routes. */
    claims: AccessTokenClaims | null
  }
}

/**
 * Guards all routes of the application: each must declare `config: { sallyport: 'public' | 'offline' | 'feed' | 'live' }`,
 * or `{ sallyport: { freshness, acr, maxAge, scopes } }`; otherwise the application does not start. Call `await app.register(sallyport, { verifier })` before adding routes:
 * earlier routes that declare nothing respond with 500. With the option `resource` of the verifier, it also serves the
 * metadata of the service (RFC 9728), and must be registered on the root.
 */
export const sallyport = Object.assign(guardRoutes, {
  // As fastify-plugin does: the guard applies to the whole application, not to an encapsulated context.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'sallyport',
})

function guardRoutes(app: FastifyInstance, { verifier }: SallyportOptions, done: (error?: Error) => void): void {
  if (verifier.resourceMetadata && app.prefix !== '') {
    // Its place is fixed (RFC 9728, section 3.1).
    done(new Error('With the option "resource", register sallyport on the root: it serves a well-known path.'))
    return
  }
  app.decorateRequest('claims', null)

  app.addHook('onRoute', (route) => {
    const access = route.config?.sallyport
    if (access === undefined) throw undeclared(`${String(route.method)} ${route.url}`)
    if (typeof access === 'object') checkRequirement(access)
  })

  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return
    const access = request.routeOptions.config.sallyport
    if (access === undefined) throw undeclared(`${request.method} ${request.routeOptions.url ?? ''}`)
    if (access === 'public') return
    try {
      const options = typeof access === 'object' ? access : { freshness: access }
      const { claims, setCookies } = await verifier.authenticate(request, options)
      request.claims = claims
      if (setCookies.length > 0) reply.header('set-cookie', setCookies).header('cache-control', 'no-store')
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      return refuse(reply, error, verifier)
    }
  })

  const { resourceMetadata } = verifier
  if (resourceMetadata) {
    const { path, headers, body } = resourceMetadata
    app.get(path, { config: { sallyport: 'public' } }, (_request, reply) => reply.headers(headers).send(body))
  }
  done()
}

function refuse(
  reply: FastifyReply,
  error: VerificationError,
  { issuer, resourceMetadata }: Authenticator,
): FastifyReply {
  const { status, headers, body } = renderRefusal(error, issuer, resourceMetadata?.url)
  return reply.code(status).headers(headers).send(body)
}

function undeclared(route: string): Error {
  return new Error(`The route ${route} declares no access: set config.sallyport to public, offline, feed or live.`)
}
