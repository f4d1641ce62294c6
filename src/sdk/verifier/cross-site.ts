/** The parts of a request used for authentication; compatible with Fastify, Express and `node:http`. */
export interface ShownRequest {
  method?: string | undefined
  /** The path with its query; `originalUrl` where a router has changed it. */
  url?: string | undefined
  originalUrl?: string | undefined
  headers: {
    authorization?: string | undefined
    cookie?: string | undefined
    dpop?: string | string[] | undefined
    host?: string | undefined
    origin?: string | undefined
    'sec-fetch-site'?: string | string[] | undefined
    'x-sallyport-csrf'?: string | string[] | undefined
  }
}

const safeMethods: readonly (string | undefined)[] = ['GET', 'HEAD', 'OPTIONS']

/**
 * Whether a request with a cookie comes from a page of this service. A script of another site can send requests with
 * cookies, but can neither forge `Sec-Fetch-Site` and `Origin` nor add a header.
 */
export function isSameOrigin({ method, headers }: ShownRequest): boolean {
  if (safeMethods.includes(method)) return true
  const { host, origin, 'sec-fetch-site': site } = headers
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  // Browsers without Sec-Fetch-Site: the origin must match the Host header.
  if (origin !== undefined) return host !== undefined && origin.replace(/^https?:\/\//, '') === host
  // Clients other than browsers must send this header along with cookies.
  return headers['x-sallyport-csrf'] === '1'
}
