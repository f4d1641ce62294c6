/** Names and parsing of cookies. No packages, no API of Node. */

/**
 * The name of a cookie of the server at that address. The prefix makes browsers refuse a cookie of this name that a
 * script or another host tries to set (RFC 6265bis, section 4.1.3). It requires `Secure`, which browsers reject on
 * plain HTTP.
 */
export function cookieName(publicUrl: string, name: 'at' | 'rt' | 'device'): string {
  return publicUrl.startsWith('https:') ? `__Host-Http-sallyport_${name}` : `sallyport_${name}`
}

/** The names of the session cookies. */
export type SessionCookieNames = Record<'access' | 'refresh', string>

export function sessionCookieNames(publicUrl: string): SessionCookieNames {
  return { access: cookieName(publicUrl, 'at'), refresh: cookieName(publicUrl, 'rt') }
}

/**
 * All values of one cookie, in the order in which they were sent (RFC 6265bis, section 5.8.3). A browser sends two
 * cookies of one name if they differ in domain or path, and a sibling domain may have planted one of them: the caller
 * must find out which is genuine. Values are returned unchanged.
 */
export function readCookies(header: string | undefined, name: string): string[] {
  if (header === undefined) return []
  const values: string[] = []
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    // A pair without a name is not a cookie of this server.
    if (equals === -1) continue
    if (trimBlanks(pair.slice(0, equals)) === name) values.push(trimBlanks(pair.slice(equals + 1)))
  }
  return values
}

// Not trim(), which also removes Unicode spaces and would make two different names equal.
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}
