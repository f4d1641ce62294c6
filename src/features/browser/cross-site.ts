import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { isBearer } from '../../wire/access-token.js'
import type { Access } from '../../platform/http/access.js'
import { documentProblems } from '../../platform/http/problem-responses.js'
import { Problem } from '../../platform/problem.js'
import type { SessionCookies } from './credentials.js'
import type { FlowCookie } from './flow-cookie.js'

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
  // The browser compares the page with the address that it calls, which a development proxy between them hides from us.
  if (secFetchSite === 'same-origin' || secFetchSite === 'none') return true
  if (origin !== undefined) return origins.has(origin)
  if (secFetchSite !== undefined) return false
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
  interface FastifyRequest {
    /**
     * Why the session's cookies do not count; null where they do. A route that takes a credential from the body as well
     * throws it where none is shown there.
     */
    cookieRefusal: Problem | null
  }
}

export interface CrossSiteGuard {
  /** Refuses what would set cookies for another site, or whose cookies the browser would drop: a sign-in, or a flow. */
  requireSignInAllowed: (request: FastifyRequest) => void
}

interface CrossSiteOptions {
  cookies: SessionCookies
  flowCookie: FlowCookie
  publicUrl: string
  corsOrigins: readonly string[]
}

/**
 * Makes the cookies of cross-site requests not count, unless the route declares that it is meant to be called from other
 * sites: they are not read, set or cleared. Such a request is refused if the route requires a credential and it shows no
 * other. A client with a cookie jar that is not a browser is therefore judged by the credential that it shows.
 */
export function guardAgainstCrossSite(
  app: FastifyInstance,
  { cookies, flowCookie, publicUrl, corsOrigins }: CrossSiteOptions,
): CrossSiteGuard {
  const origins = new Set([new URL(publicUrl).origin, ...corsOrigins])
  const isTrial = publicUrl.startsWith('http:')
  const areCarried = (request: FastifyRequest) => cookies.areCarried(request) || flowCookie.isCarried(request)
  app.decorateRequest('cookieRefusal', null)

  app.addHook('onRoute', (route) => {
    const isGuarded = !isAllowedByRoute(route.config) && actsByCookies(route.config?.access)
    if (isGuarded && !safeMethods.has(String(route.method))) documentProblems(route, 'cross_site_request')
  })

  app.addHook('onRequest', (request, _reply, done) => {
    const { config } = request.routeOptions
    const isGuarded = !request.is404 && !isAllowedByRoute(config)
    if (isGuarded && areCarried(request) && !isAllowed(request)) {
      request.cookieRefusal = refusalOf(request)
      if (isTokenRequired(config.access) && !isBearer(request.headers.authorization)) throw request.cookieRefusal
    }
    done()
  })

  function isAllowed(request: FastifyRequest): boolean {
    // Over plain http, browsers send no Sec-Fetch-Site, and a trial has many addresses: the machine's in its network, say.
    const isOwnAddress = isTrial && request.headers.origin === `http://${request.headers.host ?? ''}`
    const hasCookie = areCarried(request)
    return isOwnAddress || isSameSite(provenanceOf(request), { origins, hasCookie })
  }

  return {
    requireSignInAllowed(request) {
      if (!isAllowed(request)) throw refusalOf(request)
      if (provenanceOf(request).secFetchSite === 'cross-site' && !cookies.crossSite) {
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

/** Whether a cookie can be the credential that a route is called with. */
function actsByCookies(access: Access | undefined): boolean {
  return isTokenRequired(access) || access === 'refresh' || access === 'credential'
}

function isTokenRequired(access: Access | undefined): boolean {
  return typeof access === 'object'
}

const MAX_ORIGIN_LENGTH = 200

/** The refusal, which names the origin that was seen and the setting that would allow it. */
function refusalOf(request: FastifyRequest): Problem {
  const { origin } = provenanceOf(request)
  if (origin === undefined) return new Problem('cross_site_request')
  const seen = origin.slice(0, MAX_ORIGIN_LENGTH)
  return new Problem('cross_site_request', {
    detail:
      `The origin "${seen}" is neither that of PUBLIC_URL nor listed in CORS_ORIGINS. Set PUBLIC_URL if the API itself ` +
      'is reached there, or add the origin to CORS_ORIGINS if it is that of a page that may call.',
  })
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
