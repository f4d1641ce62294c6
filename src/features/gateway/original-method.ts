import type { IncomingHttpHeaders } from 'node:http'

/**
 * How a gateway tells the method of the request that it asks about: it asks with the same method, as Envoy does, or with
 * GET and the method in a header, as nginx, Caddy and Traefik do.
 */
export type MethodSource = 'request' | 'header'

const headerNames = ['x-forwarded-method', 'x-original-method']

/** Stands for a method that is not told. It is no safe one. */
const UNKNOWN = 'UNKNOWN'

/**
 * The methods that the original request may have: a cookie counts for it without further proof only where all of them are
 * safe. A gateway that is meant to send the header and does not is taken to ask about an unsafe method.
 */
export function originalMethods(
  { method, headers }: { method: string; headers: IncomingHttpHeaders },
  source: MethodSource,
): string[] {
  const forwarded = headerNames.map((name) => headers[name]).filter((value) => value !== undefined)
  const isMissing = source === 'header' && forwarded.length === 0
  return [method, ...forwarded.map(String), ...(isMissing ? [UNKNOWN] : [])]
}
