/** Names and parsing of cookies. No packages, no API of Node. */

/** COOKIE_PREFIX where it is not set. */
export const DEFAULT_COOKIE_PREFIX = 'sallyport'

/**
 * The name of a cookie of the server at that address. `__Host-Http-` makes browsers refuse a cookie of this name that a
 * script or another host tries to set (RFC 6265bis, section 4.1.3). It requires `Secure`, which browsers reject on
 * plain HTTP.
 *
 * @param prefix COOKIE_PREFIX, which tells the cookies of instances on one host apart: ports share them
 */
export function cookieName(
  publicUrl: string,
  name: 'at' | 'rt' | 'device' | 'flow' | 'form' | 'locale' | 'op' | 'return' | 'social',
  prefix: string = DEFAULT_COOKIE_PREFIX,
): string {
  return publicUrl.startsWith('https:') ? `__Host-Http-${prefix}_${name}` : `${prefix}_${name}`
}

/** The names of the session cookies. */
export type SessionCookieNames = Record<'access' | 'refresh', string>

export function sessionCookieNames(publicUrl: string, prefix?: string): SessionCookieNames {
  return { access: cookieName(publicUrl, 'at', prefix), refresh: cookieName(publicUrl, 'rt', prefix) }
}

/** The genuine cookie, and a few that sibling domains have planted. Each value may cost a signature check. */
const MAX_VALUES = 4

/**
 * The values of one cookie, at most four, in the order in which they were sent (RFC 6265bis, section 5.8.3). A browser
 * sends two cookies of one name if they differ in domain or path, and a sibling domain may have planted one of them: the
 * caller must find out which is genuine. Values are returned unchanged.
 */
export function readCookies(header: string | undefined, name: string): string[] {
  if (header === undefined) return []
  const values: string[] = []
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    // A pair without a name is not a cookie of this server.
    if (equals === -1) continue
    if (trimBlanks(pair.slice(0, equals)) === name) values.push(trimBlanks(pair.slice(equals + 1)))
    if (values.length === MAX_VALUES) break
  }
  return values
}

// Not trim(), which also removes Unicode spaces and would make two different names equal.
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}
