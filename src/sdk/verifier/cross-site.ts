/** As much of a request as tells who it comes from; those of Fastify, Express and `node:http` fit. */
export interface ShownRequest {
  method?: string | undefined
  headers: {
    authorization?: string | undefined
    cookie?: string | undefined
    host?: string | undefined
    origin?: string | undefined
    'sec-fetch-site'?: string | string[] | undefined
    'x-sallyport-csrf'?: string | string[] | undefined
  }
}

const safeMethods: readonly (string | undefined)[] = ['GET', 'HEAD', 'OPTIONS']

/**
 * Whether a request that acts by a cookie comes from a page of this service. A script of another site can send it,
 * cookies included, but can forge neither `Sec-Fetch-Site` nor `Origin`, nor add a header.
 */
export function isSameOrigin({ method, headers }: ShownRequest): boolean {
  if (safeMethods.includes(method)) return true
  const { host, origin, 'sec-fetch-site': site } = headers
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  // Browsers that do not tell the site, where this service is reached under the host that it sees.
  if (origin !== undefined) return host !== undefined && origin.replace(/^https?:\/\//, '') === host
  // No browser: the client says that it means the cookie.
  return headers['x-sallyport-csrf'] === '1'
}
