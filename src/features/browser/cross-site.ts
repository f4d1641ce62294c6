import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { documentProblems } from '../../platform/http/problem-responses.js'
import { Problem } from '../../platform/problem.js'
import type { SessionCookies } from './credentials.js'

/** The request headers that identify the calling site, and that scripts cannot forge. */
export interface RequestProvenance {
  method: string
  origin: string | undefined
  secFetchSite: string | undefined
  csrfHeader: string | undefined
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a request that acts by a cookie, or would set or clear one, comes from a place that may do so. A script of
 * another site can send it, cookies included, but can forge neither `Origin` nor `Sec-Fetch-Site`, nor add a header.
 */
export function isSameSite(
  { method, origin, secFetchSite, csrfHeader }: RequestProvenance,
  { origins, hasCookie }: { origins: ReadonlySet<string>; hasCookie: boolean },
): boolean {
  if (safeMethods.has(method)) return true
  if (origin !== undefined) return origins.has(origin)
  if (secFetchSite !== undefined) return secFetchSite === 'same-origin' || secFetchSite === 'none'
  // No browser: without a cookie there is nothing to ride on, with one the client says that it means it.
  return !hasCookie || csrfHeader === '1'
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Lets pages of other sites call the route with the user's cookies, and says why that does no harm. Only for a route
     * that is meant to be called so, and that has a check of its own, such as the `state` of a provider's `form_post`.
     * A route that does not declare it is guarded.
     */
    crossSite?: { allowedBecause: string }
    /**
     * For a route that is asked about another request, as gateways do: the methods that this one may have. The cookie
     * rule goes by them, and takes none for safe unless all are.
     */
    originalMethods?: (request: FastifyRequest) => readonly string[]
  }
}

export interface CrossSiteGuard {
  /** Refuses a sign-in that would set cookies for another site, or whose cookies the browser would drop. */
  requireSignInAllowed(request: FastifyRequest): void
}

interface CrossSiteOptions {
  cookies: SessionCookies
  publicUrl: string
  corsOrigins: readonly string[]
}

/**
 * Refuses every request that carries a cookie of ours from a place that is not allowed, before anything else is done,
 * unless its route declares that it is meant to be called from other sites.
 */
export function guardAgainstCrossSite(
  app: FastifyInstance,
  { cookies, publicUrl, corsOrigins }: CrossSiteOptions,
): CrossSiteGuard {
  const origins = new Set([new URL(publicUrl).origin, ...corsOrigins])

  app.addHook('onRoute', (route) => {
    const isGuarded = !isAllowedByRoute(route.config)
    if (isGuarded && !safeMethods.has(String(route.method))) documentProblems(route, 'cross_site_request')
  })

  app.addHook('onRequest', (request, _reply, done) => {
    const isGuarded = !request.is404 && !isAllowedByRoute(request.routeOptions.config)
    const actsByCookie = isGuarded && cookies.areCarried(request)
    if (actsByCookie && !isSameSite(provenanceOf(request), { origins, hasCookie: true })) {
      throw new Problem('cross_site_request')
    }
    done()
  })

  return {
    requireSignInAllowed(request) {
      const provenance = provenanceOf(request)
      const hasCookie = cookies.areCarried(request)
      if (!isSameSite(provenance, { origins, hasCookie })) throw new Problem('cross_site_request')
      if (provenance.secFetchSite === 'cross-site' && !cookies.crossSite) {
        throw new Problem('validation_failed', {
          detail:
            'The browser would reject the cookies of this cross-site sign-in. Serve the page from the same site as the ' +
            'API, set COOKIE_SAMESITE=none, or sign in with mode "json".',
          errors: [{ path: '/mode', code: 'cross_site_cookies', message: 'This mode requires same-site cookies' }],
        })
      }
    },
  }
}

/** Throws for a declaration without a reason, so that a route with one stops the start. */
function isAllowedByRoute(config: RouteOptions['config']): boolean {
  if (config?.crossSite === undefined) return false
  if (!config.crossSite.allowedBecause)
    throw new Error('A route that allows cross-site requests must give its reason in allowedBecause.')
  return true
}

function provenanceOf(request: FastifyRequest): RequestProvenance {
  const { headers } = request
  return {
    method: decisiveMethod(request),
    origin: headers.origin,
    secFetchSite: singleHeader(headers['sec-fetch-site']),
    csrfHeader: singleHeader(headers['x-sallyport-csrf']),
  }
}

/** An unsafe method where there is one. */
function decisiveMethod(request: FastifyRequest): string {
  const { originalMethods } = request.routeOptions.config
  const methods = originalMethods?.(request) ?? [request.method]
  return methods.find((method) => !safeMethods.has(method)) ?? 'GET'
}

function singleHeader(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
