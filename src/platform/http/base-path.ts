import type { IncomingMessage } from 'node:http'

/** The path of PUBLIC_URL without a slash at its end, such as `/auth`; empty where it has none. */
export function basePathOf(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/$/, '')
}

/**
 * Removes the path of PUBLIC_URL from the URL of a request, so that routes need not know it. A proxy may have removed it
 * already, and probes come without it. Metadata of an issuer with a path is also looked for with the path at its end
 * (RFC 8414, section 3.1).
 */
export function withoutBasePath(basePath: string): (request: Pick<IncomingMessage, 'url'>) => string {
  return (request) => {
    const url = request.url ?? '/'
    const [path, query] = splitQuery(url)
    if (path === basePath) return `/${query}`
    if (path.startsWith(`${basePath}/`)) return path.slice(basePath.length) + query
    const isWellKnown = path.startsWith('/.well-known/') && path.endsWith(basePath)
    return isWellKnown ? path.slice(0, -basePath.length) + query : url
  }
}

function splitQuery(url: string): [path: string, query: string] {
  const start = url.indexOf('?')
  return start === -1 ? [url, ''] : [url.slice(0, start), url.slice(start)]
}
